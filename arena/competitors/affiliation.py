"""Who must not judge whom: a voter's declared organization, and the competitors that are its own."""

from __future__ import annotations

import re
import unicodedata
from itertools import combinations

from arena.competitors.models import Competitor
from arena.teams.models import Arena, Voter

LEGAL_FORMS = frozenset(
    {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "limited", "llc", "ltd", "plc"}
)
COMMON = frozenset(
    {
        "ai",
        "cloud",
        "group",
        "institute",
        "lab",
        "labs",
        "research",
        "systems",
        "technologies",
        "technology",
        "university",
    }
)
"""In the names of many houses: alone they name none."""


def words_of(organization: str) -> frozenset[str]:
    """The words of a name by which it is known again: folded, without its legal form and what many are called."""
    folded = unicodedata.normalize("NFKC", organization).casefold()
    words = frozenset(re.findall(r"\w+", folded)) - LEGAL_FORMS
    return words - COMMON or words


def is_same(one: str, other: str) -> bool:
    """Whether two names mean one organization, or a part of it: all words of one are in the other.

    Errs towards yes ("Acme" and "Acme Research"): a pair too few costs less than a judge of the own model.
    """
    first, second = words_of(one), words_of(other)
    return bool(first and second) and (first <= second or second <= first)


def barred_for(voter: Voter, arena: Arena) -> frozenset[int]:
    """Competitors that this voter is not to be shown, by id."""
    return frozenset(pk for pk, _words in _own(voter, arena))


def names_several(voter: Voter, arena: Arena) -> bool:
    """Whether what this voter declared names houses that have no word in common.

    Whoever could name all but two would choose whom to judge, and know the pair before the vote.
    """
    return any(one.isdisjoint(other) for (_, one), (_, other) in combinations(_own(voter, arena), 2))


def _own(voter: Voter, arena: Arena) -> list[tuple[int, frozenset[str]]]:
    """Competitors of the voter's house, each with the words of its maker's name."""
    if not voter.affiliation:
        return []
    made_by = Competitor.objects.filter(arena=arena).exclude(organization="").values_list("pk", "organization")
    return [(pk, words_of(maker)) for pk, maker in made_by if is_same(voter.affiliation, maker)]
