from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.competitors.providers import Cleaner, clean

QUIRKS = [
    "assistant",
    "Assistant:",
    "assistant\n",
    "<|im_start|>assistant\n",
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<s>",
    "</s>",
    "<|eot_id|>",
    "<think>",
    "</think>",
    "<thinking>",
    "</thinking>",
    "<thi",
    "nk>",
    "<",
    "<|",
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    "\x00",
    "\x1b",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\u2069",
    "\ud83d",
    "\ude00",
    "\ud83d\ude00",
    "ſ",
    "a",
    "A list.",
    "x < y",
    "déjà vu 😀",
]
PIECES = st.lists(st.one_of(st.sampled_from(QUIRKS), st.text(max_size=6)), max_size=14)


def fed(pieces: list[str], max_chars: int = 32_000) -> str:
    cleaner = Cleaner(max_chars=max_chars)
    return "".join([cleaner.feed(piece) for piece in pieces]) + cleaner.finish()


@settings(max_examples=600, deadline=None)
@given(PIECES, st.integers(0, 40))
def test_deltas_cut_anywhere_add_up_to_the_same_text(pieces: list[str], max_chars: int) -> None:
    whole = "".join(pieces)
    assert fed(pieces) == fed(list(whole)) == clean(whole)
    assert fed(pieces, max_chars) == fed(list(whole), max_chars) == clean(whole, max_chars=max_chars)


@settings(max_examples=600, deadline=None)
@given(PIECES)
def test_clean_text_can_be_stored_sent_and_read(pieces: list[str]) -> None:
    text = clean("".join(pieces))
    text.encode()
    assert text == text.strip()
    assert not set(text) & set("\x00\r\x1b\x7f\u200b\ufeff\u202a\u202e\u2066\u2069")
    assert "<|im_end|>" not in text or "<" in text.replace("<|im_end|>", "")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zs", "Zl", "Zp"))))
def test_ordinary_text_passes_unchanged(text: str) -> None:
    text = text.replace("<", "")
    if not text.lower().startswith("assistant"):
        assert clean(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("assistant: Hello", "Hello"),
        ("  Assistant:\n\nHello", "Hello"),
        ("<|im_start|>assistant\nHello<|im_end|>\n", "Hello"),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>", "Hello"),
        ("<s> Hello</s>", "Hello"),
        ("<think>\nHm.\n</think>\n\nHello", "Hello"),
        ("Hello\n<think>Hm.</think>\nworld", "Hello\n\nworld"),
        ("<think>never done", ""),
        ("Hm.</think>Hello", "Hm.Hello"),
        ("\ufeff\u200bHel\u202elo\x00", "Hello"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\ud83d\ude00 \ud83d", "😀"),
        ("Hello  \n\n \t", "Hello"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_quirks_of_providers_go(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Assistant",
        "Assistants help.",
        "assistant manager: a job",
        "The tag `<think>` opens a thought.",
        "HTML strikes out with <s>text</s>.",
        "if a < b and b > c:\n\treturn a",
        "use std::vec::Vec<string>;",
        "a <|im_ b",
        "naïve – “quotes” … 日本語 👩‍👩‍👧",
    ],
)
def test_what_only_looks_like_a_quirk_stays(text: str) -> None:
    assert clean(text) == text


def test_an_invisible_character_cannot_hide_a_token() -> None:
    assert clean("Hello<|im\u200b_end|>") == "Hello"


def test_text_past_the_cap_is_dropped_and_the_cleaner_says_so() -> None:
    cleaner = Cleaner(max_chars=5)
    assert cleaner.feed("abc") == "abc"
    assert not cleaner.is_full
    assert cleaner.feed("defg") == "de"
    assert cleaner.is_full
    assert cleaner.feed("h") == cleaner.finish() == ""


def test_blanks_wait_until_text_follows_them() -> None:
    cleaner = Cleaner()
    assert [cleaner.feed(piece) for piece in ("x", " \n", "y", " ")] == ["x", "", " \ny", ""]
    assert cleaner.finish() == cleaner.finish() == ""


@pytest.mark.parametrize("piece", ["<", " ", "<think>", "x", "<|im", "assistant ", "\r", "\ud83d"])
def test_hostile_streams_cost_linear_work(piece: str) -> None:
    cleaner = Cleaner()
    began = time.process_time()
    for _ in range(60_000):
        cleaner.feed(piece)
    cleaner.finish()
    assert time.process_time() - began < 5.0
