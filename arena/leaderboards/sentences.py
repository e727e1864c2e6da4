"""What a board says in words: what is known, what is not, and about how many votes would tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from arena.leaderboards.costs import Saving

SAID_BY_THE_FIT = (
    gettext_noop("none"),
    gettext_noop("sandwich"),
    gettext_noop("bootstrap"),
    gettext_noop("model"),
    gettext_noop("Jeffreys (Firth's bias reduction)"),
    gettext_noop("Jeffreys' prior (Firth's bias reduction)"),
    gettext_noop("half a vote of ties against the mean"),
    gettext_noop("half a vote of ties against their mean"),
    gettext_noop("%(prior)s in %(count)s component(s)"),
    gettext_noop("There are no votes yet."),
    gettext_noop("There is one voter: the intervals describe this voter only."),
    gettext_noop("The votes carry no voters, so intervals take every vote as independent."),
    gettext_noop("No pair was shown in both orders, so the effect of being shown first cannot be told."),
    gettext_noop("%(count)s groups were never compared with each other; no ranks are given across them."),
    gettext_noop("No finite maximum-likelihood estimate exists for %(names)s: %(prior)s stands in."),
    gettext_noop("No finite estimate exists for %(names)s: one vote of ties each holds them."),
    gettext_noop("Parameters are those of the group with the most votes."),
    gettext_noop("%(count)s of %(rounds)s replicates had no finite estimate; a weak prior held them."),
)
"""What `ratings` writes into a board, which knows no language; published as it is, worded when shown."""


def worded(said: str) -> str:
    """Words of the fit in the reader's language; unknown ones as they are."""
    for known in SAID_BY_THE_FIT:
        if found := re.fullmatch(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(known)), said):
            parts = found.groupdict()
            return _(known) % (parts | {"prior": worded(parts["prior"])} if "prior" in parts else parts)
    return said


def figure(count: float) -> str:
    """A count with its thousands parted as the reader's language does."""
    return number_format(count, 0, force_grouping=True)


def top_sentence(facts: dict[str, Any]) -> str:
    """One honest sentence, in every case."""
    if not facts["votes"]:
        return _("There are no votes yet.")
    start = _start(facts)
    if facts["groups"] > 1:
        return _ungrouped(start, facts)
    leader = facts["leader"]
    if leader is None:
        return _("%(start)s, there are too few votes to say who is better.") % {"start": start}
    return " ".join([_opening(start, facts), *_rest(facts)])


def controlled_sentence(facts: dict[str, Any]) -> str:
    """The same where style is held equal: what one look at the intervals says, which is less than a verdict."""
    if not facts["votes"]:
        return _("No vote here has answers whose style was counted.")
    start = _start(facts)
    if facts["groups"] > 1:
        return _ungrouped(start, facts)
    if facts["leader"] is None or not facts["styles"]:
        return _("%(start)s, what style does cannot be told from who answers.") % {"start": start}
    leader, others = facts["leader"], joined(facts["behind"])
    if not facts["undecided"]:
        said = {"start": start, "leader": leader, "others": others}
        return _("%(start)s and style held equal, %(leader)s is rated above %(others)s.") % said
    names = joined([leader, *facts["undecided"]])
    level = _("%(start)s and style held equal, %(names)s cannot be told apart.") % {"start": start, "names": names}
    above = _("%(leader)s is rated above %(others)s.") % {"leader": leader, "others": others}
    return f"{level} {above}" if facts["behind"] else level


def _start(facts: dict[str, Any]) -> str:
    votes, voters = facts["votes"], facts["voters"]
    people = ngettext("%(count)s person", "%(count)s people", voters) % {"count": voters}
    return ngettext("With %(votes)s vote by %(people)s", "With %(votes)s votes by %(people)s", votes) % {
        "votes": figure(votes),
        "people": people,
    }


def _ungrouped(start: str, facts: dict[str, Any]) -> str:
    return _("%(start)s, the competitors fall into %(groups)s groups that never met, so nobody is ranked.") % {
        "start": start,
        "groups": facts["groups"],
    }


def _opening(start: str, facts: dict[str, Any]) -> str:
    """Who leads, or who cannot be told apart from the leader and what would tell."""
    leader, undecided = facts["leader"], facts["undecided"]
    if undecided:
        said = {"start": start, "names": joined([leader, *undecided]), "more": _undecided(facts)}
        return _("%(start)s, %(names)s cannot be told apart yet%(more)s.") % said
    if facts["level"]:
        names = joined([leader, *facts["level"]])
        said = {"start": start, "names": names, "margin": figure(facts["margin"])}
        return _("%(start)s, %(names)s are practically equal, within %(margin)s points.") % said
    return _("%(start)s, %(leader)s is better than %(others)s.") % {
        "start": start, "leader": leader, "others": joined(facts["behind"]),
    }  # fmt: skip


def _rest(facts: dict[str, Any]) -> Iterator[str]:
    leader = facts["leader"]
    if facts["undecided"] and facts["level"]:
        yield _("%(names)s is practically equal to %(leader)s.") % {"names": joined(facts["level"]), "leader": leader}
    if facts["behind"] and (facts["undecided"] or facts["level"]):
        yield _("%(leader)s is better than %(others)s.") % {"leader": leader, "others": joined(facts["behind"])}
    if facts["too_few"]:
        yield _("Too few votes yet to say anything of %(names)s.") % {"names": joined(facts["too_few"])}


def saving_sentence(saving: Saving | None) -> str:
    """Who is as good for less; empty where the votes or the prices cannot say that."""
    if saving is None:
        return ""
    return _(
        "%(name)s is in practice as good as %(first)s and costs %(cost)s instead of %(other)s for 1,000 answers."
    ) % {
        "name": saving.name, "first": saving.instead_of,
        "cost": money(saving.cost), "other": money(saving.other_cost),
    }  # fmt: skip


def money(amount: float) -> str:
    """An amount in the currency of the prices, with as many decimals as it needs."""
    return number_format(amount, decimal_pos=2 if amount >= 1 or amount == 0 else 4, force_grouping=True)


def joined(names: Sequence[str], *, most: int = 5) -> str:
    """Names in a row; a long row is cut and says so."""
    if len(names) > most:
        rest = len(names) - most + 1
        return _("%(names)s and %(rest)s others") % {"names": ", ".join(names[: most - 1]), "rest": rest}
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def _undecided(facts: dict[str, Any]) -> str:
    if facts["more_votes"] is not None:
        more = figure(facts["more_votes"])
        return _(": about %(more)s more votes on the closest pair that can be settled") % {"more": more}
    return _(": more people have to judge, not the same people more often") if facts["needs_new_voters"] else ""
