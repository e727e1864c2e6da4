"""Files of votes: which formats are understood, and what each of their words means."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratings import BadInput, Outcome, UnknownLabel
from ratings.reading import read_table, read_votes
from ratings.votefile import VoteFile

ARENA_140K: dict[str, Any] = {
    "id": "a1", "model_a": "x", "model_b": "y", "winner": "both_bad", "evaluation_session_id": "s",
    "evaluation_order": 1,
    "conversation_a": [{"role": "user", "content": [{"type": "text", "text": "Hi, \"you\""}]}], "conversation_b": [],
    "full_conversation": [], "is_code": False, "language": "de", "timestamp": "2025-04-15T12:30:00.5+00:00",
    "category_tag": {"math_v0.1": {"math": True}},
    "conv_metadata": {
        "sum_assistant_a_tokens": 120, "header_count_a": {"h1": 1, "h2": 2},
        "list_count_a": {"ordered": 3, "unordered": 1}, "bold_count_a": {"**": 4, "__": 1},
        "sum_assistant_b_tokens": 80, "header_count_b": {"h1": 0},
        "list_count_b": {"ordered": 0, "unordered": 0}, "bold_count_b": {"**": 0, "__": 0}, "turns": 1,
    },
}  # fmt: skip
STYLE = ["length_a", "length_b", "headers_a", "headers_b", "lists_a", "lists_b", "bold_a", "bold_b"]


def write(folder: Path, text: str, name: str = "votes.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def write_rows(folder: Path, rows: list[dict[str, Any]], name: str) -> str:
    """The same rows as CSV, JSON Lines or an array, as the name says."""
    if name.endswith("csv"):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            held = [{k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()} for row in rows]
            writer.writerows(held)
        return str(folder / name)
    lines = "\n".join(json.dumps(row) for row in rows) if name.endswith("jsonl") else json.dumps(rows, indent=1)
    return write(folder, lines, name)


def said(file: VoteFile) -> list[tuple[str, str, str, float]]:
    """Each row in words."""
    weight = np.ones(file.a.size) if file.weight is None else file.weight
    return [
        (file.names[a], file.names[b], Outcome(o).name, w)
        for a, b, o, w in zip(file.a.tolist(), file.b.tolist(), file.outcome.tolist(), weight.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("model_a", Outcome.A), ("left", Outcome.A), ("a", Outcome.A), ("model_b", Outcome.B), (" RIGHT ", Outcome.B),
     ("tie", Outcome.TIE), ("draw", Outcome.TIE), ("tie (bothbad)", Outcome.BOTH_BAD), ("both_bad", Outcome.BOTH_BAD)],
)  # fmt: skip
def test_the_words_of_the_field_are_understood(tmp_path: Path, word: str, outcome: Outcome) -> None:
    data = read_votes(write(tmp_path, f"model_a,model_b,winner\nx,y,{word}\n"))
    assert data.outcome.tolist() == [outcome]


def test_an_unknown_outcome_is_never_a_tie(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match=r"line 3, column winner: 'lft'.*model_a, model_b, tie, both_bad"):
        read_votes(write(tmp_path, "model_a,model_b,winner\nx,y,left\nx,y,lft\n"))


@pytest.mark.parametrize("alias", ["voter", "judge", "judge_hash", "evaluator", "worker", "user"])
def test_every_name_of_the_voter_is_understood(tmp_path: Path, alias: str) -> None:
    file = read_table(write(tmp_path, f"model_a,model_b,winner,{alias}\nx,y,tie,bob\nx,y,tie,ann\nx,y,tie,bob\n"))
    assert file.voter is not None and file.voter.tolist() == [0, 1, 0]
    assert file.voters == ("bob", "ann")


def test_labels_and_columns_are_translated_and_standard_words_stay(tmp_path: Path) -> None:
    path = write(tmp_path, "one,two,who,result\nx,y,ann,1\nx,y,bob,model_b\n")
    columns = {"one": "model_a", "two": "model_b", "who": "voter", "result": "winner"}
    data = read_votes(path, columns=columns, labels={"1": "model_a"})
    assert data.outcome.tolist() == [0, 1]
    assert data.voters == 2


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl", "votes.json"])
def test_the_140k_set_is_read_with_its_style_counts(tmp_path: Path, name: str) -> None:
    """Names and shape of lmarena-ai/arena-human-preference-140k."""
    path = write_rows(tmp_path, [ARENA_140K, {**ARENA_140K, "id": "a2", "winner": "model_b", "language": ""}], name)
    file = read_table(path, wanted=["language", "timestamp", *STYLE])
    assert said(file) == [("x", "y", "BOTH_BAD", 1), ("x", "y", "B", 1)]
    assert file.voter is None
    assert {column: file.numbers[column][0] for column in STYLE} == {
        "length_a": 120, "length_b": 80, "headers_a": 3, "headers_b": 0, "lists_a": 4, "lists_b": 0,
        "bold_a": 5, "bold_b": 0,
    }  # fmt: skip
    assert file.numbers["timestamp"].tolist() == [1744720200.5] * 2
    assert file.texts["language"].counts() == {"de": 1}


def test_nested_values_can_choose_votes(tmp_path: Path) -> None:
    other = {**ARENA_140K, "id": "a2", "category_tag": {"math_v0.1": {"math": False}}}
    path = write_rows(tmp_path, [ARENA_140K, other], "votes.jsonl")
    column = "category_tag.math_v0.1.math"
    assert read_table(path, wanted=[column]).where(column, "true").a.size == 1


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl", "votes.json"])
def test_the_33k_set_is_read_without_the_rows_that_were_not_anonymous(tmp_path: Path, name: str) -> None:
    """Names and shape of lmsys/chatbot_arena_conversations."""
    row = {"question_id": "q1", "model_a": "x", "model_b": "y", "winner": "tie (bothbad)", "judge": "arena_user_9",
           "conversation_a": [{"content": "line\nbreak, \"quoted\"", "role": "user"}], "turn": 1, "anony": True,
           "language": "English", "tstamp": 1682351591.1322}  # fmt: skip
    rows = [row, {**row, "question_id": "q2", "anony": False, "model_b": "z"}, {**row, "question_id": "q3"}]
    file = read_table(write_rows(tmp_path, rows, name), wanted=["timestamp"])
    assert said(file) == [("x", "y", "BOTH_BAD", 1)] * 2
    assert file.numbers["timestamp"].tolist() == [1682351591.1322] * 2
    assert file.notes == ("1 rows with anony false are not rated.",)


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl"])
def test_kaggles_one_hot_columns_are_read(tmp_path: Path, name: str) -> None:
    row = {"id": 30192, "model_a": "x", "model_b": "y", "prompt": '["Is it, morally?"]', "response_a": "a\nb",
           "response_b": "", "winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0}  # fmt: skip
    tie = {**row, "id": 2, "winner_model_b": 0, "winner_tie": 1}
    file = read_table(write_rows(tmp_path, [row, tie], name), wanted=["prompt_id"])
    assert said(file) == [("x", "y", "B", 1), ("x", "y", "TIE", 1)]
    assert file.texts["prompt_id"].values == ('["Is it, morally?"]',)
    wrong = write_rows(tmp_path, [{**row, "winner_tie": 1}], f"wrong_{name}")
    with pytest.raises(BadInput, match=r"exactly one of the outcomes must be 1.*winner_model_b 1, winner_tie 1"):
        read_votes(wrong)


def test_llmfao_is_read_by_name_not_by_number(tmp_path: Path) -> None:
    text = "id,prompt,model_x,model_y,worker,winner,left,right\n0,8,97,98,58,tie,Airoboros,Weaver\n"
    file = read_table(write(tmp_path, text), wanted=["prompt_id"])
    assert said(file) == [("Airoboros", "Weaver", "TIE", 1)]
    assert file.voters == ("58",) and file.texts["prompt_id"].values == ("8",)


def test_a_table_of_counts_is_read_with_what_was_never_counted_left_out(tmp_path: Path) -> None:
    file = read_table(write(tmp_path, "model_a,model_b,wins_a,wins_b,ties\nx,y,3,0,1.5\nz,y,0,2,0\n"))
    assert said(file) == [("x", "y", "A", 3), ("x", "y", "TIE", 1.5), ("z", "y", "B", 2)]
    without = read_table(
        write(tmp_path, "i,j,w,l\nx,y,3,1\n"), columns={"i": "model_a", "j": "model_b", "w": "wins_a", "l": "wins_b"}
    )
    assert said(without) == [("x", "y", "A", 3), ("x", "y", "B", 1)]


def test_weights_are_frequencies_and_zero_is_no_vote(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,weight,prompt\nx,y,tie,2,p\nx,y,left,0,q\nx,z,left,0,r\nx,y,right,0.5,s\n"
    file = read_table(write(tmp_path, text), wanted=["prompt_id"])
    assert said(file) == [("x", "y", "TIE", 2), ("x", "y", "B", 0.5)]
    assert [file.texts["prompt_id"].values[k] for k in file.texts["prompt_id"].codes] == ["p", "s"]
    assert file.names == ("x", "y", "z")


def test_counting_the_votes_loses_nothing_of_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = [f"m{a},n{b},{'abt'[o]}ie,{w},v{v}".replace("aie", "a").replace("bie", "b")
             for a, b, o, w, v in rng.integers(0, [4, 4, 3, 3, 6], (400, 5)).tolist()]  # fmt: skip
    for columns in (
        "model_a,model_b,winner,weight,voter",
        "model_a,model_b,winner,_,voter",
        "model_a,model_b,winner,_,__",
    ):
        file = read_table(write(tmp_path, "\n".join([columns, *lines])))
        every, counted = file.comparisons(), file.counted()
        assert counted.a.size < every.a.size
        for data in (every, counted):
            keys = [data.a, data.b, data.outcome, *([] if data.voter is None else [data.voter])]
            cells, where = np.unique(np.stack(keys), axis=1, return_inverse=True)
            sums = np.bincount(where.ravel(), data.weight)
            if data is every:
                expected = cells, sums
        np.testing.assert_array_equal(expected[0], cells)
        np.testing.assert_array_equal(expected[1], sums)


def test_votes_without_voter_among_others_stand_for_themselves(tmp_path: Path) -> None:
    file = read_table(write(tmp_path, "model_a,model_b,winner,voter\nx,y,tie,\nx,y,tie,ann\nx,y,tie, \nx,y,tie,ann\n"))
    assert file.voter is not None and file.voter.tolist() == [0, 1, 2, 1]
    assert file.notes == ("2 votes carry no voter; each is taken for a voter of its own.",)
    assert read_table(write(tmp_path, "model_a,model_b,winner,voter\nx,y,tie,\n")).voter is None


def test_one_category_is_as_if_the_file_had_held_no_other(tmp_path: Path) -> None:
    head = "model_a,model_b,winner,voter,language\n"
    german = "z,y,tie,cy,de\ny,z,left,ann,de\n"
    both = read_table(write(tmp_path, f"{head}x,y,left,ann,en\n{german}x,z,left,bob,\n"), wanted=["language"])
    part, alone = both.where("language", "de"), read_table(write(tmp_path, head + german, "german.csv"))
    assert (part.names, part.voters) == (alone.names, alone.voters) == (("y", "z"), ("cy", "ann"))
    for column in ("a", "b", "outcome", "voter"):
        np.testing.assert_array_equal(getattr(part, column), getattr(alone, column))
    assert part.notes == ("language is de in 2 of 4 rows; only these are rated.",)
    with pytest.raises(BadInput, match=r"column language: 'fr' does not occur; use one of de \(2\), en \(1\)"):
        both.where("language", "fr")
    with pytest.raises(BadInput, match="no column 'topic' to choose by; it has model_a, model_b"):
        both.where("topic", "fr")


def feedback(number: int, model: str, rating: Any, *others: str, chat: str = "c", user: str = "u") -> dict[str, Any]:
    return {"id": f"f{number}", "user_id": user, "version": 0, "type": "rating",
            "created_at": 1_700_000_000 + number,
            "data": {"rating": rating, "model_id": model, "sibling_model_ids": list(others) or None, "reason": ""},
            "meta": {"chat_id": chat, "message_id": f"m{number}", "message_index": 1}, "snapshot": {}}  # fmt: skip


@pytest.mark.parametrize("name", ["feedback.json", "feedback.jsonl"])
def test_open_webui_likes_are_votes_against_the_answers_beside_them(tmp_path: Path, name: str) -> None:
    rows = [feedback(1, "x", 1, "y"), feedback(2, "y", "-1", "x", chat="d"), feedback(3, "z", -1, "x", "y", chat="e")]
    file = read_table(write_rows(tmp_path, rows, name), wanted=["prompt_id", "timestamp"])
    assert said(file) == [("x", "y", "A", 1), ("x", "y", "A", 1), ("x", "z", "A", 1), ("y", "z", "A", 1)]
    assert file.voters == ("u",)
    assert file.texts["prompt_id"].values == ("c:1", "d:1", "e:1")
    assert file.numbers["timestamp"][0] == 1_700_000_001


def test_two_likes_are_no_vote_and_it_is_said(tmp_path: Path) -> None:
    rows = [
        feedback(1, "x", 1, "y"), feedback(2, "y", 1, "x"),  # both liked
        feedback(3, "x", 1, "y", chat="d"), feedback(4, "y", -1, "x", chat="d"),  # one vote, said twice
        feedback(5, "x", -1, "y", chat="e"), feedback(6, "y", -1, "x", chat="e"),  # both disliked
        feedback(7, "x", 1, chat="f"), feedback(8, "x", None, "y", chat="g"),
        feedback(9, "x", 1, "y", chat="h"), feedback(10, "x", -1, "y", chat="h"),
    ]  # fmt: skip
    file = read_table(write_rows(tmp_path, rows, "feedback.json"))
    assert said(file) == [("x", "y", "A", 1)]
    for part in ("1 pairs were skipped, for two likes are not a vote", "1 pairs were skipped, for two dislikes",
                 "1 ratings were skipped, for the answer had no other", "1 entries were skipped, for they carry no",
                 "1 ratings were skipped, for one model was both liked", "the sides here mean nothing"):  # fmt: skip
        assert any(part in note for note in file.notes), part


@pytest.mark.parametrize(
    ("row", "message"),
    [(feedback(1, "x", 7, "y"), r"vote 1, column data.rating: '7' is not a rating: use 1 or -1"),
     ({**feedback(1, "x", 1, "y"), "meta": "none"}, "column meta: 'none' must be an object"),
     (feedback(1, "x", 1, "x"), None)],
)  # fmt: skip
def test_odd_feedback_is_named_or_skipped(tmp_path: Path, row: dict[str, Any], message: str | None) -> None:
    path = write_rows(tmp_path, [row], "feedback.json")
    if message is None:
        assert read_votes(path).votes == 0
        return
    with pytest.raises(BadInput, match=message):
        read_votes(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl", "votes.json", "votes", "votes.data"])
def test_packed_or_not_and_under_any_name_the_votes_are_the_same(tmp_path: Path, name: str, packed: bool) -> None:
    rows = [{"model_a": "ä b", "model_b": "y", "winner": "tie"}, {"model_a": "y", "model_b": "ä b", "winner": "left"}]
    form = name if "." in name and name != "votes.data" else "votes.jsonl"
    path = Path(write_rows(tmp_path, rows, form))
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    target = tmp_path / f"to_read_{name}{'.gz' if packed else ''}"
    path.rename(target)
    assert said(read_table(str(target))) == [("ä b", "y", "TIE", 1), ("y", "ä b", "A", 1)]


def test_what_is_not_asked_for_is_not_kept(tmp_path: Path) -> None:
    file = read_table(write(tmp_path, "model_a,model_b,winner,category,tstamp\nx,y,tie,code,never\n"))
    assert not file.texts and not file.numbers


def test_a_time_that_is_none_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "model_a,model_b,winner,tstamp\nx,y,tie,\nx,y,tie,never\n")
    with pytest.raises(
        BadInput, match=r"line 3, column tstamp: 'never' must be a time: seconds since 1970, or as 2025"
    ):
        read_table(path, wanted=["timestamp"])


def test_long_texts_are_kept_by_their_beginning_and_a_hash(tmp_path: Path) -> None:
    rows = [{"model_a": "x", "model_b": "y", "winner": "tie", "prompt": "why? " * 200 + end} for end in "aba"]
    texts = read_table(write_rows(tmp_path, rows, "votes.csv"), wanted=["prompt_id"]).texts["prompt_id"]
    assert texts.codes.tolist() == [0, 1, 0]
    assert all(len(value) < 100 for value in texts.values)
