"""What the last snapshot says about one pair, for the reveal."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.leaderboards import charts
from arena.leaderboards.models import Snapshot, SnapshotRow
from arena.leaderboards.reading import latest_snapshot
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class Standing:
    """A heading, sentences, a line a competitor, and a small chart; empty where nothing is published."""

    heading: str = ""
    sentences: tuple[str, ...] = ()
    board: dict[int, str] = field(default_factory=dict)
    chart_svg: SafeString = field(default_factory=SafeString)


def of_pair(arena: Arena, a_id: int, b_id: int, winner: Winner) -> Standing:
    """How the board sees the pair on sides a and b, and whether this vote agrees with it."""
    snapshot = latest_snapshot(arena)
    if snapshot is None:
        return Standing(
            heading=_("Nothing is published yet"), sentences=(_("The first board appears after a few votes."),)
        )
    rows = {r.competitor_id: r for r in SnapshotRow.objects.filter(snapshot=snapshot, competitor_id__in=(a_id, b_id))}
    board = {pk: _line(row) for pk, row in rows.items()}
    labels = {c.pk: c.label for c in Competitor.objects.filter(pk__in=(a_id, b_id))}
    pair = _pair(snapshot, labels[a_id], labels[b_id])
    if pair is None or len(rows) < 2:
        return Standing(_("The board cannot compare these two yet"), (), board)
    difference, lower, upper, more = pair
    heading = _heading(winner, difference)
    sentences = [
        s for s in (_counts(snapshot, labels[a_id], labels[b_id]), _verdict(difference, lower, upper, more)) if s
    ]
    return Standing(heading, tuple(sentences), board, charts.difference(difference, lower, upper))


def _line(row: SnapshotRow) -> str:
    if row.rating is None:
        return _("no votes on the board yet")
    half = (
        (row.rating_upper - row.rating_lower) / 2
        if row.rating_upper is not None and row.rating_lower is not None
        else None
    )
    rating = f"{row.rating:.0f}" + (f" ± {half:.0f}" if half is not None else "")
    if row.rank_lower is None or row.rank_upper is None:
        return _("%(rating)s, %(votes)s votes") % {"rating": rating, "votes": row.vote_count}
    rank = f"{row.rank_lower}–{row.rank_upper}" if row.rank_lower != row.rank_upper else str(row.rank_lower)
    return _("%(rating)s, rank %(rank)s, %(votes)s votes") % {"rating": rating, "rank": rank, "votes": row.vote_count}


def _pair(snapshot: Snapshot, a: str, b: str) -> tuple[float, float, float, int | None] | None:
    """Difference a minus b in points with its simultaneous bounds, and the votes that would settle it."""
    for pair in snapshot.page["pairs"]:
        if (pair["first"], pair["second"]) == (a, b):
            return pair["difference"], pair["lower"], pair["upper"], pair["more_votes"]
        if (pair["first"], pair["second"]) == (b, a):
            return -pair["difference"], -pair["upper"], -pair["lower"], pair["more_votes"]
    return None


def _heading(winner: Winner, difference: float) -> str:
    if winner in (Winner.TIE, Winner.BOTH_BAD):
        return _("The board so far")
    agrees = (difference > 0) == (winner == Winner.A)
    return _("You agree with the board so far") if agrees else _("The board so far says otherwise")


def _counts(snapshot: Snapshot, a: str, b: str) -> str:
    for first, second, wins, ties, both_bad, losses in snapshot.page["matrix"]:
        if {first, second} == {a, b}:
            a_won, b_won = (wins, losses) if first == a else (losses, wins)
            total = wins + ties + both_bad + losses
            return _("Of %(total)s votes on this pair, A won %(a)s, B won %(b)s and %(ties)s were ties.") % {
                "total": total, "a": a_won, "b": b_won, "ties": ties + both_bad,
            }  # fmt: skip
    return _("Nobody's vote on this very pair is on the board yet.")


def _verdict(difference: float, lower: float, upper: float, more: int | None) -> str:
    gap = f"{abs(difference):.0f}"
    if lower > 0 or upper < 0:
        return _("Settled: %(side)s leads by %(gap)s points, more than chance would give.") % {
            "side": "A" if difference > 0 else "B", "gap": gap,
        }  # fmt: skip
    sentence = _("Still undecided: the difference of %(gap)s points could be chance.") % {"gap": gap}
    if more:
        sentence += " " + _("About %(more)s more votes on these two would settle it.") % {"more": f"{more:,}"}
    return sentence
