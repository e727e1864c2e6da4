"""What answers cost, by the competitor's prices a million tokens."""

from __future__ import annotations

from math import ceil

from arena.competitors.models import Competitor

CHARACTERS_A_TOKEN = 3.0
"""For texts whose tokens nobody counted; low, so that the estimate is not."""
MILLION = 1_000_000


def cost(competitor: Competitor, *, tokens_in: int | None, tokens_out: int | None) -> float | None:
    """The price of so many tokens; None where the competitor's prices or the counts are unknown."""
    prices = (competitor.price_in, competitor.price_out)
    if None in prices or tokens_in is None or tokens_out is None:
        return None
    return ((competitor.price_in or 0) * tokens_in + (competitor.price_out or 0) * tokens_out) / MILLION


def estimated_tokens(*texts: str) -> int:
    """About how many tokens texts have."""
    return sum(ceil(len(text) / CHARACTERS_A_TOKEN) for text in texts)


def at_most(competitor: Competitor, asked: list[str]) -> float:
    """What the answers to these messages can cost at most: every answer as long as it may be."""
    spoken = estimated_tokens(competitor.system_prompt, *asked)
    longest = competitor.max_tokens
    tokens_in = sum(spoken + turn * longest for turn in range(len(asked)))
    return cost(competitor, tokens_in=tokens_in, tokens_out=longest * len(asked)) or 0.0
