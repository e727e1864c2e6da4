"""Fit and publish: all rows or none. The only writer of snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Min

import ratings
from arena.battles.models import Vote
from arena.battles.settled import TABLES, frozen_tables
from arena.competitors.models import Competitor
from arena.integrity import standing
from arena.integrity.models import Exclusion
from arena.integrity.standing import Withheld
from arena.leaderboards import counting, duties, tallying
from arena.leaderboards.board_settings import pinned
from arena.leaderboards.checked import checked_since, load_checks
from arena.leaderboards.models import Snapshot, SnapshotRow
from arena.leaderboards.reserving import Reasons, reasons_of
from arena.leaderboards.sampling import geometry_of
from arena.leaderboards.slices import EVERY, Slice
from arena.leaderboards.verdicts import facts_of, verdicts_of
from arena.teams.models import Arena
from ratings.electorate import Electorate, dealt, electorate

OPTIONS = ratings.BoardOptions(side_effect=True)
"""The published fit: ties as half wins, by voter where there are two, the side effect in the fit, and the mean at 1000
unless the arena pins something else."""


Cast = tuple[ratings.Comparisons, Electorate]
"""Counts by group of voters, and who voted."""
Words = Mapping[str, Mapping[str, Any]]
"""By label what votes do not tell, as a snapshot was published with it: words, prices, objective checks."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A board with the bytes that are published, not yet stored."""

    board: ratings.Board
    labels: dict[int, str]
    csv: str
    json: str
    page: dict[str, Any]
    plain: Computed | None = None
    """The same of every vote, where some do not count."""

    @property
    def whole_page(self) -> dict[str, Any]:
        """What a snapshot keeps for its pages, of the plain board too."""
        if self.plain is None:
            return self.page
        shown = ("facts", "verdicts", "apart", "matrix")
        return {**self.page, "plain": {name: self.plain.page[name] for name in shown}}


def compute(
    arena: Arena, limits: counting.Cutoffs, options: ratings.BoardOptions, *, number: int, published_at: datetime,
    code_version: str, words: Words | None = None, recount: bool = False,
    earlier: Mapping[str, Any] | None = None, reasons: Reasons | None = None,
) -> Computed:  # fmt: skip
    """Everything that a snapshot shows, from the database and the arguments alone.

    `words` are those that a snapshot was published with: an operator may correct a competitor's since, and answers are
    checked anew. `recount` goes back to the votes themselves, which is slower and owes nothing to the counts that are
    kept of them. `earlier` are the duties of the snapshot before, which a large arena keeps for a while. `reasons` are
    what rows are held back for, none where an earlier release published.
    """
    labels = counting.entered(arena, limits)
    cast, counted, out = _counted(arena, limits, labels, recount=recount)
    service = counting.load_service(arena, limits, labels)
    beside = load_checks(arena, limits, labels) if words is None else words
    meta = _meta(labels, service, published_at, beside)
    about: dict[str, Any] = {
        "arena": arena.slug, "snapshot": number, "published_at": published_at.isoformat(), "cutoff": limits.as_json(),
        "code_version": code_version, "is_simulated": arena.is_simulated,
    }  # fmt: skip
    plain = None
    if out:
        about["set_aside"] = {"votes": out.votes, "voters": len(out.voters)}
        plain = _fitted(cast, options, labels, meta, about, part=Slice(votes=EVERY), reasons=reasons)
        meta = {
            row.model_name: {**meta[row.model_name], "rating_plain": row.rating} for row in plain.board.rows
        }  # fmt: skip
    done = _fitted(counted, options, labels, meta, about, reasons=reasons)
    done.page["exclusions"] = duties.exclusions_of(arena, limits, out, cast[0])
    done.page["duties"] = duties.duties_of(arena, limits, counted[0], earlier)
    return replace(done, plain=plain)


def _counted(
    arena: Arena, limits: counting.Cutoffs, labels: dict[int, str], *, recount: bool
) -> tuple[Cast, Cast, Withheld]:
    """Every vote, those that count, and what stands between them; the first two are one where nothing does."""
    votes = counting.rated(arena, limits.vote)
    if recount:
        data = counting.load_counts(arena, limits, labels)
        cast = dealt(data), electorate(data)
    else:
        data, who = tallying.load(arena, limits, labels)
        cast = dealt(data), who
    out = standing.withheld(arena, votes, through=limits.exclusion)
    if not out:
        return cast, cast, out
    places = counting.places_in(votes) if recount else tallying.places_of(arena, out.voters)
    return cast, tallying.without(*cast, out, labels, places), out


def _fitted(
    cast: Cast, options: ratings.BoardOptions, labels: dict[int, str], meta: Mapping[str, Mapping[str, Any]],
    about: dict[str, Any], *, part: Slice | None = None, reasons: Reasons | None = None,
) -> Computed:  # fmt: skip
    data, who = cast
    board = ratings.make_board(data, options, voted=who)
    verdicts = verdicts_of(data)
    page = {
        "facts": facts_of(data, board.voters, verdicts),
        "verdicts": verdicts,
        "apart": [[pair.first, pair.second] for pair in board.pairs if pair.separated],
        "matrix": matrix_of(data),
        "geometry": geometry_of(data, list(labels)),
    }
    said = {"slice": part.as_json()} if part else {}
    if reasons is not None:
        about = {
            **about,
            "standing": reasons.as_json((row.model_name, row.status, row.vote_count) for row in board.rows),
        }
    text = ratings.board_json(board, meta, **said, snapshot=about)
    return Computed(board, labels, ratings.board_csv(board, meta), text, page)


def publish_snapshot(arena: Arena, *, now: datetime, seed: int | None = None) -> Snapshot:
    """Counts, fits and stores a board. Of two publishers at one moment one publishes; the other gets that snapshot.

    The seed of the ranks' draws is the snapshot's number unless one is given.
    """
    with frozen_tables(*TABLES, Exclusion):
        limits = counting.cutoffs()
    last = Snapshot.objects.filter(arena=arena).values_list("number", "page").first()
    number, earlier = (last[0] + 1, last[1].get("duties")) if last else (1, None)
    labels = counting.entered(arena, limits)
    options = replace(OPTIONS, seed=number if seed is None else seed, **pinned(arena, labels))
    published_at = now.replace(microsecond=0)
    done = compute(
        arena, limits, options, number=number, published_at=published_at, code_version=settings.CODE_VERSION,
        earlier=earlier, reasons=reasons_of(arena, labels, at=published_at),
    )  # fmt: skip
    try:
        with transaction.atomic():
            return _store(arena, number, published_at, limits, options, done)
    except IntegrityError:
        return Snapshot.objects.get(arena=arena, number=number)


def publish_if_due(arena: Arena, *, now: datetime) -> Snapshot | None:
    """Publishes when enough new votes came, or any vote, decision or finding of the checks has waited long enough;
    nothing new, nothing."""
    columns = ("cutoff_vote_id", "cutoff_exclusion_id", "published_at")
    last = Snapshot.objects.filter(arena=arena).only(*columns).first()
    new = Vote.objects.filter(battle__arena=arena, id__gt=last.cutoff_vote_id if last else 0)
    decided = Exclusion.objects.filter(arena=arena, id__gt=(last.cutoff_exclusion_id or 0) if last else 0)
    since = [rows.aggregate(first=Min("created_at"))["first"] for rows in (new, decided)]
    if last:  # published at a whole second, and what was found within it is in
        found = checked_since(arena, last.published_at + timedelta(seconds=1))
        since.append(found.aggregate(first=Min("checked_at"))["first"])
    oldest = min((moment for moment in since if moment is not None), default=None)
    if oldest is None:
        return None
    waited = now - oldest >= timedelta(seconds=arena.publish_after_seconds)
    if waited or new[: arena.publish_after_votes].count() >= arena.publish_after_votes:
        return publish_snapshot(arena, now=now)
    return None


def _store(
    arena: Arena, number: int, published_at: datetime, limits: counting.Cutoffs, options: ratings.BoardOptions,
    done: Computed,
) -> Snapshot:  # fmt: skip
    snapshot = Snapshot.objects.create(
        arena=arena,
        number=number,
        published_at=published_at,
        cutoff_vote_id=limits.vote,
        cutoff_battle_id=limits.battle,
        cutoff_response_id=limits.response,
        cutoff_exclusion_id=limits.exclusion,
        vote_count=round(done.board.votes),
        voter_count=done.board.voters,
        data_sha256=done.board.sha256,
        seed=options.seed,
        settings=asdict(options),
        code_version=settings.CODE_VERSION,
        board_json=done.json,
        board_csv=done.csv,
        plain_json=done.plain.json if done.plain else "",
        plain_csv=done.plain.csv if done.plain else "",
        page=done.whole_page,
    )
    ids = {label: pk for pk, label in done.labels.items()}
    SnapshotRow.objects.bulk_create(
        SnapshotRow(
            snapshot=snapshot, competitor_id=ids[row.model_name], position=place, status=row.status,
            rating=row.rating, rating_lower=row.rating_lower, rating_upper=row.rating_upper, rank=row.rank,
            rank_lower=row.rank_lower, rank_upper=row.rank_upper, vote_count=round(row.vote_count),
        )
        for place, row in enumerate(done.board.rows, 1)
    )  # fmt: skip
    return snapshot


def _meta(
    labels: dict[int, str], service: dict[int, counting.Service], published_at: datetime, words: Words
) -> dict[str, Any]:
    about = Competitor.objects.in_bulk(list(labels))
    return {
        label: {
            "organization": about[pk].organization or None,
            "license": about[pk].license or None,
            "leaderboard_publish_date": published_at.date().isoformat(),
            **asdict(service[pk]),
            **words.get(label, {}),
        }
        for pk, label in labels.items()
    }


def matrix_of(data: ratings.Comparisons) -> list[list[Any]]:
    """Unordered pairs that met, as [first, second, wins of first, ties, both bad, wins of second]."""
    n = len(data.names)
    sums = np.bincount((data.a * n + data.b) * 4 + data.outcome, data.weight, minlength=4 * n * n).reshape(n, n, 4)
    a, b, tie, bad = (sums[..., int(outcome)] for outcome in ratings.Outcome)
    columns = np.stack([a + b.T, tie + tie.T, bad + bad.T, b + a.T], axis=-1)  # from either order of the sides
    found = [
        [
            *sorted((data.names[i], data.names[j])),
            *columns[(i, j) if data.names[i] < data.names[j] else (j, i)].tolist(),
        ]
        for i, j in zip(*np.nonzero(np.triu(columns.sum(axis=-1))), strict=True)
    ]
    return [[first, second, *map(round, counts)] for first, second, *counts in sorted(found)]
