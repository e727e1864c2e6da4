"""Files that are broken, strange or huge: a defined result, or an error with its place; never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tracemalloc
from pathlib import Path

import pytest

from ratings import BadInput, SelfComparison, reading, sources
from ratings.errors import DuplicateVote
from ratings.reading import read_table, read_votes
from ratings.sources import BLOCK, MAX_LINE

HEAD = "model_a,model_b,winner\n"
PLAIN = "x,y,tie\n"


def write(folder: Path, content: str | bytes, name: str = "votes.csv") -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "name"),
    [("", "votes.csv"), ("\n\n", "votes.jsonl"), (HEAD, "votes.csv"), ("\ufeff" + HEAD, "votes.csv"),
     ("[]", "votes.json"), (HEAD.strip(), "votes.csv"), ("", "votes.csv.gz")],
)  # fmt: skip
def test_no_votes_are_no_error(tmp_path: Path, content: str, name: str) -> None:
    data = read_votes(write(tmp_path, content, name))
    assert data.votes == 0 and data.names == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n", r"line 1: has no column model_a, model_b, winner; it has a, b\. Name yours with --columns theirs=mod"),
     ("a,b\nx,y\n", "no column model_a"),
     ("model_a;model_b;winner\nx;y;tie\n", "line 1: the cells are separated by ';'"),
     ("model_a,model_b,winner,winner\nx,y,tie,tie\n", "line 1: the column 'winner' stands twice"),
     (HEAD + PLAIN + "x,y\n", "line 3: has 2 cells; the header has 3"),
     (HEAD + PLAIN + "x,y,tie,\n", "line 3: has 4 cells"),
     (HEAD + '"x","y","tie"\n"x","y"\n', "line 3: has 2 cells"),
     (HEAD + "x,y,tie,x\ny,tie\n", "line 2: has 4 cells"),
     (HEAD + ",y,tie\n", "line 2, column model_a: the name is empty"),
     (HEAD + PLAIN + "x,  ,tie\n", "line 3, column model_b: the name is empty"),
     (HEAD + "x,y,\n", "line 2, column winner: '' is not an outcome: use .*, or remove the row"),
     (HEAD + '"x\ny",z,tie\n\nx,y,lft\n', "line 5, column winner: 'lft'"),
     (HEAD + '"x\r\ny",z,tie\r\nx,y,lft\r\n', "line 4, column winner: 'lft'"),
     (HEAD + PLAIN + 'x,"y,tie\nx,y,tie\n', "line 3: is not CSV: a quote that opens in this row is never closed"),
     (HEAD + PLAIN + 'x,"y"z,tie\n', "line 3: is not CSV: ',' expected after"),
     (HEAD + "x,y\rz,tie\n", "line 2: is not CSV: a carriage return stands inside a row"),
     (HEAD + PLAIN + "x,y\0,tie\n", "line 3: holds a NUL byte")],
)  # fmt: skip
def test_each_mistake_of_csv_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_votes(write(tmp_path, text))


@pytest.mark.parametrize("weight", ["nan", "-1", "inf", "-inf", "1e400", "1_0", "", "two", "1e15"])
def test_a_weight_that_is_no_frequency_is_named(tmp_path: Path, weight: str) -> None:
    with pytest.raises(
        BadInput, match=f"line 3, column weight: '{weight}' must be a number, zero or more and below 1e15"
    ):
        read_votes(write(tmp_path, f"model_a,model_b,winner,weight\nx,y,tie,1\nx,y,tie,{weight}\n"))


def test_a_competitor_against_itself_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SelfComparison, match=r"line 3, column model_b: 'x' is compared with itself"):
        read_votes(write(tmp_path, f"{HEAD}{PLAIN}x, x,tie\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"model_a": "x", "model_b": "y", "winner": "tie"}', "must hold a list of votes"),
     ("[1]", "line 1, vote 1: is a number or a truth value; every vote must be an object"),
     ('[{"model_a": "x", "model_b": "y", "winner": "tie"},\n [[]]]', "line 2, vote 2: is a list"),
     ('[{"model_a": "x", "model_b": "y", "winner": "tie"}\n{"model_a": "y"}]',
      r"line 2, vote 2: is not JSON: '\{' stands where a comma"),
     ('[{"model_a": "x", "model_b": "y", "winner": "tie"}, ]', "vote 2: is not JSON: Expecting value"),
     ('[{"model_a": "x", "model_b": "y", "winner": "tie"}', "the list is cut short"),
     ('[{"model_a": "x", "model_b": ', "vote 1: is not JSON"),
     ("[] []", r"'\[' stands after the list"), ("tie", "must hold a list of votes"),
     ("[" * 100_000, "is not JSON: too deeply nested"), ('[{"model_a": ' + "9" * 5000 + "}]", "is not JSON: Exceeds"),
     ('[{"model_a": "x", "model_b": {"name": "x"}, "winner": null}]', "vote 1, column winner: '' is not an outcome"),
     ('[{"model_a": "\\ud800", "model_b": "y", "winner": "tie"}]', "half a character"),
     ('[{"model_a": "x", "model_b": "y", "winner": "tie", "weight": NaN}]', "vote 1, column weight: 'nan'"),
     ('[{"model_a": "x", "model_b": "y", "winner": "tie", "weight": true}]', "vote 1, column weight: 'true'")],
)  # fmt: skip
def test_each_mistake_of_a_json_list_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text, "votes.json")
    if text.startswith("{"):  # one object a line is JSON Lines under whatever name
        assert read_votes(path).votes == 1
        return
    with pytest.raises(BadInput, match=message):
        read_votes(path)


def test_a_mistake_in_a_json_list_is_told_as_such_however_much_follows(tmp_path: Path) -> None:
    """A vote that is too long and a mistake in a short one look alike to a parser that waits for the end."""
    rest = '{"model_a": "x", "model_b": "y", "winner": "tie"}, ' * (MAX_LINE // 45)
    with pytest.raises(BadInput, match="line 2, vote 1: is not JSON: Expecting"):
        read_votes(write(tmp_path, f'[\n{{"model_a" "x"}}, {rest}', "votes.json"))


@pytest.mark.parametrize(
    ("line", "message"),
    [("{", "line 3: is not JSON"), ("[]", "line 3: is a list"), ("null", "line 3: is null"),
     ('"x"', "line 3: is a text"), ('{"model_a": "x", "winner": "tie"}', "line 3, column model_b: the name is empty"),
     ('{"model_a": "x", "model_b": "y", "winner": 3}', "line 3, column winner: '3' is not an outcome")],
)  # fmt: skip
def test_each_mistake_of_json_lines_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    good = '{"model_a": "x", "model_b": "y", "winner": "tie"}'
    with pytest.raises(BadInput, match=message):
        read_votes(write(tmp_path, f"{good}\n\n{line}\n{good}\n", "votes.jsonl"))


def test_an_earlier_mistake_is_named_before_a_later_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 2, column winner: 'lft'"):
        read_votes(write(tmp_path, HEAD + 'x,y,lft\nx,"y"z,tie\n'))
    with pytest.raises(BadInput, match="line 1, column winner: 'lft'"):
        read_votes(write(tmp_path, '{"model_a": "x", "model_b": "y", "winner": "lft"}\n{\n', "votes.jsonl"))


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl", "votes.json"])
def test_latin_1_is_named_with_line_and_byte(tmp_path: Path, name: str) -> None:
    row = json.dumps({"model_a": "x", "model_b": "ü", "winner": "tie"}, ensure_ascii=False)
    text = {"votes.csv": f"{HEAD}{PLAIN}x,ü,tie\n", "votes.jsonl": f"\n\n{row}\n", "votes.json": f"[\n\n{row}]"}[name]
    with pytest.raises(BadInput, match=r"line 3: byte 0xFC.*is not UTF-8: save the file as UTF-8"):
        read_votes(write(tmp_path, text.encode("latin-1"), name))


@pytest.mark.parametrize(
    ("start", "message"),
    [((HEAD + PLAIN).encode("utf-16"), "is UTF-16"), ((HEAD + PLAIN).encode("utf-16-le"), "holds a NUL byte"),
     (b"PAR1\x15\x04", "is Parquet"), (b"PK\x03\x04", "spreadsheet"), (b"BZh91AY", "bzip2")],
)  # fmt: skip
def test_files_of_another_kind_are_recognised(tmp_path: Path, start: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_votes(write(tmp_path, start))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_byte_order_mark_and_line_ends_are_nothing_special(tmp_path: Path, end: str, start: str, last: bool) -> None:
    text = start + (HEAD + PLAIN + "x,y,left\n").replace("\n", end)
    path = write(tmp_path, text if last else text.removesuffix(end))
    assert read_votes(path).outcome.tolist() == [2, 0]
    with pytest.raises(BadInput, match="line 4"):
        read_votes(write(tmp_path, text + "x,y,lft"))


def test_blank_lines_and_blanks_around_names_are_nothing(tmp_path: Path) -> None:
    for quote in ("", '"'):
        path = write(tmp_path, f"\n{HEAD}"[1:] + f" x ,{quote}y{quote},tie\n\n\nx,y , left\n\n")
        data = read_votes(path)
        assert data.names == ("x", "y") and data.outcome.tolist() == [2, 0]


def test_names_may_hold_commas_quotes_line_ends_and_any_script(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + '"a, b","say ""hi""",tie\n"two\nlines",模型,left\n')
    assert read_votes(path).names == ("a, b", 'say "hi"', "two\nlines", "模型")


def test_packed_files_that_are_cut_or_damaged_are_named(tmp_path: Path) -> None:
    packed = gzip.compress((HEAD + "".join(f"m{k},y,tie\n" for k in range(3000))).encode())
    for content, message in (
        (packed[: len(packed) // 2], "the packed file is cut short"),
        (packed[:500] + b"\x55" * 100 + packed[600:], "the packed file is damaged"),
        (packed[:-8] + bytes(8), "the packed file is damaged"),
        (HEAD.encode(), r"ends in \.gz and is not gzip"),
    ):
        with pytest.raises(BadInput, match=message):
            read_votes(write(tmp_path, content, "votes.csv.gz"))


def test_what_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="is a directory"):
        read_votes(str(tmp_path))
    with pytest.raises(BadInput, match=r"missing\.csv: cannot be read: No such file"):
        read_votes(str(tmp_path / "missing.csv"))
    with pytest.raises(BadInput, match="is no name of a file"):
        read_votes("a\0b")

    def closed(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources.Path, "open", closed)
    with pytest.raises(BadInput, match="cannot be read: Permission denied"):
        read_votes(str(tmp_path / "votes.csv"))


@pytest.mark.parametrize(
    ("name", "start", "place"),
    [("votes.csv", HEAD + PLAIN, "line 3"), ("votes.jsonl", "\n\n", "line 3"),
     ("votes.json", '\n[{"model_a": "', "line 2, vote 1")],
)  # fmt: skip
def test_a_line_of_a_gigabyte_is_refused_without_being_held(tmp_path: Path, name: str, start: str, place: str) -> None:
    """Packed it is a megabyte; unpacked it must never stand in memory: 64 MB are a sixteenth of it."""
    path = tmp_path / f"{name}.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(start.encode())
        for _ in range(1 << 8):
            file.write(b"x" * BLOCK)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match=f"{place}: is longer than 16,777,216 bytes"):
            read_votes(str(path))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_quote_that_swallows_the_file_is_refused_without_holding_it(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + 'x,"y,tie\n' + "x,y,tie\n" * (MAX_LINE // 7))
    with pytest.raises(BadInput, match="line 2: is not CSV: a quote that opens in this row is never closed"):
        read_votes(path)


def test_a_million_competitors_by_mistake_are_refused_where_they_become_too_many(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,name\n" + "".join(f"id{k},id{k + 1},tie,x\n" for k in range(0, 1_000_000, 2))
    most = reading.MOST_NAMES
    with pytest.raises(BadInput, match=rf"line {most // 2 + 2}, column model_a: 'id{most}' is competitor number 2,001"):
        read_votes(write(tmp_path, text))


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize(
    ("header", "rows", "place"),
    [("id,voter", ["1,ann", "1,bob", "1,ann"], "the vote 1 by ann stands on line 2 and again on line 4"),
     ("id,judge", ["1,", "1,bob", " 1 ,"], "the vote 1 stands on line 2 and again on line 4"),
     ("question_id,_", ["q,1", "r,2", "q,3"], "the vote q stands on line 2 and again on line 4")],
)  # fmt: skip
def test_a_vote_that_stands_twice_is_refused_with_both_lines(
    tmp_path: Path, quote: str, header: str, rows: list[str], place: str
) -> None:
    text = f"model_a,model_b,winner,{header}\n" + "".join(f"x,y,{quote}tie{quote},{row}\n" for row in rows)
    with pytest.raises(DuplicateVote, match=place):
        read_votes(write(tmp_path, text))
    assert read_votes(write(tmp_path, text.rpartition("x,y")[0])).votes == 2


def test_in_a_json_list_duplicates_are_told_by_their_number(tmp_path: Path) -> None:
    row = '{"id": 7, "model_a": "x", "model_b": "y", "winner": "tie"}'
    with pytest.raises(DuplicateVote, match=r"the vote 7 stands on line 1 \(vote 1\) and again on line 1 \(vote 2\)"):
        read_votes(write(tmp_path, f"[{row},{row}]", "votes.json"))


def test_votes_without_id_among_others_are_counted_as_unchecked(tmp_path: Path) -> None:
    text = "id,model_a,model_b,winner\n,x,y,tie\n ,x,y,tie\n1,x,y,tie\n"
    assert read_table(write(tmp_path, text)).notes == ("2 votes carry no id and could not be checked for duplicates.",)


def test_a_pipe_is_read_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    child = os.posix_spawn(
        sys.executable, [sys.executable, "-c", f"open({str(path)!r}, 'w').write({HEAD + PLAIN + PLAIN!r})"], os.environ
    )
    try:
        assert read_votes(str(path)).votes == 2
    finally:
        os.waitpid(child, 0)
