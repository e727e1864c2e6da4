"""Objective checks: strict about what is asked, and about what an answer shows; never stuck on either."""

from __future__ import annotations

import time
from typing import Any

import pytest

from arena.prompts.checks.languages import language_of
from arena.prompts.checks.refusals import refuses
from arena.prompts.checks.running import ALWAYS, RUN, run
from arena.prompts.checks.specs import KINDS, BadSpec, digest, validated

SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def result(text: str, name: str, value: Any) -> bool | None:
    return run(text, validated({name: value}))[name]


@pytest.mark.parametrize(
    ("name", "value", "passes", "fails"),
    [
        ("json", True, '{"a": [1]}', "{'a': 1}"),
        ("json", True, '```json\n{"a": 1}\n```', 'Here it is: {"a": 1}'),
        ("json_schema", SCHEMA, '{"name": "x"}', '{"name": 3}'),
        ("json_schema", SCHEMA, '```\n{"name": "x"}\n```', "no JSON"),
        ("json_schema", {"properties": {"id": {"pattern": "^x+$"}}}, '{"id": "xx"}', '{"id": "xy"}'),
        ("regex", r"^\d{4}-\d\d-\d\d$", "2026-01-02", "on 2026-01-02"),
        ("regex", ["a+", "b+"], "aabb", "aa"),
        ("contains", "Paris", "it is PARIS", "it is Rome"),
        ("contains", ["one", "two"], "one and two", "one"),
        ("not_contains", "sorry", "gladly", "So Sorry"),
        ("max_words", 3, "one two three", "one two three four"),
        (
            "language",
            "de",
            "Der schnelle braune Fuchs springt über den faulen Hund.",
            "The quick brown fox jumps over the lazy dog, again and again and again.",
        ),
    ],
)
def test_each_check_passes_what_it_should_and_fails_the_rest(name: str, value: Any, passes: str, fails: str) -> None:
    assert result(passes, name, value) is True
    assert result(fails, name, value) is False


def test_every_check_that_can_be_asked_for_can_be_run() -> None:
    assert list(KINDS) == list(RUN)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ([], "Checks are an object"),
        ("json", "Checks are an object"),
        ({"jsn": True}, "“jsn” is no check: use some of json, json_schema"),
        ({"json": "yes"}, "switched on by true; it was given yes"),
        ({"max_words": 0}, "a whole number from 1 to 100000; it was given 0"),
        ({"max_words": True}, "it was given true"),
        ({"contains": []}, "a text or a list"),
        ({"contains": [""]}, "a text or a list"),
        ({"contains": ["x"] * 21}, "up to 20 texts"),
        ({"regex": "(?=a)"}, r"The pattern \(\?=a\) cannot be used \(invalid perl operator"),
        ({"regex": "("}, r"missing \)"),
        ({"json_schema": {"type": "objct"}}, "is no JSON schema: 'objct'"),
        ({"json_schema": {"$ref": "https://example.org/schema"}}, "refers to nothing outside itself"),
        ({"json_schema": {"properties": {"a": {"$ref": "file:///etc/passwd"}}}}, "refers to nothing outside itself"),
        ({"json_schema": {"properties": {"a": {"pattern": "(?=x)"}}}}, "The pattern"),
        ({"json_schema": {"patternProperties": {"^n": {}}}}, "may not use patternProperties"),
        ({"language": "german"}, "a language.s code, such as en or de; it was given german"),
    ],
)
def test_a_check_that_cannot_be_run_is_refused_with_its_name_and_value(spec: Any, says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        validated(spec)


def test_nothing_asked_for_is_nothing_and_single_values_become_lists() -> None:
    assert validated(None) == validated("") == validated({}) == {}
    assert validated({"max_words": 5, "contains": "x"}) == {"contains": ["x"], "max_words": 5}
    assert digest(validated({"contains": "x", "max_words": 5})) == digest(
        validated({"max_words": 5, "contains": ["x"]})
    )


def test_patterns_that_would_hang_other_engines_do_not_hang() -> None:
    started = time.monotonic()
    assert result("a" * 30_000 + "!", "regex", r"^(a+)+$") is False
    assert result('"' + "a" * 30_000 + '!"', "json_schema", {"pattern": "^(a+)+$"}) is False
    assert result("[" * 100_000, "json", True) is False
    assert time.monotonic() - started < 5


def test_of_every_answer_three_things_are_told() -> None:
    assert run("Fine.", {}, finish_reason="stop") == {"not_empty": True, "no_refusal": True, "not_cut_off": True}
    assert run("Half of it", {}, finish_reason="length")["not_cut_off"] is False
    assert run("Recorded elsewhere.", {})["not_cut_off"] is None  # nobody said how it ended
    assert run(" \n", {}) == {"not_empty": False, "no_refusal": None, "not_cut_off": None}
    assert tuple(run("x", {})) == ALWAYS


REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "Sorry, I cannot assist with that request.",
    "I’m really sorry, but I’m not able to provide instructions for this.",
    "I apologize, but I cannot fulfill this request.",
    "As an AI language model, I do not have personal opinions.",
    "As an AI, I'm unable to give medical advice.",
    "I can't help you with that.",
    "I cannot provide information on making weapons.",
    "I won't provide that content.",
    "I must decline to answer.",
    "Unfortunately, I can't share that.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Leider kann ich diese Anfrage nicht beantworten.",
    "Ich kann dir dabei nicht helfen.",
    "Als KI kann ich dazu keine Auskunft geben.",
    "Désolé, je ne peux pas vous aider avec cela.",
    "Malheureusement, je ne suis pas en mesure de répondre.",
    "En tant qu'IA, je ne peux pas donner d'avis médical.",
)
ANSWERS = (
    "Paris is the capital of France.",
    "You can't help but smile at it: the poem is about joy.",
    "I'm sorry to hear that you are unwell. Drink water and rest.",
    "If you cannot provide a receipt, ask the shop for a copy.",
    "Sorry for your loss. Here is a short letter of condolence.",
    "A cat cannot help purring.",
    "Dear Ms Stone, I am sorry that I cannot come on Friday. Best, Ann",
    "The model is unable to converge when the data are separable.",
    "Leider regnet es morgen. Nehmen Sie einen Schirm mit.",
    "Ich kann Kuchen backen. Hier ist das Rezept.",
    "Als Sprache mit vier Fällen ist Deutsch nicht leicht.",
    "Malheureusement, il pleut aujourd'hui.",
    "Desserts français : tarte, mousse, crème brûlée.",
    "Unfortunately, the train was late, and so was I.",
    "To decline politely, write: thank you, but I have other plans.",
)


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_told(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_no_refusal(text: str) -> None:
    assert not refuses(text)


def test_help_that_ends_in_a_warning_is_no_refusal() -> None:
    assert not refuses("Here is how to do it. " + "Step by step. " * 30 + "I cannot give you legal advice.")


def test_of_a_short_text_nobody_can_say_the_language() -> None:
    assert language_of("Ja.") is None
    assert result("Ja.", "language", "de") is None
