"""Charts as accessible SVG, drawn on the server; colours come from the page's style sheet through classes."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

WIDTH, ROW, PAD = 324, 46, 20
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
STANDALONE_STYLE = (
    "<style>svg{background:#fff}text{font:13px sans-serif;fill:#4d515a}.t-s{font-size:12px}.t-ink{fill:#191b20}"
    ".g-line{stroke:#dfdcd4}.g-axis{stroke:#85878c}.g-ink{stroke:#191b20;stroke-width:2}.g-dash{stroke:#4d515a;"
    "stroke-width:1.5;stroke-dasharray:4 4}.f-ink{fill:#191b20}.hollow{fill:#fff;stroke:#191b20;stroke-width:2}"
    ".g-soft{stroke:#85878c}.f-line{fill:#dfdcd4}.tone-a{fill:#1c50a8}.tone-b{fill:#8a5000}</style>"
)


@dataclass(frozen=True, slots=True)
class Axis:
    """One common scale of ratings for all rows."""

    low: float
    high: float
    step: float

    def x(self, value: float) -> float:
        return round(PAD + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * PAD), 1)

    def ticks(self) -> list[float]:
        return [self.low + self.step * n for n in range(round((self.high - self.low) / self.step) + 1)]


def axis_for(rows: Sequence[dict[str, Any]]) -> Axis:
    """Round ends around every interval, six to ten ticks."""
    values = [row[key] for row in rows for key in ("rating", "rating_lower", "rating_upper") if row[key] is not None]
    low, high = (min(values), max(values)) if values else (900.0, 1100.0)
    step = next((s for s in STEPS if (high - low) / s <= 8), 10_000)
    low, high = floor(low / step) * step, ceil(high / step) * step
    return Axis(low, high if high > low else low + step, step)


def _svg(width: float, height: float, label: str, body: str, *, kind: str = "chart") -> SafeString:
    return mark_safe(  # noqa: S308 - numbers are ours, names pass through escape
        f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def standalone(svg: str, *, note: str = "") -> str:
    """A chart as a file of its own, with its colours inside and a note below: nothing else goes with the file."""
    head, end, body = svg.partition(">")
    if note:
        height = float(head.split(' height="')[1].split('"')[0])
        head = head.replace(f' height="{height:g}"', f' height="{height + 24:g}"').replace(
            f' {height:g}"', f' {height + 24:g}"'
        )
        body = (
            body.removesuffix("</svg>") + f'<text class="t-ink" x="6" y="{height + 16:g}">{escape(note)}</text></svg>'
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{end}{STANDALONE_STYLE}{body}\n'


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def axis_head(axis: Axis) -> SafeString:
    """The axis in the table's head; a label on every other tick."""
    body = "".join(
        f'<line class="g-line" x1="{axis.x(t)}" x2="{axis.x(t)}" y1="38" y2="44"/>'
        + (f'<text class="t-s" x="{axis.x(t)}" y="32" text-anchor="middle">{_tick(t)}</text>' if n % 2 == 0 else "")
        for n, t in enumerate(axis.ticks())
    )
    return _svg(
        WIDTH, 44, _("Rating axis from %(low)s to %(high)s") % {"low": f"{axis.low:g}", "high": f"{axis.high:g}"}, body
    )


def whisker(row: dict[str, Any], axis: Axis) -> SafeString:
    """One row's dot and interval on the common axis; hollow and dashed where the row has a reservation."""
    grid = "".join(
        f'<line class="{"g-axis" if t == 1000 else "g-line"}" x1="{axis.x(t)}" x2="{axis.x(t)}" y1="0" y2="{ROW}"/>'
        for t in axis.ticks()
    )
    return _svg(WIDTH, ROW, interval_text(row), grid + _mark(row, axis, ROW / 2))


def interval_text(row: dict[str, Any]) -> str:
    """The interval in words."""
    if row["rating"] is None:
        return _("no rating")
    if row["rating_lower"] is None:
        return f"{row['rating']:.0f}"
    return _("%(rating)s, 95 %% interval %(low)s to %(high)s") % {
        "rating": f"{row['rating']:.0f}", "low": f"{row['rating_lower']:.0f}", "high": f"{row['rating_upper']:.0f}",
    }  # fmt: skip


def _mark(row: dict[str, Any], axis: Axis, y: float) -> str:
    if row["rating"] is None:
        return ""
    firm = row["status"] == "ranked"
    line = ""
    if row["rating_lower"] is not None:
        line = (
            f'<line class="{"g-ink" if firm else "g-dash"}" x1="{axis.x(row["rating_lower"])}" '
            f'x2="{axis.x(row["rating_upper"])}" y1="{y:g}" y2="{y:g}"/>'
        )
    return line + f'<circle class="{"f-ink" if firm else "hollow"}" cx="{axis.x(row["rating"])}" cy="{y:g}" r="5"/>'


@dataclass(frozen=True, slots=True)
class Run:
    """Rows from `first` to `last` (positions) of which no two can be told apart."""

    first: int
    last: int


def undecided_runs(names: Sequence[str], apart: Set[frozenset[str]]) -> list[Run]:
    """Longest runs of neighbouring rows that cannot be told apart from each other; overlap is not transitive."""
    runs: list[Run] = []
    for first in range(len(names)):
        last = first
        while last + 1 < len(names) and all(
            frozenset((names[last + 1], names[k])) not in apart for k in range(first, last + 1)
        ):
            last += 1
        if last > first and (not runs or last > runs[-1].last):
            runs.append(Run(first, last))
    return runs


def brackets(position: int, runs: Sequence[Run]) -> SafeString:
    """The brackets that pass through one row, up to four lanes."""
    body, said = "", []
    lanes: list[Run | None] = []
    for run in runs:  # a lane is free again after its run's end
        lane = next((n for n, other in enumerate(lanes) if other is None or other.last < run.first), len(lanes))
        lanes[lane : lane + 1] = [run]
        if lane > 3 or not run.first <= position <= run.last:
            continue
        x = 5 + 9 * lane
        top = ROW * 0.3 if position == run.first else 0
        bottom = ROW * 0.7 if position == run.last else ROW
        body += f'<line class="g-soft" x1="{x}" x2="{x}" y1="{top:g}" y2="{bottom:g}"/>'
        for y, here in ((top, position == run.first), (bottom, position == run.last)):
            body += f'<line class="g-soft" x1="{x}" x2="{x + 5}" y1="{y:g}" y2="{y:g}"/>' if here else ""
        said.append(_("%(first)s to %(last)s") % {"first": run.first + 1, "last": run.last + 1})
    if not said:
        return SafeString("")
    return _svg(42, ROW, _("not separated within rows %(runs)s") % {"runs": _(" and ").join(said)}, body)


def win_share(names: Sequence[str], matrix: Sequence[Sequence[Any]]) -> dict[tuple[str, str], tuple[float, int]]:
    """Share of votes that the row wins against the column, ties half, and the votes."""
    share = {}
    for first, second, wins, ties, both_bad, losses in matrix:
        total = wins + ties + both_bad + losses
        value = (wins + (ties + both_bad) / 2) / total
        share[first, second] = (value, total)
        share[second, first] = (1 - value, total)
    return {key: value for key, value in share.items() if key[0] in names and key[1] in names}


def win_matrix(names: Sequence[str], matrix: Sequence[Sequence[Any]]) -> SafeString:
    """Heat map of who beats whom: blue where the row wins, ochre where the column does; text states the share."""
    share, cell, left, top = win_share(names, matrix), 40, 190, 30
    body = ""
    for row, name in enumerate(names):
        y = top + row * cell
        short = name if len(name) <= 22 else f"{name[:21]}…"
        body += f'<text class="t-s" x="6" y="{y + 24}">{row + 1}</text>'
        body += f'<text class="t-ink" x="{left - 10}" y="{y + 24}" text-anchor="end">{escape(short)}</text>'
        body += f'<text class="t-s" x="{left + row * cell + cell / 2:g}" y="18" text-anchor="middle">{row + 1}</text>'
        for column, other in enumerate(names):
            body += _cell(share.get((name, other)), left + column * cell, y, cell, name == other)
    size = len(names) * cell
    label = _("Win matrix of %(count)s competitors; the table behind it can be downloaded as CSV") % {
        "count": len(names)
    }
    return _svg(left + size + 4, top + size + 4, label, body)


def _cell(value: tuple[float, int] | None, x: float, y: float, size: float, own: bool) -> str:
    box = f'x="{x + 1:g}" y="{y + 1:g}" width="{size - 2:g}" height="{size - 2:g}" rx="2"'
    if value is None:
        dash = "" if own else f'<text class="t-s" x="{x + size / 2:g}" y="{y + 24:g}" text-anchor="middle">–</text>'
        return f'<rect class="f-line" opacity="0.5" {box}/>{dash}'
    share, _votes = value
    tone, depth = ("tone-a", share - 0.5) if share >= 0.5 else ("tone-b", 0.5 - share)
    return (
        f'<rect class="{tone}" opacity="{min(0.5, depth):.2f}" {box}/>'
        f'<text class="t-ink cell-t" x="{x + size / 2:g}" y="{y + 24:g}" text-anchor="middle">{share * 100:.0f}</text>'
    )


def intervals(rows: Sequence[dict[str, Any]]) -> SafeString:
    """All intervals on one axis, for download."""
    axis, top, left = axis_for(rows), 34, 230
    height = top + 30 * len(rows)
    body = ""
    for n, tick in enumerate(axis.ticks()):
        x = left + axis.x(tick)
        body += f'<line class="g-line" x1="{x:g}" x2="{x:g}" y1="{top - 6}" y2="{height}"/>'
        body += f'<text class="t-s" x="{x:g}" y="20" text-anchor="middle">{_tick(tick)}</text>' if n % 2 == 0 else ""
    for n, row in enumerate(rows):
        y = top + 30 * n + 15
        body += (
            f'<text class="t-ink" x="{left - 8}" y="{y + 4}" text-anchor="end">{escape(row["model_name"][:32])}</text>'
        )
        body += f'<g transform="translate({left} 0)">{_mark(row, axis, y)}</g>'
    return _svg(left + WIDTH, height + 8, _("Ratings with 95 %% intervals") % {}, body)


def signed(points: float) -> str:
    """A number with its sign, a real minus."""
    return f"{points:+g}".replace("-", "−")


def difference(value: float, lower: float, upper: float) -> SafeString:
    """The difference of one pair with its interval; positive means A ahead. Empty where the interval has no ends."""
    if not all(abs(v) < 1e5 for v in (value, lower, upper)):
        return SafeString("")
    reach = max(abs(lower), abs(upper), 1.0)
    step = next((s for s in STEPS if reach / s <= 3), 10_000)
    top = ceil(reach / step) * step

    def x(points: float) -> float:
        return round(30 + (points + top) / (2 * top) * 400, 1)

    even, b_ahead, a_ahead = _("even"), _("B ahead"), _("A ahead")
    ticks = [-top + step * n for n in range(round(2 * top / step) + 1)]
    body = "".join(
        f'<line class="{"g-axis" if t == 0 else "g-line"}" x1="{x(t)}" x2="{x(t)}" y1="8" y2="54"/>'
        f'<text class="t-s" x="{x(t)}" y="72" text-anchor="middle">{signed(t) if t else even}</text>'
        for t in ticks
    )
    body += f'<line class="g-ink" x1="{x(lower)}" x2="{x(upper)}" y1="30" y2="30"/>'
    body += f'<circle class="f-ink" cx="{x(value)}" cy="30" r="5.5"/>'
    body += f'<text class="t-s" x="30" y="94">{b_ahead}</text>'
    body += f'<text class="t-s" x="430" y="94" text-anchor="end">{a_ahead}</text>'
    label = _("Difference: %(value)s points, 95 %% interval %(low)s to %(high)s; above zero A is ahead") % {
        "value": f"{value:+.0f}", "low": f"{lower:+.0f}", "high": f"{upper:+.0f}",
    }  # fmt: skip
    return _svg(460, 100, label, body)
