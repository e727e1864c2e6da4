"""How well answers that name themselves, and prompts that ask for it, are told from ordinary talk of models.

The probes are our own, in English, German and French. The `unseen` ones were written last and changed nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.battles.probing import asks_who
from arena.battles.selfnames import own_names
from arena.battles.selfnaming import Finding, names_itself

PROBES: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "selfnaming_probes.json").read_text(encoding="utf-8")
)
CLASSES: list[tuple[str, str, Callable[[str], Finding | None]]] = [
    ("answers_naming", "answers_ordinary", names_itself),
    ("prompts_asking", "prompts_ordinary", asks_who),
]
CYRILLIC = str.maketrans("aceopxyAEOCPTHKMB", "асеорхуАЕОСРТНКМВ")
DISGUISES: dict[str, Callable[[str], str]] = {
    "letters of another script": lambda text: text.translate(CYRILLIC),
    "invisible characters": lambda text: "\u200b".join(text),
    "soft hyphens": lambda text: "".join(f"{char}\u00ad" if char.isalpha() else char for char in text),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "capitals": lambda text: text.upper(),
    "markdown": lambda text: " ".join(f"**{word}**" for word in text.split()),
}


@pytest.mark.parametrize(("naming", "ordinary", "decide"), CLASSES)
def test_recall_and_precision_over_hundreds_of_probes(
    naming: str, ordinary: str, decide: Callable[[str], Finding | None]
) -> None:
    assert len(PROBES[naming]) >= 200
    assert len(PROBES[ordinary]) >= 200
    missed = [text for text in PROBES[naming] if decide(text) is None]
    wrong = [text for text in PROBES[ordinary] if decide(text) is not None]
    hits = len(PROBES[naming]) - len(missed)
    recall, precision = hits / len(PROBES[naming]), hits / (hits + len(wrong))
    print(f"\n{naming}: recall {recall:.3f} of {len(PROBES[naming])}, precision {precision:.3f} "
          f"with {len(PROBES[ordinary])} ordinary ones")  # fmt: skip
    assert recall >= 0.95, missed
    assert precision >= 0.95, wrong


def test_phrases_that_nothing_was_fitted_to_are_recognised_too() -> None:
    """48 of 50 wanted: with fewer than a hundred, one more miss is chance."""
    missed = [text for text in PROBES["unseen_answers_naming"] if names_itself(text) is None]
    missed += [text for text in PROBES["unseen_prompts_asking"] if asks_who(text) is None]
    assert len(missed) <= 2, missed


@pytest.mark.parametrize("disguise", sorted(DISGUISES))
@pytest.mark.parametrize(("naming", "ordinary", "decide"), CLASSES)
def test_a_disguise_changes_nothing(
    naming: str, ordinary: str, decide: Callable[[str], Finding | None], disguise: str
) -> None:
    """A few fall to capitals, which also tell a surname from a word; to the rest next to none may."""
    change = DISGUISES[disguise]
    sample = [text for text in PROBES[naming] if text.isprintable()]
    missed = [text for text in sample if decide(change(text)) is None]
    wrong = [text for text in PROBES[ordinary] if decide(change(text)) is not None]
    allowed = 0.10 if disguise in ("capitals", "markdown") else 0.05
    assert len(missed) / len(sample) <= 0.05, missed
    assert len(wrong) / len(PROBES[ordinary]) <= allowed, wrong


OWN = own_names(
    [
        ("Zanzibar", "maker/zanzibar-7b-instruct:q4", "Spice Works"),
        ("terse", "m", ""),
        ("Quillfish Grande", "quillfish2-large", "Imaginary Harbour Works"),
    ]
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I am Zanzibar, how can I help?", "own"),
        ("Mein Name ist Zanzibar.", "own"),
        ("I am zanzibar-7b.", "own"),
        ("Je suis Quillfish Grande.", "own"),
        ("I'm quillfish2.", "own"),
        ("I am a language model trained by Spice Works.", "maker"),
        ("Ich wurde von Imaginary Harbour Works entwickelt.", "maker"),
        ("I am Zаnzibаr.", "own"),
    ],
)
def test_an_arenas_own_names_are_looked_for(text: str, kind: str) -> None:
    found = names_itself(text, OWN)
    assert found is not None
    assert found.kind == kind
    assert names_itself(text) is None, "no general list holds it"


@pytest.mark.parametrize(
    "text",
    ["Zanzibar is an island.", "I am terse by nature.", "I am a fan of Quillfish Grande.", "I visited Spice Works."],
)
def test_an_own_name_in_ordinary_talk_is_none(text: str) -> None:
    assert names_itself(text, OWN) is None


def test_a_finding_says_rule_kind_and_words() -> None:
    found = names_itself("Well then: I am C\u200blaude, made by Anthropic.")
    assert found == Finding("says_it_is", "model", "I am Claude")
    assert asks_who("So, who are you?") == Finding("asks_who", "prompt", "who are you")


@pytest.mark.parametrize(
    "text",
    [
        "I am " + "a large language model made by " * 4000,
        "I am a the " * 8000,
        "who are you " * 6000,
        "which model " * 8000,
        '"' * 40_000,
        "« " * 20_000,
        "a.b." * 20_000,
        "OpenAI " * 10_000,
        "\u200b" * 40_000 + "I am Claude",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Both are asked while an answer is stored; a hostile text must not hold the process."""
    started = time.perf_counter()
    names_itself(text)
    asks_who(text)
    assert time.perf_counter() - started < 2.5
