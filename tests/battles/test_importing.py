"""Votes that were cast elsewhere: any public shape into battles already judged, whole, once, and told apart."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from math import exp
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from arena.battles.importing import import_votes
from arena.battles.importing_rows import OF_EXPORTED
from arena.battles.models import Battle, Response, Turn, Vote
from arena.battles.votes import store_imported_votes
from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.leaderboards import counting, publishing
from arena.leaderboards.exporting.files import write_votes
from arena.leaderboards.exporting.scope import scope_of
from arena.prompts.importing import import_prompts
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.rows import ImportRefused
from arena.teams.models import Arena, Voter
from ratings import BoardOptions
from ratings.scale import POINTS

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VOTES = "id,model_a,model_b,winner,judge,timestamp\n1,Ash,Birch,model_a,ann,1700000000\n2,Birch,Ash,tie,ann,\n"
Write = Callable[..., Path]


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="orchard", title="Orchard", kind="recorded")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str, name: str = "votes.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def talk(answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": answer}]


def test_a_vote_becomes_a_battle_already_judged(arena: Arena, write: Write) -> None:
    done = import_votes(write(VOTES), arena, now=NOW)
    assert (done.votes, done.new_voters, done.new_competitors) == (2, 1, ["Ash", "Birch"])
    first, second = Vote.objects.select_related("battle__competitor_a").order_by("pk")
    assert (first.winner, second.winner) == ("a", "tie")
    battle = first.battle
    assert (battle.competitor_a.name, battle.state, battle.policy, battle.is_imported) == (
        "Ash", "complete", "imported", True,
    )  # fmt: skip
    assert first.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC) and second.created_at == NOW
    assert Competitor.objects.get(name="Ash").is_sealed, "the votes speak of these settings"


def test_names_of_voters_are_nowhere(arena: Arena, write: Write) -> None:
    import_votes(write(VOTES.replace("ann", "ann@example.org")), arena, now=NOW)
    (voter,) = Voter.objects.all()
    assert voter.user_id is None and "ann" not in str(voter.__dict__)


def test_the_same_file_again_changes_nothing(arena: Arena, write: Write) -> None:
    path = write(VOTES)
    import_votes(path, arena, now=NOW)
    again = import_votes(path, arena, now=NOW)
    assert (again.votes, again.unchanged, again.new_voters, again.new_competitors) == (0, 2, 0, [])
    grown = import_votes(write(VOTES + "3,Ash,Birch,b,bob,\n"), arena, now=NOW)
    assert (grown.votes, grown.unchanged, grown.new_voters) == (1, 2, 1)
    assert Vote.objects.count() == Battle.objects.count() == 3


def test_another_source_is_another_vote(arena: Arena, write: Write) -> None:
    import_votes(write(VOTES), arena, now=NOW)
    done = import_votes(write(VOTES, "more.csv"), arena, now=NOW)
    assert (done.votes, done.new_voters) == (2, 1)
    same = import_votes(write(VOTES, "again.csv"), arena, now=NOW, source="votes")
    assert same.unchanged == 2


def test_rows_without_an_id_count_as_often_as_they_stand(arena: Arena, write: Write) -> None:
    path = write("left,right,winner\nAsh,Birch,left\nAsh,Birch,left\nAsh,Birch,tie\n")
    done = import_votes(path, arena, now=NOW)
    assert (done.votes, done.new_voters) == (3, 3)
    assert "3 votes carry no voter; each is taken for a voter of its own." in done.notes
    assert import_votes(path, arena, now=NOW).unchanged == 3


def test_a_row_that_stands_twice_is_passed_over_and_said(arena: Arena, write: Write) -> None:
    done = import_votes(write(VOTES + "1,Ash,Birch,model_a,ann,1700000000\n"), arena, now=NOW)
    assert done.votes == 2 and "1 votes stand in the file again and were passed over." in done.notes


def test_every_problem_is_told_at_once_and_nothing_is_written(arena: Arena, write: Write) -> None:
    rows = ["1,Ash,Ash,a,x,", "2,Ash,Birch,maybe,x,", "3,Ash,Birch,a,x,soon", "4,Ash,Birch,a,x,", "4,Ash,Birch,b,x,"]
    path = write("\n".join(["id,model_a,model_b,winner,judge,timestamp", *rows, f"5,Ash,{'B' * 81},a,x,", ""]))
    with pytest.raises(ImportRefused) as refused:
        import_votes(path, arena, now=NOW)
    said = str(refused.value)
    for part in (
        "votes.csv:2: 'Ash' is compared with itself", "votes.csv:3, column winner: 'maybe' is not an outcome",
        "votes.csv:4, column timestamp: 'soon' must be a time",
        "votes.csv:6, column winner: 'b': is the vote of line 5",
        f"votes.csv:7, column model_b: '{'B' * 59}…': has 81 characters",
    ):  # fmt: skip
        assert part in said, said
    assert not Competitor.objects.exists() and not Voter.objects.exists() and not Battle.objects.exists()


def test_a_vote_that_was_imported_otherwise_is_a_problem(arena: Arena, write: Write) -> None:
    import_votes(write(VOTES), arena, now=NOW)
    with pytest.raises(ImportRefused, match=r"was imported as a before\. A vote never changes"):
        import_votes(write(VOTES.replace("model_a,ann", "model_b,ann")), arena, now=NOW)
    assert Vote.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model_a,winner\nAsh,a\n", "has no column model_b"),
        ("model_a,model_b,winner\nAsh,Birch\n", "has 2 cells; the header has 3"),
        ("model_a,model_b,winner,weight\nAsh,Birch,a,1.5\n", "1.5.*is no number of votes"),
        ("model_a,model_b,winner\n" + "".join(f"m{k},n{k},a\n" for k in range(1001)), "has 2,002 competitors"),
    ],
)
def test_files_that_cannot_be_votes_are_refused(arena: Arena, write: Write, text: str, said: str) -> None:
    with pytest.raises(ImportRefused, match=said):
        import_votes(write(text), arena, now=NOW)
    assert not Battle.objects.exists()


def test_characters_that_no_database_keeps_are_refused(arena: Arena, write: Write) -> None:
    row = {"id": "1", "model_a": "Ash", "model_b": "Birch", "winner": "a",
           "conversation_a": talk("a\x00"), "conversation_b": talk("b")}  # fmt: skip
    with pytest.raises(ImportRefused, match=r"v\.jsonl:1: holds characters no database keeps"):
        import_votes(write(json.dumps(row), "v.jsonl"), arena, now=NOW)


def test_a_dry_run_says_what_would_come_and_writes_nothing(arena: Arena, write: Write) -> None:
    done = import_votes(write(VOTES), arena, now=NOW, dry_run=True)
    assert (done.votes, done.new_voters) == (2, 1)
    assert not Competitor.objects.exists() and not Vote.objects.exists() and not Voter.objects.exists()


def test_a_table_of_counts_becomes_as_many_votes(arena: Arena, write: Write) -> None:
    path = write("model_a,model_b,wins_a,wins_b,ties\nAsh,Birch,3,1,2\n")
    assert import_votes(path, arena, now=NOW).votes == 6
    assert sorted(Vote.objects.values_list("winner", flat=True)) == ["a", "a", "a", "b", "tie", "tie"]
    assert import_votes(path, arena, now=NOW).unchanged == 6


def test_conversations_come_along_turn_by_turn(arena: Arena, write: Write) -> None:
    row = {"question_id": "q", "model_a": "Ash", "model_b": "Birch", "winner": "tie (bothbad)", "judge": "j",
           "tstamp": 1700000000.0, "anony": True, "language": "English",
           "conversation_a": talk("A **1**") + talk("A 2"), "conversation_b": talk("B 1") + talk("B 2")}  # fmt: skip
    unrated = {**row, "question_id": "r", "anony": False}
    path = write("\n".join(map(json.dumps, [row, unrated])), "hundred.jsonl")
    done = import_votes(path, arena, now=NOW)
    assert done.votes == 1 and "1 rows with anony false are not rated." in done.notes
    assert Vote.objects.get().winner == "both_bad"
    assert list(Turn.objects.values_list("index", "prompt")) == [(1, "Hi"), (2, "Hi")]
    texts = Response.objects.order_by("turn__index", "side").values_list("side", "text", "style_bold")
    assert list(texts) == [("a", "A **1**", 1), ("b", "B 1", 0), ("a", "A 2", 0), ("b", "B 2", 0)]
    assert Battle.objects.get().prompt is None


def test_prompts_with_an_id_become_a_set_with_recorded_answers(arena: Arena, write: Write) -> None:
    """One answer a competitor and prompt; a second text of the same competitor stays with its vote."""
    base = {"model_a": "Ash", "model_b": "Birch", "winner": "a", "prompt_id": "p1", "category": "talk"}
    rows = [
        {**base, "id": "1", "conversation_a": talk("same"), "conversation_b": talk("b")},
        {**base, "id": "2", "conversation_a": talk("same"), "conversation_b": talk("another")},
    ]
    done = import_votes(write("\n".join(map(json.dumps, rows)), "mine.jsonl"), arena, now=NOW)
    assert (done.new_prompts, done.new_answers) == (1, 2)
    prompt = Prompt.objects.select_related("prompt_set").get()
    assert (prompt.prompt_set.name, prompt.text, prompt.category) == ("mine", "Hi", "talk")
    assert set(Battle.objects.values_list("prompt_id", flat=True)) == {prompt.pk}
    told = [(row.recorded_answer_id is not None, row.content) for row in
            Response.objects.select_related("recorded_answer").order_by("turn_id", "side")]  # fmt: skip
    assert told == [(True, "same"), (True, "b"), (True, "same"), (False, "another")]


def test_votes_on_prompts_that_are_there_find_them(arena: Arena, write: Write) -> None:
    import_prompts(write('{"id": "p1", "prompt": "Why?"}\n', "prompts.jsonl"), arena)
    import_votes(write("prompt_id,model_a,model_b,winner\np1,Ash,Birch,a\np2,Ash,Birch,a\n"), arena, now=NOW)
    assert list(Battle.objects.order_by("pk").values_list("prompt__key", flat=True)) == ["p1", None]
    assert PromptSet.objects.count() == 1


def test_open_webui_feedback_comes_in_and_likes_of_both_do_not(arena: Arena, write: Write) -> None:
    def liked(model: str, other: str, rating: int, chat: str) -> dict[str, object]:
        return {"id": f"{chat}{model}", "user_id": "u", "created_at": 1700000000,
                "data": {"rating": rating, "model_id": model, "sibling_model_ids": [other]},
                "meta": {"chat_id": chat, "message_index": 1}}  # fmt: skip

    feedback = [liked("x", "y", 1, "c1"), liked("x", "y", 1, "c2"), liked("y", "x", 1, "c2"), liked("y", "x", -1, "c3")]
    done = import_votes(write(json.dumps(feedback), "feedback.json"), arena, now=NOW)
    assert done.votes == 2 and any("two likes are not a vote" in note for note in done.notes)
    assert set(Vote.objects.values_list("winner", flat=True)) == {"a"}


def test_an_export_comes_back_as_the_same_board(arena: Arena, write: Write, tmp_path: Path) -> None:
    """Ours out and in again: the same ratings, for the votes kept their order, voters and pairs."""
    rows = [f"{k},{'Ash' if k % 3 else 'Birch'},Cedar,{('model_a', 'model_b', 'tie')[k % 3 - 1]},v{k % 4},\n"
            for k in range(40)]  # fmt: skip
    import_votes(write("id,model_a,model_b,winner,judge,timestamp\n" + "".join(rows)), arena, now=NOW)
    first = publishing.publish_snapshot(arena, now=NOW)
    write_votes(scope_of(arena, now=NOW), "jsonl", tmp_path / "out.jsonl")
    other = Arena.objects.create(slug="other", title="Other", kind="recorded")
    assert import_votes(tmp_path / "out.jsonl", other, now=NOW).votes == 40
    second = publishing.publish_snapshot(other, now=NOW)
    assert second.data_sha256 == first.data_sha256 and second.board_csv == first.board_csv


def test_a_simulated_arena_takes_no_votes_of_people(write: Write) -> None:
    arena = Arena.objects.create(slug="sample", title="Sample", kind="live", is_simulated=True)
    with pytest.raises(ImportRefused, match="its votes are simulated"):
        import_votes(write(VOTES), arena, now=NOW)


def test_votes_of_battles_served_here_cannot_be_stored_as_imported(arena: Arena, write: Write) -> None:
    import_votes(write(VOTES), arena, now=NOW)
    battle = Battle.objects.first()
    assert battle is not None
    battle.is_imported = False
    with pytest.raises(ValueError, match="was served here"):
        store_imported_votes([Vote(battle=battle, voter_id=battle.voter_id, winner="a", created_at=NOW)])


def test_our_words_and_the_exported_ones_are_the_same() -> None:
    assert set(OF_EXPORTED.values()) == set(Winner)


# the command


def test_the_command_translates_columns_and_labels(
    arena: Arena, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("first,second,who,better\nAsh,Birch,ann,1\nAsh,Birch,bob,0\n")
    words = ["--columns", "first=model_a,second=model_b,who=voter,better=winner", "--labels", "1=model_a,0=tie"]
    call_command("import_votes", str(path), "--arena", "orchard", *words, "--dry-run")
    call_command("import_votes", str(path), "--arena", "orchard", *words)
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("Would import 2 votes by 2 new voters") and out[1].startswith("Imported 2 votes by 2")
    assert list(Vote.objects.order_by("pk").values_list("winner", flat=True)) == ["a", "tie"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["missing.csv", "--arena", "orchard"], "cannot be read"),
        (["missing.csv", "--arena", "nowhere"], "There is no arena 'nowhere'"),
        (["{votes}", "--arena", "orchard", "--columns", "x"], "must read theirs=ours"),
        (["{votes}", "--arena", "orchard", "--texts", "{votes}"], "needs an id, a prompt in text"),
    ],
)
def test_the_command_refuses_in_sentences(arena: Arena, write: Write, args: list[str], said: str) -> None:
    votes = write(VOTES)
    with pytest.raises(CommandError, match=said) as refused:
        call_command("import_votes", *(arg.format(votes=votes) for arg in args))
    assert refused.value.returncode == 2


# a whole foreign arena


def test_llmfao_comes_in_whole_and_its_board_is_the_published_one(arena: Arena, validation_data: Path) -> None:
    """github dustalov/llmfao, and evalica's golden worths (Apache-2.0), to 1e-6."""
    folder = validation_data / "llmfao"
    done = import_votes(
        folder / "crowd-comparisons.csv", arena, now=NOW, source="llmfao", texts=folder / "pairs-crowd.jsonl.gz",
        models=folder / "models.jsonl",
    )  # fmt: skip
    assert (done.votes, done.new_voters, len(done.new_competitors), done.new_prompts) == (8931, 124, 59, 13)
    assert done.new_answers == RecordedAnswer.objects.count() > 600
    assert Competitor.objects.get(name="GPT 4").organization == "OpenAI"
    limits = counting.cutoffs()
    board = publishing.compute(arena, limits, BoardOptions(), number=1, published_at=NOW, code_version="test").board
    assert (board.votes, board.voters, len(board.rows)) == (8931, 124, 59)
    worth = {row.model_name: exp((row.rating or 0) / POINTS) for row in board.rows}
    with (folder / "golden.csv").open(encoding="utf-8", newline="") as file:
        golden = {
            row["item"]: float(row["score"]) for row in csv.DictReader(file) if row["algorithm"] == "bradley_terry"
        }
    assert golden["GPT 4"] == pytest.approx(0.0412178737, abs=1e-10)
    assert {name: value / sum(worth.values()) for name, value in worth.items()} == pytest.approx(golden, abs=1e-6)
