"""Is a published board what the database says? Recomputes it and compares bytes, and where they differ, figures."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isclose
from typing import Any

import ratings
from arena.leaderboards.checked import as_published
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import Computed, Words, compute
from arena.leaderboards.reserving import Reasons, published_reasons
from arena.leaderboards.shares import cutoffs_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is the same board, and in one sentence how far, or what is not the same."""

    same: bool
    sentence: str


def verify(snapshot: Snapshot) -> Verdict:
    """Counts and fits again with the snapshot's own cut-offs, settings and seed.

    Organisation, licence and objective checks are no result of votes: they are taken as published, if CSV and JSON
    agree on them.
    """
    done = compute(
        snapshot.arena, cutoffs_of(snapshot), ratings.BoardOptions(**snapshot.settings), number=snapshot.number,
        published_at=snapshot.published_at, code_version=snapshot.code_version,
        words=_words(snapshot.board_json), recount=True, reasons=_reasons(snapshot.board_json),
    )  # fmt: skip
    name = f"Snapshot {snapshot.pk} (number {snapshot.number} of {snapshot.arena.slug})"
    if done.board.sha256 != snapshot.data_sha256:
        votes = round(done.board.votes)
        return Verdict(
            False,
            f"{name} does not match: its votes hash to {done.board.sha256[:16]}…, published was "
            f"{snapshot.data_sha256[:16]}…; {votes} votes are there, {snapshot.vote_count} were counted.",
        )
    exact = True
    plain_csv, plain_json = (done.plain.csv, done.plain.json) if done.plain else ("", "")
    for what, fresh, stored in (
        ("CSV", done.csv, snapshot.board_csv), ("JSON", done.json, snapshot.board_json),
        ("CSV of all votes", plain_csv, snapshot.plain_csv), ("JSON of all votes", plain_json, snapshot.plain_json),
    ):  # fmt: skip
        exact &= fresh == stored
        if not same_figures(fresh, stored):
            at = next(
                (i for i, (x, y) in enumerate(zip(fresh, stored, strict=False)) if x != y), min(len(fresh), len(stored))
            )
            return Verdict(
                False, f"{name} does not match: the {what} differs from character {at} on, with the same votes."
            )
    for what, fresh_value, stored_value in _beside(snapshot, done):
        exact &= fresh_value == stored_value
        if not alike(fresh_value, stored_value):
            return Verdict(False, f"{name} does not match: {what} differ from what the votes give.")
    if not exact:
        return Verdict(
            True,
            f"{name} matches: {snapshot.vote_count} votes, every figure the same to nine digits. Its last digits "
            "differ, as they do between processors and numerical libraries.",
        )
    return Verdict(True, f"{name} matches: {snapshot.vote_count} votes, the same bytes.")


NINE_DIGITS = 1e-9
"""More than the order of sums, which a processor's vector width decides, can change; less than is worth forging."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def same_figures(fresh: str, stored: str) -> bool:
    """Whether two texts are the same but for the last digits of their numbers."""
    if fresh == stored:
        return True
    if _NUMBER.split(fresh) != _NUMBER.split(stored):
        return False
    numbers = zip(_NUMBER.findall(fresh), _NUMBER.findall(stored), strict=True)
    return all(x == y or ("." in x + y and alike(float(x), float(y))) for x, y in numbers)


def alike(fresh: Any, stored: Any) -> bool:
    """Whether two values are the same but for the last digits of their numbers."""
    if isinstance(fresh, dict) and isinstance(stored, dict):
        return fresh.keys() == stored.keys() and all(alike(fresh[key], stored[key]) for key in fresh)
    if isinstance(fresh, list | tuple) and isinstance(stored, list | tuple):
        return len(fresh) == len(stored) and all(map(alike, fresh, stored))
    if isinstance(fresh, float) and isinstance(stored, float | int):
        return isclose(fresh, stored, rel_tol=NINE_DIGITS, abs_tol=NINE_DIGITS)
    return bool(fresh == stored)


AS_PUBLISHED = ("organization", "license", "cost_per_1k_answers")
"""What an operator may have corrected since: words, and prices. So are the objective checks."""


def _words(board_json: str) -> Words:
    try:
        rows = json.loads(board_json)["board"]
        return {row["model_name"]: {**{word: row[word] for word in AS_PUBLISHED}, **as_published(row)} for row in rows}
    except (ValueError, KeyError, TypeError):  # not as we wrote it: the comparison of bytes will say where
        return {}


def _reasons(board_json: str) -> Reasons | None:
    """Alarms are answered and competitors come back: which there were is taken as published, what follows is not."""
    try:
        return published_reasons(json.loads(board_json))
    except (ValueError, KeyError, TypeError, AttributeError):  # as above
        return None


def is_carried(snapshot: Snapshot) -> bool:
    """Whether the duties are those of an earlier snapshot of a large arena, which has them verified."""
    kept = snapshot.page.get("duties")
    if kept is None or kept["as_of"] == cutoffs_of(snapshot).as_json():
        return False
    earlier = Snapshot.objects.filter(arena=snapshot.arena, number__lt=snapshot.number)
    return any(page.get("duties") == kept for page in earlier.values_list("page", flat=True)[:1])


def _beside(snapshot: Snapshot, done: Computed) -> list[tuple[str, Any, Any]]:
    """What is shown or joined beside the published bytes: what it is, as it should be, as it is stored."""
    page = json.loads(json.dumps(done.whole_page))
    if is_carried(snapshot):
        page["duties"] = snapshot.page["duties"]
    if snapshot.page.keys() < page.keys():  # an earlier release kept less
        page = {key: page[key] for key in {*snapshot.page, "facts", "verdicts", "apart", "matrix"}}
    ids = {label: pk for pk, label in done.labels.items()}
    columns = ("status", "rating", "rating_lower", "rating_upper", "rank", "rank_lower", "rank_upper")
    rows = [
        (ids[row.model_name], place, round(row.vote_count), *(getattr(row, column) for column in columns))
        for place, row in enumerate(done.board.rows, 1)
    ]
    return [
        ("the totals", (round(done.board.votes), done.board.voters), (snapshot.vote_count, snapshot.voter_count)),
        ("the rows", rows, list(snapshot.rows.values_list("competitor_id", "position", "vote_count", *columns))),
        ("the page's sentence, verdicts and matrix", page, snapshot.page),
    ]
