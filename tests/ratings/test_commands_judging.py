"""`compare`, `agreement` and `influence` by the command line: sentences, JSON, and names for codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ratings.__main__ import main

HEAD = "model_a,model_b,winner,voter,prompt,cluster\n"


def write(folder: Path, text: str, name: str = "votes.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return str(folder / name)


def run(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> str:
    status = main(args)
    out, err = capfdbinary.readouterr()
    assert status == 0, err.decode()
    return out.decode()


def refused(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> str:
    assert main(args) == 2
    out, err = capfdbinary.readouterr()
    assert out == b"" and err.count(b"\n") == 1
    return err.decode()


@pytest.fixture
def votes(tmp_path: Path) -> str:
    """Ten voters on six prompts: x beats y in nine of ten, and y beats z always but for the first voter."""
    rows = [f"x,y,{'right' if v == 0 else 'left'},v{v},p{p},c{min(v, 1)}\n" for p in range(6) for v in range(10)]
    rows += [f"z,y,{'left' if v == 0 else 'right'},v{v},p{p},c{min(v, 1)}\n" for p in range(6) for v in range(10)]
    return write(tmp_path, HEAD + "".join(rows))


def test_compare_names_the_better_one(votes: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    body = json.loads(run(capfdbinary, "compare", votes, "y", "x", "--by", "vote", "--json"))
    assert set(body) == {"verdict", "better", "difference", "lower", "upper", "votes", "more_votes"}
    assert (body["verdict"], body["better"], body["votes"]) == ("better", "x", 120)
    assert body["lower"] < body["difference"] < body["upper"] < 0
    said = run(capfdbinary, "compare", votes, "x", "y", "--by", "vote")
    assert said.startswith("x is better than y. x minus y: +") and ", by vote, from 120 votes." in said


def test_compare_says_what_it_cannot_tell(votes: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(capfdbinary, "compare", votes, "x", "y", "--margin", "1e5").startswith(
        "x and y do not differ by more than"
    )
    assert run(capfdbinary, "compare", votes, "x", "y", "--min-votes", "61").startswith(
        "There are too few votes on x and y"
    )
    assert "'w' is none of the competitors: x, y, z" in refused(capfdbinary, "compare", votes, "x", "w")
    assert "'x' is compared with itself" in refused(capfdbinary, "compare", votes, "x", "x")


def test_compare_with_few_votes_tells_how_many_more(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write(tmp_path, "model_a,model_b,winner\n" + "x,y,left\n" * 9 + "x,y,right\n" * 6)
    said = run(capfdbinary, "compare", path, "x", "y")
    assert said.startswith("It cannot be told yet whether x or y is better. x minus y: +")
    assert "more votes would settle it." in said


def test_agreement_is_told_with_names(votes: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    body = json.loads(run(capfdbinary, "agreement", votes, "--json"))
    assert {"alpha", "kappa", "items", "voters"} <= set(body)
    assert (body["items"], body["voters"], body["unit"]) == (12, 10, "pair_prompt")
    assert {item["prompt"] for item in body["disputed"]} <= {f"p{p}" for p in range(6)}
    assert {voter["voter"] for voter in body["attention"]} == {f"v{v}" for v in range(10)}
    assert body["pairs"][0]["first"].startswith("v")
    said = run(capfdbinary, "agreement", votes)
    assert said.startswith(f"Krippendorff's alpha {body['alpha']:.4f} (")
    assert "12 items (pairs on a prompt) that at least two of 10 voters judged, 120 votes." in said


def test_votes_without_prompt_share_no_item(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = "model_a,model_b,winner,voter,prompt\nx,y,left,a,p\nx,y,left,b,p\nx,y,right,a,\nx,y,left,b,\n"
    assert json.loads(run(capfdbinary, "agreement", write(tmp_path, text), "--json"))["items"] == 1
    bare = write(tmp_path, text.replace(",p\n", ",\n"), "bare.csv")
    assert json.loads(run(capfdbinary, "agreement", bare, "--json"))["unit"] == "pair"


@pytest.mark.parametrize(
    ("text", "message"),
    [("model_a,model_b,winner\n", "There are no votes yet."), ("model_a,model_b,winner\nx,y,tie\n", "carry no voters"),
     ("model_a,model_b,winner,voter\nx,y,tie,a\n", "No item was judged by two voters.")],
)  # fmt: skip
def test_agreement_of_nothing_says_why(
    tmp_path: Path, text: str, message: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = write(tmp_path, text)
    assert message in run(capfdbinary, "agreement", path)
    assert json.loads(run(capfdbinary, "agreement", path, "--json"))["alpha"] is None


def test_influence_names_votes_voters_and_clusters(votes: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    body = json.loads(run(capfdbinary, "influence", votes, "--json"))
    assert (body["first"], body["second"], body["status"], body["confirmed"]) == ("x", "y", "ok", True)
    assert body["votes_to_flip"] == 49  # 54 wins and 6 losses: removing 49 of 54 leaves 5 against 6
    assert set(body["who"]) <= {f"v{v}" for v in range(10)} and len(body["who"]) == body["votes_by"]
    assert set(body["by_voter"]["who"]) == {f"v{v}" for v in range(1, 10)}
    assert body["by_cluster"]["who"] == ["c1"]
    said = run(capfdbinary, "influence", votes)
    assert said.startswith(f"49 of 120 votes by {body['votes_by']} voters, if removed, put y before x.\n")
    assert "whole voters" in said
    assert json.loads(run(capfdbinary, "influence", votes, "--top", "z, y", "--json"))["first"] == "y"


@pytest.mark.parametrize(
    ("top", "message"),
    [("x", "--top 'x' must read NAME,NAME"), ("x,y,z", "must read NAME,NAME"),
     ("x,w", "'w' is none of the competitors"), ("x,x", "'x' is compared with itself")],
)  # fmt: skip
def test_a_top_that_means_nothing_is_named(
    votes: str, top: str, message: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert message in refused(capfdbinary, "influence", votes, "--top", top)


def test_influence_of_nothing_says_why(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(capfdbinary, "influence", write(tmp_path, "model_a,model_b,winner\n")) == "There are no votes yet.\n"
    winless = write(tmp_path, "model_a,model_b,winner\nx,y,left\n", "winless.csv")
    assert run(capfdbinary, "influence", winless).startswith("No finite estimate exists")
