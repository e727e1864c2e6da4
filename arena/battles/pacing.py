"""When text is shown, so that time tells nothing about who writes it.

Raw streams name a model by its speed alone. Here both sides start together on a coarse clock, show the same number of
characters a tick, pause together and end together. A pure state machine: it is fed text and asked at fixed ticks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor

from arena.battles.words import Side

TICK = 0.1
"""Seconds between frames."""
START_GRID = 3.0
"""Seconds: text starts at a multiple of this after the prompt was sent, so that a start says almost nothing."""
RESUME_GRID = 1.0
"""Seconds: the same for the end of a pause."""
HOLD = 1.5
"""Seconds of text that each unfinished side must have in hand before both start or go on."""


@dataclass(frozen=True, slots=True)
class Release:
    """Text for both sides at one instant. `last` comes with the last text of the longer side."""

    a: str
    b: str
    last: bool = False


@dataclass(slots=True)
class _Hand:
    """Text that a side has written and not yet shown."""

    pieces: list[str] = field(default_factory=list)
    size: int = 0
    done: bool = False

    def take(self, wanted: int) -> str:
        """At most `wanted` characters from the front, in time linear in what is taken."""
        if self.size <= wanted:
            text, self.pieces, self.size = "".join(self.pieces), [], 0
            return text
        taken: list[str] = []
        left = wanted
        count = 0
        for piece in self.pieces:
            if len(piece) > left:
                break
            taken.append(piece)
            left -= len(piece)
            count += 1
        del self.pieces[:count]
        if left:
            taken.append(self.pieces[0][:left])
            self.pieces[0] = self.pieces[0][left:]
        self.size -= wanted
        return "".join(taken)


class Pacer:
    """Releases the text of both sides at `rate` characters a second each.

    `tick(k)` is called for k = 1, 2, …, at k · TICK seconds after the start; what it answers depends on the texts and
    on which sides are ready, and its instants lie on the clock's grid whatever the writers' speeds.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._hands = {side: _Hand() for side in Side}
        self._flowing = False
        self._flow_ticks = 0
        self.started = False
        self.paused_ticks = 0

    def feed(self, side: Side, text: str) -> None:
        hand = self._hands[side]
        if text:
            hand.pieces.append(text)
            hand.size += len(text)

    def finish(self, side: Side) -> None:
        self._hands[side].done = True

    def restart(self, side: Side) -> None:
        """Forgets a side's text; only before anything was shown."""
        self._hands[side] = _Hand()

    def tick(self, number: int) -> Release | None:
        """What to show now; None while waiting."""
        if not self._flowing and not self._may_start(number):
            self.paused_ticks += self.started
            return None
        self._flowing = self.started = True
        quota = floor((self._flow_ticks + 1) * self._rate * TICK) - floor(self._flow_ticks * self._rate * TICK)
        if not all(hand.done or hand.size >= quota for hand in self._hands.values()):
            self._flowing = False
            self.paused_ticks += 1
            return None
        self._flow_ticks += 1
        texts = {side: hand.take(quota) for side, hand in self._hands.items()}
        last = all(hand.done and not hand.size for hand in self._hands.values())
        return Release(texts[Side.A], texts[Side.B], last)

    def _may_start(self, number: int) -> bool:
        grid = round((RESUME_GRID if self.started else START_GRID) / TICK)
        held = self._rate * HOLD
        return number % grid == 0 and all(hand.done or hand.size >= held for hand in self._hands.values())
