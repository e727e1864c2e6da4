"""What holds too little, or is broken: a defined result by every command, or one line that says where and what."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ratings import (
    NotStronglyConnected,
    cells,
    comparisons,
    fit_bradley_terry,
    fit_davidson,
    fit_firth,
    fit_style,
)
from ratings.__main__ import COMMANDS, main
from ratings.errors import MOST_SHOWN

HEAD = "model_a,model_b,winner,voter\n"
WEIGHTED = "model_a,model_b,winner,voter,weight\nx,y,tie,v,1\n"
LONG = "z" * 1_000_000
NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]
DEFINED = {
    "no votes": "x,y,tie,v,0\n", "one vote": "x,y,model_a,v,1\n", "one tie": "x,y,tie,v,1\n",
    "winless": "x,y,model_a,v,1\ny,x,model_a,w,1\nx,z,model_a,v,1\n",
    "unbeaten": "x,y,model_a,v,1\nx,z,model_a,w,1\ny,z,tie,v,1\n",
    "two components": "x,y,model_a,v,1\ny,x,model_a,w,1\np,q,tie,v,1\n",
}  # fmt: skip
"""Rows below a header with voter and weight."""
REFUSED = {
    "one competitor": (HEAD + "x,x,tie,v\n", "line 2, column model_b: 'x' is compared with itself"),
    "self-battle": (HEAD + "x,y,tie,v\nz,z ,tie,v\n", "line 3, column model_b: 'z' is compared with itself"),
    "long self-battle": (HEAD + f"{LONG},{LONG},tie,v\n", "zzz'… (1,000,000 chars) is compared with itself"),
    "unknown label": (
        HEAD + "x,y,the left,v\n",
        "line 2, column winner: 'the left' is not an outcome: use model_a, model_b, tie, both_bad, or "
        "translate it with --labels 'the left=…'",
    ),
    "label with comma": (HEAD + 'x,y,"a, b",v\n', "or translate it with --labels '\"a, b=…\"'"),
    "label of two lines": (HEAD + 'x,y,"a\nb",v\n', r"'a\nb' is not an outcome"),
    "long label": (HEAD + f"x,y,{LONG},v\n", "zzz'… (1,000,000 chars) is not an outcome"),
    "NaN weight": (WEIGHTED + "x,y,tie,v,nan\n", "line 3, column weight: 'nan' must be a number, zero or more and"),
    "infinite weight": (WEIGHTED + "x,y,tie,v,inf\n", "'inf' must be a number, zero or more and below 1e15"),
    "long weight": (WEIGHTED + f"x,y,tie,v,{LONG}\n", "zzz'… (1,000,000 chars) must be a number"),
    "duplicate": (
        "id," + HEAD + "1,x,y,tie,v\n2,x,y,tie,v\n1,x,y,tie,v\n",
        "line 4, column id: the vote 1 by v stands on line 2 and again on line 4",
    ),
    "long duplicate": (
        "id," + HEAD + f"{LONG[:900]},x,y,tie,v\n" * 2, "line 3, column id: the vote 'zzz"
    ),
    "a column twice": (f"{LONG},{LONG},model_a\n", "zzz'… (1,000,000 chars) stands twice"),
    "columns that say nothing": (f"{LONG},b\n", "zzz'… (1,000,000 chars), b. Name yours with --columns"),
    "Latin-1": ((HEAD + "modèle,y,tie,v\n").encode("latin-1"), "line 2: byte 0xE8 in 'modèle,y,tie,v' is not UTF-8"),
    "cut short": (gzip.compress((HEAD + "x,y,tie,v\n").encode())[:-9], "the packed file is cut short. Fetch"),
}  # fmt: skip


def call(name: str, path: Path) -> list[str]:
    return [name, str(path), *(["x", "y"] if name == "compare" else [])]


@pytest.mark.parametrize("case", DEFINED)
@pytest.mark.parametrize("name", NAMES)
def test_too_little_is_a_defined_result(
    tmp_path: Path, name: str, case: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(WEIGHTED.partition("\n")[0] + "\n" + DEFINED[case], encoding="utf-8")
    assert main(call(name, path)) == 0
    out, err = (text.decode() for text in capfdbinary.readouterr())
    assert out and "nan" not in out.lower() and "inf" not in out.replace("influence", "")
    assert all(line.startswith("note: ") for line in err.splitlines())
    nothing = "There are no votes yet.\n"
    assert (nothing in (out if name in ("agreement", "influence") else err)) == (
        case == "no votes" and name != "compare"
    )


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", ["board", "convert"])  # one reader serves all; convert reads again in its own way
def test_what_is_broken_is_refused_in_one_short_line(
    tmp_path: Path, name: str, case: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    content, message = REFUSED[case]
    path = tmp_path / ("votes.csv.gz" if case == "cut short" else "votes.csv")
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert main(call(name, path)) == 2
    out, err = (text.decode() for text in capfdbinary.readouterr())
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"{path}") and message in err, err
    assert len(err) < len(str(path)) + 4 * MOST_SHOWN + 200


@pytest.mark.parametrize("change", ["bom", "crlf", "cr"])
@pytest.mark.parametrize("name", NAMES)
def test_byte_order_marks_and_line_ends_change_no_byte(
    tmp_path: Path, name: str, change: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = HEAD + "x,y,model_a,v\ny,x,model_a,w\nx,y,tie,u\n"
    path, said = tmp_path / "votes.csv", []
    odd = {"bom": "\ufeff" + text, "crlf": text.replace("\n", "\r\n"), "cr": text.replace("\n", "\r")}[change]
    for content in (text, odd):
        path.write_bytes(content.encode())
        assert main(call(name, path)) == 0
        said.append(capfdbinary.readouterr())
    assert said[0] == said[1]


def test_every_fit_names_all_groups_that_it_cannot_rate_together() -> None:
    """By name where votes hold them, by position where counts do not."""
    style = [[0.5], [0.1], [-0.2]]
    data = comparisons("vwxyz", [0, 2, 3], [1, 3, 2], [0, 0, 0], covariates=style, covariate_names=["length"])
    table = cells(data)
    for fit, groups in (
        (lambda: fit_davidson(data), (("v",), ("w",), ("x", "y"), ("z",))),
        (lambda: fit_style(data), (("v",), ("w",), ("x", "y"), ("z",))),
        (lambda: fit_bradley_terry(table), (("0",), ("1",), ("2", "3"), ("4",))),
        (lambda: fit_firth(table), (("0", "1"), ("2", "3"), ("4",))),
    ):
        with pytest.raises(NotStronglyConnected) as error:
            fit()
        assert error.value.components == groups
