"""Charts of one competitor: differences to each opponent on one axis, a rating over the snapshots, a share."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.leaderboards.charts import STEPS, _svg, axis_for, signed
from arena.leaderboards.claims import PairVerdict
from arena.leaderboards.profile import Point

WIDTH, ROW, PAD = 320, 44, 28
FAR = 1e5
"""Points beyond which an end is none: nothing finite is known there."""


def reach_of(pairs: Sequence[PairVerdict | None]) -> float:
    """Half of the axis that holds every finite difference and end, a round number."""
    ends = [abs(end) for pair in pairs if pair for end in (pair.difference, pair.lower, pair.upper) if end is not None]
    reach = max((end for end in ends if end < FAR), default=1.0)
    step = next((s for s in STEPS if reach / s <= 3), 10_000)
    return max(ceil(reach / step), 1) * step


def _x(points: float, reach: float) -> float:
    return round(WIDTH / 2 + max(-1.0, min(1.0, points / reach)) * (WIDTH / 2 - PAD), 1)


def difference_head(reach: float) -> SafeString:
    """The axis of `difference_row` in a table's head."""
    body = "".join(
        f'<text class="t-s" x="{_x(at, reach)}" y="18" text-anchor="middle">{signed(at) if at else _("even")}</text>'
        for at in (-reach, 0, reach)
    )
    label = _("Difference in points, from %(reach)s behind to %(reach)s ahead") % {"reach": f"{reach:g}"}
    return _svg(WIDTH, 24, label, body)


def difference_row(pair: PairVerdict | None, reach: float) -> SafeString:
    """One opponent's dot and interval; right of the middle the page's competitor is ahead."""
    if pair is None or pair.difference is None or abs(pair.difference) >= FAR:
        return SafeString("")
    body = "".join(
        f'<line class="{"g-line" if at else "g-axis"}" x1="{_x(at, reach)}" x2="{_x(at, reach)}" y1="0" y2="{ROW}"/>'
        for at in (-reach, -reach / 2, 0, reach / 2, reach)
    )
    label = _("%(points)s points") % {"points": signed(round(pair.difference))}
    if pair.lower is not None and pair.upper is not None:
        low, high = _x(pair.lower, reach), _x(pair.upper, reach)
        body += f'<line class="g-ink" x1="{low}" x2="{high}" y1="{ROW // 2}" y2="{ROW // 2}"/>'
        label = _("%(points)s points, interval %(low)s to %(high)s") % {
            "points": signed(round(pair.difference)), "low": signed(round(pair.lower)),
            "high": signed(round(pair.upper)),
        }  # fmt: skip
    body += f'<circle class="f-ink" cx="{_x(pair.difference, reach)}" cy="{ROW // 2}" r="5"/>'
    return _svg(WIDTH, ROW, label, body)


def share_bar(share: float, even: float, most: float) -> SafeString:
    """A share as a bar, with a mark where an even share would end; the figures stand beside it in the table."""
    scale = 150 / most if most > 0 else 0.0
    mark = round(even * scale, 1)
    return _svg(
        154, 16, _("%(share)s %%, even would be %(even)s %%") % {
            "share": f"{share * 100:.1f}", "even": f"{even * 100:.1f}",
        },
        f'<rect class="f-line" x="0" y="5" width="150" height="6" rx="3"/>'
        f'<rect class="f-soft" x="0" y="5" width="{share * scale:.1f}" height="6" rx="3"/>'
        f'<line class="g-ink" x1="{mark}" x2="{mark}" y1="1" y2="15"/>',
        kind="bar",
    )  # fmt: skip


def history(points: Sequence[Point]) -> SafeString:
    """A rating over the snapshots with the band of its intervals; empty where it never had a rating."""
    known = [point for point in points if point.rating is not None]
    if not known:
        return SafeString("")
    axis = axis_for([{"rating": p.rating, "rating_lower": p.lower, "rating_upper": p.upper} for p in known])
    width, height, left, top = 640, 240, 56, 12
    first, last = known[0].number, known[-1].number

    def x(number: int) -> float:
        return round(left + 8 + (number - first) / max(last - first, 1) * (width - left - 24), 1)

    def y(rating: float) -> float:
        return round(top + (axis.high - rating) / (axis.high - axis.low) * (height - top - 40), 1)

    body = "".join(
        f'<line class="g-line" x1="{left}" x2="{width - 8}" y1="{y(tick)}" y2="{y(tick)}"/>'
        f'<text class="t-s" x="{left - 8}" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>'
        for tick in axis.ticks()
    )
    banded = [(x(p.number), y(p.lower), y(p.upper)) for p in known if p.lower is not None and p.upper is not None]
    outline = [f"{at},{high}" for at, _low, high in banded] + [f"{at},{low}" for at, low, _high in reversed(banded)]
    body += f'<polygon class="f-line" points="{" ".join(outline)}"/>' if banded else ""
    line = " ".join(f"{x(p.number)},{y(p.rating)}" for p in known if p.rating is not None)
    body += f'<polyline class="g-ink" fill="none" points="{line}"/>'
    end = known[-1]
    body += f'<circle class="f-ink" cx="{x(end.number)}" cy="{y(end.rating or 0)}" r="4"/>'
    for point, anchor in ((known[0], "start"), (end, "end"))[: 1 if first == last else 2]:
        said = _("snapshot %(number)s, %(date)s") % {
            "number": point.number, "date": date_format(point.published_at, "DATE_FORMAT"),
        }  # fmt: skip
        body += (
            f'<text class="t-s" x="{x(point.number)}" y="{height - 8}" text-anchor="{anchor}">{said}</text>'
        )  # fmt: skip
    label = _("Rating over %(count)s snapshots, now %(rating)s; the table behind it can be downloaded as CSV") % {
        "count": len(known), "rating": f"{end.rating:.0f}",
    }  # fmt: skip
    return _svg(width, height, label, body)
