"""What the last snapshot says about one pair, for the reveal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.battles.words import Winner
from arena.leaderboards import charts
from arena.leaderboards.claims import BETTER, NO_DIFFERENCE, TOO_FEW, PairVerdict, between, opened
from arena.leaderboards.models import Snapshot, SnapshotRow
from arena.leaderboards.sentences import figure
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class Standing:
    """A heading, sentences, a line a competitor, and a small chart; empty where nothing is published."""

    heading: str = ""
    sentences: tuple[str, ...] = ()
    board: dict[int, str] = field(default_factory=dict)
    chart_svg: SafeString = field(default_factory=SafeString)


Side = tuple[int, str]
"""A competitor's id and label."""


def of_pair(arena: Arena, a: Side, b: Side, winner: Winner) -> Standing:
    """How the board sees the pair on sides a and b, and whether this vote agrees with it."""
    newest = Snapshot.objects.filter(arena=arena).values_list("pk", "published_at").first()
    if newest is None:
        return Standing(
            heading=_("Nothing is published yet"), sentences=(_("The first board appears after a few votes."),)
        )
    known = _opened(*newest)
    rows = {pk: known.rows[pk] for pk, _label in (a, b) if pk in known.rows}
    board = {pk: _line(row) for pk, row in rows.items()}
    pair = between(known.verdicts, a[1], b[1])
    if pair is None or pair.difference is None or len(rows) < 2:
        return Standing(_("The board cannot compare these two yet"), (), board)
    sentences = (_counts(known, a[1], b[1]), _verdict(pair))
    chart = SafeString("")
    if pair.lower is not None and pair.upper is not None:
        chart = charts.difference(pair.difference, pair.lower, pair.upper)
    heading = _("The board so far") if pair.verdict == TOO_FEW else _heading(winner, pair.difference)
    return Standing(heading, sentences, board, chart)


def later(sentence: str) -> Standing:
    """What the reveal says where this voter may not see the board yet."""
    return Standing(heading=_("The board is shown later"), sentences=(sentence,))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A snapshot as the reveal needs it, by competitor and by pair of labels."""

    rows: dict[int, SnapshotRow]
    verdicts: dict[tuple[str, str], PairVerdict]
    counts: dict[tuple[str, str], tuple[int, int, int]]


@lru_cache(maxsize=32)
def _opened(pk: int, published_at: datetime) -> _Opened:
    """A snapshot never changes, so that reading it once a process is enough; the time tells databases apart."""
    snapshot = Snapshot.objects.defer("board_json", "board_csv").get(pk=pk, published_at=published_at)
    return _Opened(
        rows={row.competitor_id: row for row in snapshot.rows.all()},
        verdicts=opened(snapshot.page.get("verdicts", [])),
        counts={
            (first, second): (wins, ties + both_bad, losses)
            for first, second, wins, ties, both_bad, losses in snapshot.page["matrix"]
        },
    )


def _line(row: SnapshotRow) -> str:
    if row.rating is None:
        return _("no votes on the board yet")
    half = (
        (row.rating_upper - row.rating_lower) / 2
        if row.rating_upper is not None and row.rating_lower is not None
        else None
    )
    rating = f"{row.rating:.0f}" + (f" ± {half:.0f}" if half is not None else "")
    votes = ngettext("%(count)s vote", "%(count)s votes", row.vote_count) % {"count": figure(row.vote_count)}
    if row.rank_lower is None or row.rank_upper is None:
        return f"{rating}, {votes}"
    rank = f"{row.rank_lower}–{row.rank_upper}" if row.rank_lower != row.rank_upper else str(row.rank_lower)
    return _("%(rating)s, rank %(rank)s, %(votes)s") % {"rating": rating, "rank": rank, "votes": votes}


def _heading(winner: Winner, difference: float) -> str:
    if winner in (Winner.TIE, Winner.BOTH_BAD):
        return _("The board so far")
    agrees = (difference > 0) == (winner == Winner.A)
    return _("You agree with the board so far") if agrees else _("The board so far says otherwise")


def _counts(known: _Opened, a: str, b: str) -> str:
    if (a, b) in known.counts:
        a_won, ties, b_won = known.counts[a, b]
    elif (b, a) in known.counts:
        b_won, ties, a_won = known.counts[b, a]
    else:
        return _("Nobody's vote on this very pair is on the board yet.")
    said = {"a": figure(a_won), "b": figure(b_won), "ties": figure(ties)}
    return _("Votes on this pair so far: %(a)s for A, %(b)s for B, %(ties)s for neither.") % said


def _verdict(pair: PairVerdict) -> str:
    """One sentence on what is settled about this pair, or on what is still undecided and would tell."""
    gap = figure(round(abs(pair.difference or 0)))
    if pair.verdict == BETTER:
        return _("Settled: %(side)s leads by %(gap)s points, more than chance would give.") % {
            "side": "A" if pair.better == pair.first else "B", "gap": gap,
        }  # fmt: skip
    if pair.verdict == NO_DIFFERENCE:
        return _("Settled: the two differ by less than matters, %(gap)s points.") % {"gap": gap}
    if pair.verdict == TOO_FEW:
        return _("There are too few votes on these two to say anything.")
    sentence = _("Still undecided: the difference of %(gap)s points could be chance.") % {"gap": gap}
    if pair.more_votes:
        more = ngettext(
            "About %(more)s more vote on these two would settle it.",
            "About %(more)s more votes on these two would settle it.",
            pair.more_votes,
        )
        sentence += " " + more % {"more": figure(pair.more_votes)}
    elif pair.needs_new_voters:
        sentence += " " + _("More people have to judge; more votes of the same people would not settle it.")
    return sentence
