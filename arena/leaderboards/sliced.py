"""The board of a slice: from the votes of a snapshot and nothing later, made once and kept for a while."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy

import ratings
from arena.integrity.standing import counted
from arena.leaderboards import counting, publishing, styling
from arena.leaderboards.models import Snapshot
from arena.leaderboards.shares import cutoffs_of
from arena.leaderboards.slices import EVERY, Slice
from arena.leaderboards.verdicts import facts_of, verdicts_of
from arena.refusals import Refusal
from ratings.electorate import dealt, electorate

KEPT = 32
"""Boards that a process remembers."""
PATIENCE = 10.0
"""Seconds to wait for whoever is counting, before asking the visitor to come back."""


class Busy(Refusal):
    status = 503
    code = "busy"
    retry_after = 5
    sentence = gettext_lazy("Other parts of the board are being counted. Ask again in a few seconds.")


@dataclass(frozen=True, slots=True)
class Sliced:
    """A slice's board with its bytes, as a snapshot has them for the whole."""

    csv: str
    json: str
    page: dict[str, Any]


Key = tuple[int, str, Slice]
_boards: OrderedDict[Key, Sliced] = OrderedDict()
_keeping, _counting = Lock(), Lock()
"""Held for a look at what is kept, and for as long as a board is made."""


def board_of(snapshot: Snapshot, part: Slice) -> Sliced:
    """The slice's board as of this snapshot.

    One is made at a time in each process, and the last `KEPT` are kept, so that a visitor with many addresses costs one
    core at most: a plain one costs a scan of the arena's votes, a styled one a row a vote besides.

    Raises
    ------
    Busy
        Others have been counting for `PATIENCE` seconds.
    """
    key = (snapshot.pk, snapshot.data_sha256, part)  # the hash tells databases apart
    if found := _known(key):
        return found
    if not _counting.acquire(timeout=PATIENCE):
        raise Busy
    try:
        return _known(key) or _remembered(key, compute(snapshot, part))
    finally:
        _counting.release()


def _known(key: Key) -> Sliced | None:
    with _keeping:
        if key in _boards:
            _boards.move_to_end(key)
        return _boards.get(key)


def _remembered(key: Key, made: Sliced) -> Sliced:
    with _keeping:
        _boards[key] = made
        while len(_boards) > KEPT:
            _boards.popitem(last=False)
    return made


def forget() -> None:
    """Forget every board that is kept."""
    with _keeping:
        _boards.clear()


def compute(snapshot: Snapshot, part: Slice) -> Sliced:
    """The board of these votes alone: own competitors, own connectivity, own statuses and verdicts.

    Seeded by the snapshot's number. Where style is held equal the plain board beside it counts the same votes.
    """
    votes = part.of(counting.rated(snapshot.arena, snapshot.cutoff_vote_id))
    if part.votes != EVERY:
        votes = counted(votes, snapshot.arena, through=snapshot.cutoff_exclusion_id)
    labels = counting.competitors_in(votes)
    options = replace(publishing.OPTIONS, seed=snapshot.number, **_pinned(snapshot, labels))
    if not part.style:
        data = counting.count(votes, labels)
        plain = board = ratings.make_board(dealt(data), options, voted=electorate(data))
        return _finished(snapshot, part, dealt(data), board, plain, {})
    styled = styling.load(votes, labels, part.style)
    who, data = electorate(styled.data), dealt(styled.data)
    plain = board = ratings.make_board(data, options, voted=who)
    told, side = styling.tellable(data, part.style)
    if told:
        board = ratings.make_board(data, replace(options, style=told, side_effect=side), voted=who)
    more = {
        "votes_without_counts": styled.uncounted, "older_votes_left_out": styled.older,
        "styles_that_cannot_be_told": [name for name in part.style if name not in told],
        "worth_of_twice_as_much": styling.effects(board, data),
    }  # fmt: skip
    return _finished(snapshot, part, data, board, plain, more)


def _pinned(snapshot: Snapshot, labels: dict[int, str]) -> dict[str, Any]:
    """As the whole board was anchored; by the mean where the anchor has no vote in this part."""
    anchor, rating = snapshot.settings.get("anchor"), snapshot.settings.get("anchor_rating")
    if rating is None or (anchor is not None and anchor not in labels.values()):
        return {}
    return {"anchor": anchor, "anchor_rating": rating}


def _finished(
    snapshot: Snapshot, part: Slice, data: ratings.Comparisons, board: ratings.Board, plain: ratings.Board,
    more: dict[str, Any],
) -> Sliced:  # fmt: skip
    meta = _meta(snapshot, part, plain)
    about = {
        "arena": snapshot.arena.slug, "snapshot": snapshot.number, "published_at": snapshot.published_at.isoformat(),
        "cutoff": cutoffs_of(snapshot).as_json(),
        "code_version": settings.CODE_VERSION, "is_simulated": snapshot.arena.is_simulated,
    }  # fmt: skip
    verdicts = [] if part.style else verdicts_of(data)
    page = {
        "facts": _controlled_facts(board) if part.style else facts_of(data, board.voters, verdicts),
        "verdicts": verdicts,
        "apart": [[pair.first, pair.second] for pair in board.pairs if pair.separated],
        "matrix": publishing.matrix_of(data),
    }
    said = {**part.as_json(), **more}
    text = ratings.board_json(board, meta, slice=said, snapshot=about)
    return Sliced(ratings.board_csv(board, meta), text, page)


def _meta(snapshot: Snapshot, part: Slice, plain: ratings.Board) -> dict[str, dict[str, Any]]:
    """The words that the snapshot was published with. What it says of speed and errors is not the slice's: blank."""
    published = {row["model_name"]: row for row in json.loads(snapshot.board_json)["board"]}
    return {
        row.model_name: {
            "organization": published.get(row.model_name, {}).get("organization"),
            "license": published.get(row.model_name, {}).get("license"),
            "leaderboard_publish_date": snapshot.published_at.date().isoformat(),
            "category": part.category or "all",
            "rating_plain": row.rating,
        }
        for row in plain.rows
    }


def _controlled_facts(board: ratings.Board) -> dict[str, Any]:
    """Who leads where style is held equal, by the board's simultaneous intervals.

    Verdicts that hold however often one looks know no covariates, so that none is claimed here.
    """
    leader = next((row.model_name for row in board.rows if row.rank is not None), None)
    rest = [(pair.second, pair.separated) for pair in board.pairs if pair.first == leader]
    return {
        "votes": round(board.votes),
        "voters": board.voters,
        "groups": len(board.components),
        "leader": leader,
        "level": [],
        "undecided": [name for name, apart in rest if not apart],
        "behind": [name for name, apart in rest if apart],
        "styles": list(board.style),
    }
