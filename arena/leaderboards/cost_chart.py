"""Ratings against what answers cost, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arena.leaderboards.charts import _svg, axis_for
from arena.leaderboards.costs import Offer
from arena.leaderboards.sentences import money


def rating_against_cost(offers: Sequence[Offer]) -> SafeString:
    """Ratings over what 1,000 answers cost, on a scale where each step doubles where costs differ much.

    Those that nobody beats at the price are filled and joined. Empty where fewer than two have a cost.
    """
    if len(offers) < 2:
        return SafeString("")
    axis = axis_for([{"rating": o.rating, "rating_lower": o.lower, "rating_upper": o.upper} for o in offers])
    width, height, left, top, right = 640, 300, 56, 12, 24
    lowest, highest = offers[0].cost, offers[-1].cost
    is_log = lowest > 0 and highest / lowest > 8
    low, high = (log(lowest), log(highest)) if is_log else (0.0, highest or 1.0)

    def x(cost: float) -> float:
        at = log(cost) if is_log else cost
        return round(left + 16 + (at - low) / ((high - low) or 1.0) * (width - left - right - 32), 1)

    def y(rating: float) -> float:
        return round(top + (axis.high - rating) / (axis.high - axis.low) * (height - top - 48), 1)

    body = "".join(
        f'<line class="g-line" x1="{left}" x2="{width - right}" y1="{y(tick)}" y2="{y(tick)}"/>'
        f'<text class="t-s" x="{left - 8}" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>'
        for tick in axis.ticks()
    )
    front = " ".join(f"{x(offer.cost)},{y(offer.rating)}" for offer in offers if offer.on_front)
    body += f'<polyline class="g-dash" fill="none" points="{front}"/>'
    for offer in offers:
        if offer.lower is not None and offer.upper is not None:
            at = x(offer.cost)
            body += f'<line class="g-soft" x1="{at}" x2="{at}" y1="{y(offer.lower)}" y2="{y(offer.upper)}"/>'
        dot = "f-ink" if offer.on_front else "hollow"
        body += f'<circle class="{dot}" cx="{x(offer.cost)}" cy="{y(offer.rating)}" r="5"/>'
        late = x(offer.cost) > width * 0.7
        body += (
            f'<text class="t-s t-ink" x="{x(offer.cost) + (-9 if late else 9)}" y="{y(offer.rating) - 7}" '
            f'text-anchor="{"end" if late else "start"}">{escape(_short(offer.name))}</text>'
        )
    for cost, anchor in ((lowest, "start"), (highest, "end")):
        body += f'<text class="t-s" x="{x(cost)}" y="{height - 24}" text-anchor="{anchor}">{money(cost)}</text>'
    said = _("cost of 1,000 answers, each step doubles") if is_log else _("cost of 1,000 answers")
    body += f'<text class="t-s" x="{width / 2:g}" y="{height - 6}" text-anchor="middle">{escape(said)}</text>'
    names = ", ".join(offer.name for offer in offers if offer.on_front)
    label = _("Rating against cost. At their price nobody beats: %(names)s. The table behind it can be downloaded.")
    return _svg(width, height, label % {"names": names}, body)


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:27] + "…"
