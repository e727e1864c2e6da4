"""Import in the browser: upload or paste, name the columns, check, import; and nothing is stored that has a problem."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from arena.battles import assignment
from arena.competitors.models import Competitor
from arena.leaderboards.management.commands.run_worker import tick
from arena.prompts.decoding import LARGEST
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer, Upload
from arena.prompts.views import importing
from arena.teams.models import Arena, Membership, Role, Voter

pytestmark = pytest.mark.django_db
WIDE = "Question,Ada,Bea\nWhy?,So.,Hence.\nHow?,Thus.,\n"


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind=Arena.Kind.RECORDED, access=Arena.Access.PRIVATE)


def client_of(arena: Arena, role: str) -> Client:
    user = get_user_model().objects.create_user(f"{role}-{arena.slug}")
    voter = Voter.objects.create(user=user)
    Membership.objects.create(arena=arena, voter=voter, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def lead(arena: Arena) -> Client:
    return client_of(arena, Role.OPERATOR)


def send(client: Client, *contents: str | bytes, kind: str = "answers", name: str = "own.csv") -> Any:
    files = [SimpleUploadedFile(name, c.encode() if isinstance(c, str) else c) for c in contents]
    return client.post(f"/console/team/{kind}/import/", {"files": files}, follow=True)


def choose(client: Client, page: Any, action: str = "import", **more: Any) -> Any:
    """What the page offers, with changes, by its own form."""
    columns = page.context["columns"]
    data = {
        "action": action, "column": [c.name for c in columns], "meaning": [c.meaning for c in columns],
        "set": page.context["choice"].set_name, "mixed": "refuse", **more,
    }  # fmt: skip
    return client.post(page.request["PATH_INFO"], data, follow=True)


def nothing_stored() -> bool:
    return not (Prompt.objects.exists() or RecordedAnswer.objects.exists() or Competitor.objects.exists())


def test_a_wide_spreadsheet_is_enough_to_begin(arena: Arena, lead: Client) -> None:
    topics = [f"topic {number} of the sheet" for number in range(20)]
    sheet = io.StringIO()
    csv.writer(sheet).writerows(
        [["Prompt", "Ada", "Bea", "Cem"], *([f"Tell me about {t}.", f"A {t}", f"B {t}", f"C {t}"] for t in topics)]
    )
    page = send(lead, sheet.getvalue())
    assert [c.meaning for c in page.context["columns"]] == ["prompt", "answers", "answers", "answers"]
    assert page.context["report"].answers == 60
    assert nothing_stored()
    done = choose(lead, page)
    assert done.context["report"].competitors == ["Ada", "Bea", "Cem"]
    assert (Prompt.objects.count(), RecordedAnswer.objects.count(), Competitor.objects.count()) == (20, 60, 3)
    assert assignment.progress(arena, None) == assignment.Progress(0, 20)
    assert not bytes(Upload.objects.get().content)


def test_a_check_that_takes_long_says_how_long_the_import_will(
    arena: Arena, lead: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "the import takes about as long" not in send(lead, WIDE).content.decode()
    monkeypatch.setattr(importing, "SLOW", 0.0)
    said = send(lead, WIDE).content.decode()
    assert "The check of 2 rows took 1 seconds; the import takes about as long." in said
    assert "All rows are stored at once at the end, or none." in said
    assert "the import takes about as long" not in send(lead, "Question\nWhy?\n").content.decode(), "it has a problem"


def test_cells_pasted_from_a_spreadsheet_come_in(arena: Arena, lead: Client) -> None:
    pasted = 'Question\tAda\tBea\n"Why,\nthough?"\tSo.\tHence.\n'
    page = lead.post("/console/team/answers/import/", {"pasted": pasted}, follow=True)
    choose(lead, page, set="Mine")
    assert Prompt.objects.get().text == "Why,\nthough?"
    assert PromptSet.objects.get().name == "Mine"


def test_importing_the_same_again_changes_nothing_and_says_so(arena: Arena, lead: Client) -> None:
    choose(lead, send(lead, WIDE))
    done = choose(lead, send(lead, WIDE))
    assert (done.context["report"].answers, done.context["report"].unchanged) == (0, 3)
    assert done.context["report"].notes == ["Empty cells passed over: 1. Those models gave no answer there."]
    assert RecordedAnswer.objects.count() == 3


def test_a_second_click_imports_nothing_again(arena: Arena, lead: Client) -> None:
    page = send(lead, WIDE)
    choose(lead, page)
    again = choose(lead, page)
    assert again.context["report"].answers == 3
    assert RecordedAnswer.objects.count() == 3


def test_meanings_can_be_chosen_against_the_guess(arena: Arena, lead: Client) -> None:
    page = send(lead, "Ask,Note,Ada\nWhy?,short,So.\n")
    assert page.status_code == 200 and page.context["problems"]
    choose(lead, page, meaning=["prompt", "", "answers"])
    assert (Prompt.objects.get().text, RecordedAnswer.objects.get().text) == ("Why?", "So.")


def test_a_check_stores_nothing(arena: Arena, lead: Client) -> None:
    page = choose(lead, send(lead, WIDE), action="check")
    assert page.context["report"].prompts == 2
    assert nothing_stored()


def test_every_problem_is_listed_with_line_and_column_of_the_file(arena: Arena, lead: Client) -> None:
    page = send(lead, "Nr,Question,Ada,Bea\n1,Why?,So.,Hence.\n1,Why?,Again,Thus.\n2,,x,y\n3,Who?,z\n")
    found = {(problem.line, problem.column) for problem in page.context["problems"]}
    assert found == {(3, "Ada"), (3, "Bea"), (4, "Nr"), (5, "")}
    assert choose(lead, page).status_code == 400
    assert nothing_stored()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("own.csv", b"", "holds no rows"),
        ("own.csv", b"\xef\xbb\xbf", "holds no rows"),
        ("own.csv", b"Question,Ada\n", "holds no rows"),
        ("own.csv", b"Question,Ada,Ada\nWhy?,a,b\n", "is there twice"),
        ("own.csv", b'Question,Ada\n"Why?,a\n', "is no CSV"),
        ("own.csv", b"Question,Ada\nWhy?,\x81\x8d\n", "is not UTF-8"),
        ("own.xlsx", b"PK\x03\x04rest", "is a spreadsheet or an archive, not text"),
        ("own.json", b"[" * 50_000, "is no JSON"),
        ("own.json", b'[{"prompt": "Why?", "Ada": "So."}, 7]', "is not an object"),
        ("own.jsonl", b'{"prompt": "Why?"\n', "is no JSON"),
        ("own.csv", b"Ada,Bea\nx,y\n", "which column holds the prompts?"),
        ("own.csv", b"model,response\nAda,So.\n", "which column holds the prompts?"),
        ("own.csv", b"prompt,response\nWhy?,So.\n", "which column names the model?"),
        ("own.csv", b"prompt,Ada\nWhy?,\x00\n", "holds characters no database keeps"),
    ],
)
def test_bad_input_gets_a_sentence_and_stores_nothing(
    arena: Arena, lead: Client, name: str, content: bytes, says: str
) -> None:
    page = send(lead, content, name=name)
    assert any(says in problem.says for problem in page.context["problems"]), page.context["problems"]
    lead.post(page.request["PATH_INFO"], {"action": "import"})
    assert nothing_stored()


def test_nothing_chosen_is_said(arena: Arena, lead: Client) -> None:
    page = lead.post("/console/team/answers/import/", {"pasted": " "})
    assert page.status_code == 400
    assert "holds no file" in page.content.decode()
    assert not Upload.objects.exists()


def test_fifty_megabytes_are_refused_with_the_size(arena: Arena, lead: Client) -> None:
    page = send(lead, b"Question,Ada\n" + b"x" * 50_000_000)
    assert page.status_code == 400
    assert "has 50.0 MB. Send at most 20 MB at once" in page.content.decode()
    assert LARGEST == 20_000_000
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("content", "warns"),
    [
        ("Question;Ada\r\nCafé?;Ja – schön.\r\n".encode(), False),
        ("Question;Ada\r\nCafé?;Ja – schön.\r\n".encode("utf-8-sig"), False),
        ("Question\tAda\nCafé?\tJa – schön.\n".encode("utf-16"), False),
        ("Question;Ada\nCafé?;Ja – schön.\n".encode("windows-1252"), True),
    ],
)
def test_encodings_and_signs_between_columns_are_recognised(
    arena: Arena, lead: Client, content: bytes, warns: bool
) -> None:
    page = send(lead, content)
    assert bool(page.context["reading_notes"]) == warns
    choose(lead, page)
    assert (Prompt.objects.get().text, RecordedAnswer.objects.get().text) == ("Café?", "Ja – schön.")


def test_mixed_conditions_are_refused_or_split_by_choice(arena: Arena, lead: Client) -> None:
    rows = [
        {"prompt": f"Why {number}?", "model": "Ada", "response": "So.", "settings": {"temperature": number % 2}}
        for number in range(4)
    ]
    page = send(lead, "".join(json.dumps(row) + "\n" for row in rows), name="own.jsonl")
    assert [(p.line, p.column) for p in page.context["problems"]] == [(2, "settings"), (4, "settings")]
    assert choose(lead, page).status_code == 400
    done = choose(lead, page, mixed="split")
    assert done.context["report"].competitors == ["Ada", "Ada v2"]
    counts = {row.label: row.recorded_answers.count() for row in Competitor.objects.all()}
    assert counts == {"Ada": 2, "Ada v2": 2}
    again = choose(lead, send(lead, "".join(json.dumps(row) + "\n" for row in rows), name="own.jsonl"), mixed="split")
    assert (again.context["report"].unchanged, again.context["report"].competitors) == (4, [])


def test_the_same_file_can_be_taken_as_prompts_alone(arena: Arena, lead: Client) -> None:
    page = send(lead, WIDE)
    page = lead.post(page.request["PATH_INFO"], {"kind": "prompts"})
    assert [c.meaning for c in page.context["columns"]] == ["prompt", "", ""]
    choose(lead, page)
    assert (Prompt.objects.count(), RecordedAnswer.objects.count()) == (2, 0)


def test_a_sealed_import_makes_a_sealed_set(arena: Arena, lead: Client) -> None:
    choose(lead, send(lead, WIDE), sealed="1")
    assert PromptSet.objects.get().is_sealed


def test_a_live_arena_takes_no_answers(arena: Arena, lead: Client) -> None:
    Arena.objects.update(kind=Arena.Kind.LIVE)
    page = send(lead, WIDE)
    assert "is a live arena" in page.content.decode()


@pytest.mark.parametrize("role", [Role.EXPERT, Role.VOTER, Role.AUDITOR])
def test_importing_is_for_those_who_configure(arena: Arena, role: str) -> None:
    client = client_of(arena, role)
    for address in ("answers/import/", "prompts/import/", "prompts/"):
        assert client.get(f"/console/team/{address}").status_code == 404
    assert client.post("/console/team/answers/import/", {"pasted": WIDE}).status_code == 404
    assert not Upload.objects.exists()


def test_an_upload_of_another_arena_is_not_found(arena: Arena, lead: Client) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind=Arena.Kind.RECORDED, access=Arena.Access.PRIVATE)
    page = client_of(other, Role.OWNER).post("/console/other/answers/import/", {"pasted": WIDE}, follow=True)
    upload = Upload.objects.get()
    assert page.status_code == 200
    assert lead.get(f"/console/team/prompts/import/{upload.public_id}/").status_code == 404


def test_published_answers_come_in_by_the_browsers_way(arena: Arena, lead: Client, validation_data: Path) -> None:
    folder = validation_data / "recorded_answers"
    prompts = (folder / "prompts.json").read_bytes()
    page = send(lead, prompts, kind="prompts", name="prompts.json")
    assert [c.meaning for c in page.context["columns"]] == ["id", "prompt"]
    assert choose(lead, page).context["report"].prompts == 250
    page = send(lead, *(path.read_bytes() for path in sorted(folder.glob("*.jsonl"))), name="answers.jsonl")
    report = choose(lead, page).context["report"]
    assert (report.answers, len(report.competitors)) == (1750, 7)
    assert set(RecordedAnswer.objects.values_list("conditions__sampling", flat=True).distinct()) == {"nucleus9"}


def test_published_prompts_of_two_turns_come_in_by_the_browsers_way(
    arena: Arena, lead: Client, validation_data: Path
) -> None:
    content = (validation_data / "prompts" / "mt_bench_questions.jsonl").read_bytes()
    page = send(lead, content, kind="prompts", name="mt_bench_questions.jsonl")
    report = choose(lead, page).context["report"]
    assert (report.prompts, report.notes) == (80, ["Not kept: the columns reference."])
    assert set(Prompt.objects.values_list("turn_count", flat=True)) == {2}
    assert Prompt.objects.values("category").distinct().count() == 8


def test_the_worker_deletes_what_nobody_finished_within_a_day(arena: Arena, lead: Client) -> None:
    send(lead, WIDE)
    tick(now=timezone.now())
    assert Upload.objects.exists()
    tick(now=timezone.now() + timedelta(days=1, seconds=1))
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "row",
    [
        '{"prompt": "Why?", "model": "Ada", "response": "So \\ud800."}',
        '{"prompt": "Why?", "model": "Ada", "response": "So.", "\\udfff": "1"}',
        '{"prompt": "Why?", "model": "Ada", "response": "So.", "\\u0000": "1"}',
        '{"prompt": "Why?", "model": "Ada", "response": "So.", "output_tokens": 1' + "0" * 400 + "}",
        '{"prompt": "Why?", "model": "Ada", "response": "So.", "generated_at": "0001-01-01T00:00:00+23:59"}',
        '{"prompt": "Why?", "model": "Ada", "response": "So.", "generated_at": "9999-12-31T23:59:59-23:59"}',
    ],
)
def test_what_no_database_keeps_is_refused_on_the_page_and_by_the_api(arena: Arena, lead: Client, row: str) -> None:
    page = send(lead, row, name="own.jsonl")
    assert page.status_code == 200 and page.context["problems"]
    sent = SimpleUploadedFile("own.jsonl", row.encode())
    assert lead.post("/api/v1/arenas/team/answers/", {"file": sent}).status_code == 400
    assert nothing_stored()
