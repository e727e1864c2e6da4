"""What a board says in words: what is known, what is not, and about how many votes would tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

import ratings

SAID_BY_THE_FIT = (
    gettext_noop("none"),
    gettext_noop("sandwich"),
    gettext_noop("bootstrap"),
    gettext_noop("model"),
    gettext_noop("Jeffreys (Firth's bias reduction) in %(count)s component(s)"),
    gettext_noop("There are no votes yet."),
    gettext_noop("There is one voter: the intervals describe this voter only."),
    gettext_noop("The votes carry no voters, so intervals take every vote as independent."),
    gettext_noop("No pair was shown in both orders, so the effect of being shown first cannot be told."),
    gettext_noop("%(count)s groups were never compared with each other; no ranks are given across them."),
    gettext_noop(
        "No finite maximum-likelihood estimate exists for %(names)s: Jeffreys' prior (Firth's bias reduction) "
        "stands in."
    ),
    gettext_noop("%(count)s of %(rounds)s replicates had no finite estimate; a weak prior held them."),
)
"""What `ratings` writes into a board, which knows no language; published as it is, worded when shown."""


def worded(said: str) -> str:
    """Words of the fit in the reader's language; unknown ones as they are."""
    for known in SAID_BY_THE_FIT:
        if found := re.fullmatch(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(known)), said):
            return _(known) % found.groupdict()
    return said


def figure(count: int) -> str:
    """A count with its thousands parted as the reader's language does."""
    return number_format(count, 0, force_grouping=True)


def facts_of(board: ratings.Board) -> dict[str, Any]:
    """The facts behind the sentence on top, as plain values: stored in the snapshot, worded when shown."""
    ranked = [row.model_name for row in board.rows if row.rank is not None]
    separated = {frozenset((pair.first, pair.second)) for pair in board.pairs if pair.separated}
    leaders: list[str] = []
    for name in ranked:
        if not leaders or frozenset((ranked[0], name)) not in separated:
            leaders.append(name)
    beaten = [name for name in ranked if leaders and all(frozenset((top, name)) in separated for top in leaders)]
    open_pairs = [p.more_votes for p in board.pairs if p.first in leaders and p.second in leaders and p.more_votes]
    return {
        "votes": round(board.votes),
        "voters": board.voters,
        "ranked": len(ranked),
        "leaders": leaders,
        "beaten": beaten,
        "more_votes": min(open_pairs) if open_pairs else None,
        "groups": len(board.components),
    }


def top_sentence(facts: dict[str, Any]) -> str:
    """One honest sentence, in every case."""
    votes, voters = facts["votes"], facts["voters"]
    if not votes:
        return _("There are no votes yet.")
    people = ngettext("%(count)s person", "%(count)s people", voters) % {"count": voters}
    start = ngettext("With %(votes)s vote by %(people)s", "With %(votes)s votes by %(people)s", votes) % {
        "votes": figure(votes),
        "people": people,
    }
    if facts["groups"] > 1:
        return _("%(start)s, the competitors fall into %(groups)s groups that never met, so nobody is ranked.") % {
            "start": start,
            "groups": facts["groups"],
        }
    leaders, beaten = facts["leaders"], facts["beaten"]
    if len(leaders) == 1:
        return _("%(start)s, %(leader)s is better than %(others)s.") % {
            "start": start,
            "leader": leaders[0],
            "others": joined(beaten),
        }
    more = _undecided(facts["more_votes"])
    sentence = _("%(start)s, %(names)s cannot be told apart yet%(more)s.") % {
        "start": start,
        "names": joined(leaders),
        "more": more,
    }
    if beaten:
        sentence += " " + _("Each of them is better than %(others)s.") % {"others": joined(beaten)}
    return sentence


def joined(names: Sequence[str], *, most: int = 5) -> str:
    """Names in a row; a long row is cut and says so."""
    if len(names) > most:
        rest = len(names) - most + 1
        return _("%(names)s and %(rest)s others") % {"names": ", ".join(names[: most - 1]), "rest": rest}
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def _undecided(more: int | None) -> str:
    if more is None:
        return ""
    return _(": about %(more)s more votes on the closest pair that can be settled") % {"more": figure(more)}
