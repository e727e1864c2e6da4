"""The command line: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ratings.__main__ import COMMANDS, main
from ratings.board import VERSION

HEAD = "model_a,model_b,winner,voter,language\n"
VOTES = [
    f"m{a},m{b},{('left', 'right', 'tie', 'both_bad')[(a * b + k) % 4]},v{(a + k) % 5},{('en', 'de')[k % 2]}\n"
    for k in range(8) for a in range(4) for b in range(4) if a != b
]  # fmt: skip
NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]


@pytest.fixture
def votes(tmp_path: Path) -> str:
    return write(tmp_path, HEAD + "".join(VOTES))


def write(folder: Path, text: str, name: str = "votes.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return str(folder / name)


def run(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> str:
    """Output of a command that ends well."""
    status = main(args)
    out, err = capfdbinary.readouterr()
    assert status == 0, err.decode()
    return out.decode()


def refused(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> str:
    """What is said on standard error; nothing may stand on standard output."""
    assert main(args) == 2
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert err.count(b"\n") == 1, err.decode()
    return err.decode()


def as_process(*args: str, stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ratings", *args], input=stdin, capture_output=True, check=False, timeout=120,
        env={**os.environ, **environment},
    )  # fmt: skip


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_version_and_the_commands_are_told() -> None:
    done = as_process("--version", PYTHONIOENCODING="ascii")
    assert done.stdout.decode().strip() == f"ratings {VERSION}"
    done = as_process("--help", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr.decode()
    assert all(name in done.stdout.decode() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_tells_its_usage_in_plain_letters(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    said = capfd.readouterr().out
    assert stop.value.code == 0 and said.startswith(f"usage: python -m ratings {name} ") and said.isascii()


@pytest.mark.parametrize(
    "args",
    [["board"], ["bored", "x.csv"], ["board", "x.csv", "--level", "1"], ["board", "x.csv", "--level", "nan"],
     ["board", "x.csv", "--seed", "-1"], ["board", "x.csv", "--rounds", "many"], ["elo", "x.csv", "--k", "inf"],
     ["board", "x.csv", "--ties", "thirds"], ["board", "x.csv", "--side"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(args: list[str], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(args)
    assert stop.value.code == 2
    assert b"usage:" in capfdbinary.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [(["--columns", "who"], "--columns 'who' must read theirs=ours"),
     (["--columns", "who=voter"], "the file has no column 'who'; it has model_a, model_b, winner, voter, language"),
     (["--columns", "language=tongue"], "'tongue' means nothing here; use model_a, model_b"),
     (["--columns", "voter=id,language=id"], "both 'voter' and 'language' are called id"),
     (["--labels", "1=won"], "'won' is not an outcome; use model_a, model_b, tie, both_bad"),
     (["--category", "language"], "--category 'language' must read COL=VALUE"),
     (["--category", "language=fr"], "column language: 'fr' does not occur; use one of de (48), en (48)"),
     (["--category", "topic=fr"], "has no column 'topic' to choose by; it has model_a, model_b")],
)  # fmt: skip
def test_words_that_mean_nothing_are_named(
    votes: str, args: list[str], message: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in NAMES:
        extra = ["m1", "m2"] if name == "compare" else []
        assert message in refused(capfdbinary, name, votes, *extra, *args)


@pytest.mark.parametrize(
    ("args", "message"),
    [(["--anchor", "m1"], "--anchor 'm1' must read NAME=RATING"), (["--anchor", "m1=much"], "must read NAME=RATING"),
     (["--anchor", "m1=nan"], "must read NAME=RATING"), (["--anchor", "m9=1000"], "'m9' is none of the competitors"),
     (["--rounds", "1"], "1 rounds are too few"), (["--meta", "missing.csv"], "missing.csv: cannot be read"),
     (["--out", "missing/board.csv"], "board.csv: cannot be written: No such file"),
     (["--out", "."], "cannot be written")],
)  # fmt: skip
def test_a_board_that_cannot_be_made_says_why(
    votes: str, args: list[str], message: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = sorted(Path(votes).parent.iterdir())
    assert message in refused(capfdbinary, "board", votes, "--rounds", "20", *args)
    assert sorted(Path(votes).parent.iterdir()) == before


def test_a_bad_file_exits_with_2_in_one_line_and_leaves_no_file(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,tie\nx,y,who\n")
    out = str(tmp_path / "out.csv")
    said = refused(capfdbinary, "board", path, "--out", out)
    assert said.startswith(
        f"{path}, line 3, column winner: 'who' is not an outcome: use model_a, model_b, tie, both_bad"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["votes.csv"]


def test_out_writes_the_board_and_its_sidecar_or_nothing(
    votes: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    printed = run(capfdbinary, "board", votes, "--rounds", "20")
    as_json = run(capfdbinary, "board", votes, "--rounds", "20", "--json")
    out = tmp_path / "board.csv"
    assert run(capfdbinary, "board", votes, "--rounds", "20", "--out", str(out)) == ""
    assert out.read_bytes().decode() == printed
    assert Path(f"{out}.json").read_bytes().decode() == as_json
    both = run(capfdbinary, "board", votes, "--rounds", "20", "--out", str(out), "--json")
    assert both == as_json
    run(capfdbinary, "board", votes, "--rounds", "20", "--out", str(tmp_path / "alone.json"))
    assert (tmp_path / "alone.json").read_text() == as_json
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alone.json", "board.csv", "board.csv.json", "votes.csv"]


def test_a_sidecar_that_cannot_be_written_keeps_the_old_board(
    votes: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tmp_path / "board.csv"
    out.write_text("old")
    Path(f"{out}.json").mkdir()
    assert "board.csv.json: cannot be written" in refused(capfdbinary, "board", votes, "--out", str(out))
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["board.csv", "board.csv.json", "votes.csv"]


def test_written_files_have_the_usual_permissions(
    votes: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capfdbinary, "elo", votes, "--out", str(tmp_path / "elo.csv"))
    (tmp_path / "mine").touch()
    assert (tmp_path / "elo.csv").stat().st_mode == (tmp_path / "mine").stat().st_mode


def test_the_json_object_has_its_stated_keys(votes: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    body = json.loads(run(capfdbinary, "board", votes, "--rounds", "20", "--json"))
    assert {"board", "parameters", "method", "components", "data", "notes"} <= set(body)
    assert {"estimate", "lower", "upper"} == set(body["parameters"]["side_effect"])
    assert {"ties", "by", "interval", "rounds", "seed", "level", "prior", "anchor", "version"} <= set(body["method"])
    assert body["data"]["votes"] == 96 and body["data"]["voters"] == 5


@pytest.mark.parametrize("name", ["board", "matrix"])
def test_the_order_of_rows_changes_no_byte(
    tmp_path: Path, name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Votes without voters; voters are coded by their first vote, so their order is the file's."""
    head = "model_a,model_b,winner,language\n"
    rows = [",".join(row.split(",")[:3] + row.split(",")[4:]) for row in VOTES]
    first = run(capfdbinary, name, write(tmp_path, head + "".join(rows)))
    random.Random(3).shuffle(rows)
    assert run(capfdbinary, name, write(tmp_path, head + "".join(rows))) == first


def test_hash_seeds_and_threads_change_no_byte(votes: str) -> None:
    found = {
        as_process("board", votes, "--json", "--rounds", "50", PYTHONHASHSEED=seed, OPENBLAS_NUM_THREADS=threads).stdout
        for seed, threads in (("0", "1"), ("7", "2"))
    }
    assert len(found) == 1 and found != {b""}


def test_standard_input_is_read_whatever_its_form(votes: str, tmp_path: Path) -> None:
    text = Path(votes).read_bytes()
    expected = as_process("matrix", votes).stdout
    assert expected.startswith(b"model_a,model_b,wins_a,ties,both_bad,wins_b,votes,win_rate_a\r\n")
    assert as_process("matrix", "-", stdin=text).stdout == expected
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in table(text.decode()))
    assert as_process("matrix", "-", stdin=lines).stdout == expected
    with Path(votes).open("rb") as file:  # a file as standard input can be read twice, a pipe cannot
        done = subprocess.run(
            [sys.executable, "-m", "ratings", "matrix", "-"], stdin=file, capture_output=True, check=True
        )
    assert done.stdout == expected
    assert as_process("matrix", "-", stdin=b"x;y").stderr.startswith(b"-, line 1: the cells are separated by ';'")


def test_a_reader_who_leaves_early_is_no_error(votes: str) -> None:
    shell = f"{sys.executable} -m ratings matrix {votes} | true"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, check=False)
    assert done.stderr == b""


def test_nothing_is_said_on_the_way_without_a_terminal(votes: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["matrix", votes]) == 0
    assert capfdbinary.readouterr().err == b""


def test_a_terminal_sees_the_rows_go_by(
    votes: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["matrix", votes]) == 0
    assert "96 rows read" in capfdbinary.readouterr().err.decode()


def test_what_was_left_out_is_said(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write(tmp_path, "model_a,model_b,winner,anony\nx,y,tie,True\nx,y,tie,False\n")
    assert main(["board", path, "--json"]) == 0
    out, err = capfdbinary.readouterr()
    assert err == b"note: 1 rows with anony false are not rated.\n"
    assert "1 rows with anony false are not rated." in json.loads(out)["notes"]


def test_a_category_is_rated_as_if_it_stood_alone(
    votes: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    alone = write(tmp_path, HEAD + "".join(row for row in VOTES if row.endswith("de\n")), "german.csv")
    expected = table(run(capfdbinary, "board", alone, "--rounds", "20"))
    found = table(run(capfdbinary, "board", votes, "--rounds", "20", "--category", "language=de"))
    assert [row.pop("category") for row in found] == ["language=de"] * 4
    assert [{k: v for k, v in row.items() if k != "category"} for row in expected] == found
    body = json.loads(run(capfdbinary, "board", votes, "--rounds", "20", "--category", "language=de", "--json"))
    assert body["category"] == {"language": "de"}
    assert "language is de in 48 of 96 rows; only these are rated." in body["notes"]


def test_what_votes_cannot_know_is_joined_and_computed_columns_stay(
    votes: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    meta = write(
        tmp_path,
        "model_name,organization,license,rating,median_first_token_ms,cost_per_1k_answers\nm1,Org,MIT,7,250,0.5\nm2,,,,,\n",
        "meta.csv",
    )
    rows = {row["model_name"]: row for row in table(run(capfdbinary, "board", votes, "--rounds", "20", "--meta", meta))}
    assert [rows["m1"][k] for k in ("organization", "license", "median_first_token_ms", "cost_per_1k_answers")] == [
        "Org", "MIT", "250", "0.5",
    ]  # fmt: skip
    assert float(rows["m1"]["rating"]) > 500 and rows["m2"]["organization"] == ""
    twice = write(tmp_path, "model_name,license\nm1,MIT\nm1,MIT\n", "meta.csv")
    assert "line 3, column model_name: 'm1' stands twice" in refused(capfdbinary, "board", votes, "--meta", twice)
    nameless = write(tmp_path, "name,license\n", "meta.csv")
    assert "line 1: has no column model_name" in refused(capfdbinary, "board", votes, "--meta", nameless)


@pytest.mark.parametrize("name", ["board", "elo", "matrix"])
def test_no_cell_is_run_by_a_spreadsheet(tmp_path: Path, name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write(tmp_path, 'model_a,model_b,winner\n=1+1,@x,left\n"@x",-y,left\n+z,-y,right\n=1+1,+z,right\n')
    for row in table(run(capfdbinary, name, path)):
        assert not {row[column][0] for column in ("model_name", "model_a", "model_b") if column in row} & set("=+-@")


def test_a_matrix_read_again_is_the_same_matrix(
    votes: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    first = run(capfdbinary, "matrix", votes)
    assert run(capfdbinary, "matrix", write(tmp_path, first, "matrix.csv")) == first


def test_the_matrix_counts_each_pair_once_whatever_the_sides(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,left\ny,x,left\ny,x,tie\nz,y,both_bad\n")
    assert run(capfdbinary, "matrix", path).splitlines()[1:] == ["x,y,1,1,0,1,3,0.5", "y,z,0,0,1,0,1,0.5"]


def test_elo_takes_whole_votes_in_the_order_of_the_file(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, "model_a,model_b,winner,weight\nx,y,left,2\n")
    rows = table(run(capfdbinary, "elo", path, "--k", "32", "--init", "1500"))
    second = 1 / (1 + 10 ** (-32 / 400))
    assert float(rows[0]["rating"]) == pytest.approx(1500 + 16 + 32 * (1 - second))
    assert rows[0]["vote_count"] == "2"
    half = write(tmp_path, "model_a,model_b,winner,weight\nx,y,left,0.5\n", "half.csv")
    assert "online Elo takes whole votes" in refused(capfdbinary, "elo", half)
    many = write(tmp_path, "model_a,model_b,winner,weight\nx,y,left,1e12\n", "many.csv")
    assert "online Elo follows every vote" in refused(capfdbinary, "elo", many)
    assert len(table(run(capfdbinary, "elo", path, "--k", "1e9"))) == 2


@pytest.mark.parametrize(
    ("rows", "statuses"),
    [([], []), (["x,y,left"], ["provisional"] * 2), (["x,y,tie"], None),
     (["x,y,left", "y,z,left", "x,z,left"], ["provisional"] * 3),
     (["x,y,left", "x,y,right", "p,q,left", "p,q,right"], ["not_comparable"] * 4)],
)  # fmt: skip
def test_a_board_of_little_is_defined_and_flagged(
    tmp_path: Path, rows: list[str], statuses: list[str] | None, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, "model_a,model_b,winner\n" + "".join(f"{row}\n" for row in rows))
    body = json.loads(run(capfdbinary, "board", path, "--rounds", "50", "--json"))
    assert body["notes"]
    for row in body["board"]:
        if row["rating_lower"] is not None:
            assert row["rating_lower"] < row["rating"] < row["rating_upper"]
    if statuses is not None:
        assert [row["status"] for row in body["board"]] == statuses
    for name in ("elo", "matrix"):
        run(capfdbinary, name, path)


def test_without_prior_the_components_are_named(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,left\n")
    assert "strong components: x; y" in refused(capfdbinary, "board", path, "--no-prior")
    path = write(tmp_path, "model_a,model_b,winner\nx,y,left\np,q,tie\nv,w,right\n")
    assert "strong components: v; w; x; y)" in refused(capfdbinary, "board", path, "--no-prior")
    rows = "".join(f"i{k},j{k},left\n" for k in range(50))
    assert "; 90 more)" in refused(
        capfdbinary, "board", write(tmp_path, "model_a,model_b,winner\n" + rows), "--no-prior"
    )


def test_what_a_board_rests_on_is_said_beside_the_csv(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,left\np,q,tie\n")
    assert main(["board", path]) == 0
    out, err = (text.decode() for text in capfdbinary.readouterr())
    assert out.startswith("model_name,") and "note:" not in out
    for said in ("prior (Firth's bias reduction) stands in", "2 groups were never compared", "carry no voters"):
        assert err.count(said) == 1


def test_a_million_competitors_by_mistake_are_refused_or_cost_no_more_than_their_votes(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, "model_a,model_b,winner\n" + "".join(f"i{k},i{k + 1},tie\n" for k in range(0, 1_000_000, 2)))
    for name in NAMES:
        if name in ("elo", "matrix", "convert"):
            assert run(capfdbinary, name, path).count("\n") == (1_000_001 if name == "elo" else 500_001)
        else:
            extra = ["i1", "i2"] if name == "compare" else []
            said = refused(capfdbinary, name, path, *extra)
            assert "line 1002, column model_a: 'i2000' is competitor number 2,001, and at most 2,000 can be" in said


@pytest.mark.parametrize("k", ["0", "-1"])
def test_elo_refuses_a_k_that_turns_the_table_round(tmp_path: Path, k: str, capsys: pytest.CaptureFixture[str]) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("model_a,model_b,winner\nx,y,model_a\n")
    assert main(["elo", str(votes), "--k", k]) == 2
    assert "positive" in capsys.readouterr().err
