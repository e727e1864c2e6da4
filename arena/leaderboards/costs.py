"""Quality against cost: what answers cost, who is beaten by nobody at the price, and who is as good for less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.competitors.models import Competitor
from arena.leaderboards.claims import NO_DIFFERENCE, PairVerdict, between

CHEAPER = 0.9
"""A share of the other's cost from which on it is worth saying that somebody is cheaper."""


def cost_of_thousand(competitor: Competitor, read: float | None, written: float | None) -> float | None:
    """Of 1,000 answers, each of which reads and writes so many tokens, in the currency of the prices.

    None where a price or a length is unknown; a price of zero costs nothing whatever the length.
    """
    total = 0.0
    for price, tokens in ((competitor.price_in, read), (competitor.price_out, written)):
        if price is None or (price and tokens is None):
            return None
        total += price * (tokens or 0.0)
    return total / 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """A competitor's rating and its price."""

    name: str
    rating: float
    lower: float | None
    upper: float | None
    cost: float
    on_front: bool
    """Nobody is at least as good for at most as much, and better in one of both."""


def offers(rows: Sequence[Mapping[str, Any]]) -> list[Offer]:
    """Those of a board's rows that have a rating and a cost, the cheapest first."""
    known = [row for row in rows if row["rating"] is not None and row["cost_per_1k_answers"] is not None]
    points = [(row["cost_per_1k_answers"], row["rating"]) for row in known]
    found = [
        Offer(
            row["model_name"], row["rating"], row["rating_lower"], row["rating_upper"], cost,
            on_front=not any(c <= cost and r >= rating and (c, r) != (cost, rating) for c, r in points),
        )
        for row, (cost, rating) in zip(known, points, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda offer: (offer.cost, -offer.rating))


@dataclass(frozen=True, slots=True)
class Saving:
    """Somebody who is as good as the first for less, as far as the votes can tell anything."""

    name: str
    cost: float
    instead_of: str
    other_cost: float


def saving(rows: Sequence[Mapping[str, Any]], verdicts: Mapping[tuple[str, str], PairVerdict]) -> Saving | None:
    """The cheapest competitor of which the verdict is that the first is in practice no better; None where it may be."""
    priced = offers(rows)
    first = next((row["model_name"] for row in rows if row["rank"] is not None), None)
    best = next((offer for offer in priced if offer.name == first), None)
    if best is None:
        return None
    for offer in priced:
        pair = between(verdicts, best.name, offer.name)
        if offer.cost < CHEAPER * best.cost and pair is not None and pair.verdict == NO_DIFFERENCE:
            return Saving(offer.name, offer.cost, best.name, best.cost)
    return None
