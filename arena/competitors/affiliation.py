"""Who must not judge whom: a voter's declared organization, and the competitors that are its own."""

from __future__ import annotations

import re
import unicodedata

from arena.competitors.models import Competitor
from arena.teams.models import Arena, Voter

LEGAL_FORMS = frozenset(
    {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "limited", "llc", "ltd", "plc"}
)


def words_of(organization: str) -> frozenset[str]:
    """The words of a name by which it is known again: folded, without its legal form."""
    folded = unicodedata.normalize("NFKC", organization).casefold()
    return frozenset(re.findall(r"\w+", folded)) - LEGAL_FORMS


def is_same(one: str, other: str) -> bool:
    """Whether two names mean one organization, or a part of it: all words of one are in the other.

    Errs towards yes ("Acme" and "Acme Research"): a pair too few costs less than a judge of the own model.
    """
    first, second = words_of(one), words_of(other)
    return bool(first and second) and (first <= second or second <= first)


def barred_for(voter: Voter, arena: Arena) -> frozenset[int]:
    """Competitors that this voter is not to be shown, by id."""
    if not voter.affiliation:
        return frozenset()
    made_by = Competitor.objects.filter(arena=arena).exclude(organization="").values_list("pk", "organization")
    return frozenset(pk for pk, organization in made_by if is_same(voter.affiliation, organization))
