"""Conversations of battles and what can be counted in them, as the public sets have both."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arena.battles.models import Response, Turn
from arena.battles.words import Side
from arena.prompts.models import RecordedAnswer
from arena.prompts.style import BOLD, FENCED, HEADER, LIST, style_of

ORDERED = re.compile(r"^[ \t]*\d{1,9}[.)]")
COLUMNS = ("turn_id", "side", "text", "recorded_answer_id")


@dataclass(frozen=True, slots=True)
class Talk:
    """One battle's turns: what the user said, and what each side answered."""

    turns: tuple[tuple[str, str, str], ...]

    def values(self) -> dict[str, Any]:
        """The columns of the public shape that hold texts and their counts."""
        from ratings.writers import both_said, said

        return {
            "conversation_a": said((user, a) for user, a, _ in self.turns),
            "conversation_b": said((user, b) for user, _, b in self.turns),
            "full_conversation": both_said(self.turns),
            "conv_metadata": metadata(self.turns),
            "is_code": any("```" in text for turn in self.turns for text in turn),
        }


def talks_of(battle_ids: Iterable[int]) -> dict[int, Talk]:
    """The conversations of these battles, in three questions to the database; battles without a turn are left out."""
    turns = list(
        Turn.objects.filter(battle_id__in=list(battle_ids)).order_by("battle_id", "index")
        .values_list("pk", "battle_id", "prompt")
    )  # fmt: skip
    answers = dict(_answers([pk for pk, _, _ in turns]))
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for pk, battle, prompt in turns:
        found[battle].append((prompt, answers.get((pk, Side.A), ""), answers.get((pk, Side.B), "")))
    return {battle: Talk(tuple(rows)) for battle, rows in found.items()}


def _answers(turn_ids: list[int]) -> Iterator[tuple[tuple[int, str], str]]:
    rows = list(Response.objects.filter(turn_id__in=turn_ids).values_list(*COLUMNS))
    recorded: Mapping[int, str] = dict(
        RecordedAnswer.objects.filter(pk__in={pk for *_, pk in rows if pk is not None}).values_list("pk", "text")
    )
    for turn, side, text, pk in rows:
        yield (turn, side), recorded[pk] if pk is not None else text


def metadata(turns: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """`conv_metadata`; tokens are words and punctuation marks, one measure for all, as on styled boards."""
    rows = list(turns)
    found: dict[str, Any] = {"turns": len(rows), "sum_user_tokens": sum(style_of(user).length for user, _, _ in rows)}
    for place, side in enumerate("ab", 1):
        texts = [row[place] for row in rows]
        found[f"sum_assistant_{side}_tokens"] = sum(_counts(text)["tokens"] for text in texts)
        for name, parts in (("header", HEADERS), ("list", LISTS), ("bold", BOLDS)):
            found[f"{name}_count_{side}"] = {part: sum(_counts(text)[part] for text in texts) for part in parts}
    return found


HEADERS = tuple(f"h{level}" for level in range(1, 7))
LISTS = ("ordered", "unordered")
BOLDS = ("**", "__")


@lru_cache(maxsize=4096)
def _counts(text: str) -> dict[str, int]:
    """Kept, since a recorded answer comes in many battles. Their sums by kind are `prompts.style.style_of`'s."""
    plain = FENCED.sub("", text)
    counts = dict.fromkeys((*HEADERS, *LISTS, *BOLDS), 0)
    for match in HEADER.finditer(plain):
        marks = match[0].lstrip()
        counts[f"h{len(marks) - len(marks.lstrip('#'))}"] += 1
    for match in LIST.finditer(plain):
        counts["ordered" if ORDERED.match(match[0]) else "unordered"] += 1
    for match in BOLD.finditer(plain):
        counts[match[0][:2]] += 1
    return {**counts, "tokens": style_of(text).length}
