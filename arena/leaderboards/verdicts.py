"""What can be claimed of a board's competitors: verdicts that stay true under a look after every vote."""

from __future__ import annotations

from typing import Any

import numpy as np

import ratings
from arena.leaderboards.claims import BETTER, CANNOT_TELL, COLUMNS, NO_DIFFERENCE, between, opened
from ratings.connectivity import components
from ratings.verdicts import MARGIN, all_verdicts, top

DIGITS = 4
WORDS = (NO_DIFFERENCE, CANNOT_TELL, BETTER)


def verdicts_of(data: ratings.Comparisons) -> list[list[Any]]:
    """Every pair's verdict as plain values in the order of `COLUMNS`, the better estimate first: for a snapshot."""
    return [[_plain(getattr(found, name)) for name in COLUMNS] for found in all_verdicts(data, side_effect=True)]


def facts_of(data: ratings.Comparisons, voters: int, pairs: list[list[Any]]) -> dict[str, Any]:
    """The facts behind the sentence on top, as plain values: stored in the snapshot, worded when shown.

    Who leads is the stricter claim of `ratings.verdicts.top`; how the others stand to the leader is each pair's own
    verdict, so that the sentence and the pair's page say the same.
    """
    found = top(data, side_effect=True)
    known = opened(pairs)
    others = (*found.level, *found.undecided, *found.behind)
    stand = [pair for name in others if found.leader and (pair := between(known, found.leader, name))]
    by_word = {word: [pair.second for pair in stand if pair.verdict == word] for word in WORDS}
    open_pairs = [pair for pair in stand if pair.verdict == CANNOT_TELL]
    more = [pair.more_votes for pair in open_pairs if pair.more_votes]
    met = np.unique(np.concatenate([data.a, data.b]))
    voted = {data.names[place] for place in met.tolist()}
    return {
        "votes": round(data.votes),
        "voters": voters,
        "groups": np.unique(components(ratings.cells(data))[met]).size,
        "leader": found.leader,
        "level": by_word[NO_DIFFERENCE],
        "undecided": by_word[CANNOT_TELL],
        "behind": by_word[BETTER],
        "too_few": [name for name in found.too_few if name in voted],
        "more_votes": min(more) if more else None,
        "needs_new_voters": any(pair.needs_new_voters for pair in open_pairs),
        "margin": MARGIN,
    }


def _plain(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value
