"""Open WebUI's feedback export as votes: likes and dislikes of answers that stood side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ratings.errors import BadInput, DuplicateVote, quoted
from ratings.json_rows import as_text
from ratings.rows import Batch

RATINGS = {"1": 1, "-1": -1, "1.0": 1, "-1.0": -1}
COLUMNS = ("model_a", "model_b", "winner", "voter", "prompt_id", "timestamp")


def is_feedback(batch: Batch) -> bool:
    """Does this file hold feedback rather than votes?"""
    return "data" in batch.header and "data.model_id" in batch.nested and "model_a" not in batch.header


@dataclass(slots=True)
class _Family:
    """Answers to one message, and what one user said of them."""

    place: tuple[int, int]
    voter: str
    prompt: str
    moment: str
    models: tuple[str, ...]
    ratings: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Skipped:
    """Feedback that compares nothing, by reason."""

    alone: int = 0
    unrated: int = 0
    likes: int = 0
    dislikes: int = 0
    mixed: int = 0

    def notes(self) -> Iterator[str]:
        """One sentence a reason."""
        for count, said in (
            (self.likes, "pairs were skipped, for two likes are not a vote"),
            (self.dislikes, "pairs were skipped, for two dislikes are not a vote"),
            (self.alone, "ratings were skipped, for the answer had no other beside it"),
            (self.unrated, "entries were skipped, for they carry no rating"),
            (self.mixed, "ratings were skipped, for one model was both liked and disliked"),
        ):
            if count:
                yield f"Open WebUI: {count:,} {said}."
        yield "Open WebUI does not tell which answer stood first; the sides here mean nothing."


def votes(batches: Iterable[Batch], path: str, notes: list[str]) -> Iterator[Batch]:
    """One batch of votes, as Open WebUI reads them: a liked answer beats, a disliked one loses to, those beside it.

    Raises
    ------
    BadInput
        A rating is neither 1 nor -1, or a field is of the wrong kind.
    DuplicateVote
        One feedback id stands twice.
    """
    families: dict[tuple[object, ...], _Family] = {}
    skipped = _Skipped()
    ids: dict[str, tuple[int, int]] = {}
    for batch in batches:
        columns = {name: _values(batch, name) for name in ("id", "user_id", "data", "meta", "created_at")}
        for row in range(batch.size):
            place = batch.line(row), batch.first + row + 1
            item = {name: values[row] for name, values in columns.items()}
            _once(ids, as_text(item["id"]), place, path, counted=batch.counted)
            _file(families, item, skipped, path, place)
    yield _batch([vote for family in families.values() for vote in _compared(family, skipped)])
    notes.extend(skipped.notes())


def _values(batch: Batch, name: str) -> list[Any]:
    return batch.values(name) if batch.values is not None else [None] * batch.size


def _once(ids: dict[str, tuple[int, int]], key: str, place: tuple[int, int], path: str, *, counted: bool) -> None:
    if key and key in ids:
        before = ids[key]
        items = (before[1], place[1]) if counted else None
        raise DuplicateVote(key, before[0], place[0], file=path, column="id", items=items)
    ids[key] = place


def _file(
    families: dict[tuple[object, ...], _Family], item: dict[str, Any], skipped: _Skipped, path: str,
    place: tuple[int, int],
) -> None:  # fmt: skip
    """Lays one feedback to the others on the same answers."""
    data = _part(item, "data", dict, path, place) or {}
    meta = _part(item, "meta", dict, path, place) or {}
    rating, model = as_text(data.get("rating")), as_text(data.get("model_id")).strip()
    if rating in ("", "0"):
        skipped.unrated += 1
        return
    if rating not in RATINGS:
        raise BadInput(
            f"{quoted(rating)} is not a rating: use 1 or -1.", file=path, line=place[0], item=place[1],
            column="data.rating",
        )  # fmt: skip
    others = _part(data, "sibling_model_ids", list, path, place) or []
    models = tuple(sorted({as_text(other).strip() for other in others} - {"", model}))
    if not model or not models:
        skipped.alone += 1
        return
    chat, message = as_text(meta.get("chat_id")), as_text(meta.get("message_index"))
    everyone = tuple(sorted((model, *models)))
    voter = as_text(item["user_id"])
    key: tuple[object, ...] = (voter, chat, message, everyone) if chat else (place,)
    prompt = f"{chat}:{message}" if chat else ""
    family = families.setdefault(key, _Family(place, voter, prompt, as_text(item["created_at"]), everyone))
    before = family.ratings.setdefault(model, RATINGS[rating])
    if before != RATINGS[rating]:
        family.ratings[model] = 0
        skipped.mixed += 1


def _part(item: dict[str, Any], name: str, kind: type, path: str, place: tuple[int, int]) -> Any:
    value = item.get(name)
    if value is not None and not isinstance(value, kind):
        said = "an object" if kind is dict else "a list"
        raise BadInput(
            f"{quoted(as_text(value))} must be {said}.", file=path, line=place[0], item=place[1], column=name
        )
    return value


def _compared(family: _Family, skipped: _Skipped) -> Iterator[tuple[int, tuple[str, ...]]]:
    for first, second in combinations(family.models, 2):
        one, two = family.ratings.get(first, 0), family.ratings.get(second, 0)
        if one == two:
            skipped.likes += one > 0
            skipped.dislikes += one < 0
            continue
        winner = "model_a" if one > two else "model_b"
        yield family.place[0], (first, second, winner, family.voter, family.prompt, family.moment)


def _batch(found: list[tuple[int, tuple[str, ...]]]) -> Batch:
    columns = dict(zip(COLUMNS, zip(*(cells for _, cells in found), strict=True), strict=True)) if found else {}
    lines = [line for line, _ in found]
    return Batch(COLUMNS, len(found), lambda name: columns.get(name, ()), lines.__getitem__)
