"""Votes a day as an accessible chart, drawn on the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import ceil

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.leaderboards.charts import STEPS, _svg

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 190, 40, 40


def chart(days: Sequence[tuple[date, int]]) -> SafeString:
    """One bar a day; a label every seventh."""
    most = max((count for _day, count in days), default=0)
    step = next((step for step in STEPS if most / step <= 4), 10_000)
    top = max(ceil(most / step), 1) * step
    base, slot = HEIGHT - BOTTOM, (WIDTH - LEFT - 6) / max(len(days), 1)

    def y(votes: float) -> float:
        return round(base - votes / top * (base - 16), 1)

    body = "".join(
        f'<line class="g-line" x1="{LEFT}" x2="{WIDTH - 6}" y1="{y(at)}" y2="{y(at)}"/>'
        f'<text class="t-s" x="{LEFT - 8}" y="{y(at) + 4:g}" text-anchor="end">{at}</text>'
        for at in range(0, top + 1, step)
    )
    for place, (day, count) in enumerate(days):
        x = LEFT + place * slot
        if count:
            body += (
                f'<rect class="f-ink" x="{x + slot * 0.15:.1f}" y="{y(count)}" width="{slot * 0.7:.1f}" '
                f'height="{base - y(count):.1f}"/>'
            )
        if (len(days) - 1 - place) % 7 == 0:
            last = place == len(days) - 1  # a long name of a month must not run over the edge
            body += (
                f'<text class="t-s" x="{x + slot if last else x + slot / 2:.1f}" y="{base + 20}" '
                f'text-anchor="{"end" if last else "middle"}">{date_format(day, "MONTH_DAY_FORMAT")}</text>'
            )
    label = _("Votes a day over %(days)s days: %(votes)s in all, at most %(most)s a day") % {
        "days": len(days), "votes": sum(count for _day, count in days), "most": most,
    }  # fmt: skip
    return _svg(WIDTH, HEIGHT, label, body)
