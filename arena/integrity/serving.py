"""The served log of an arena as the screening reads it: every battle that its voter could have judged, voted or not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet

from arena.battles.addresses import first_served
from arena.battles.marking import standing_marks
from arena.battles.models import Battle, ServedFrom
from arena.battles.words import BattleState, VoidReason, Winner
from arena.competitors.models import Competitor
from arena.integrity.rows import batches
from arena.teams.models import Arena, Membership, Voter

if TYPE_CHECKING:
    from ratings.served import ServedLog

LATEST = 1_000_000
"""Battles that one screening reads: its memory and its minute."""
OUTCOMES = {Winner.A: 0, Winner.B: 1, Winner.TIE: 2, Winner.BOTH_BAD: 3}
CROWD = 0.1
"""A share of all accounts above which a mail domain says nothing about its members."""
BATCH = 500


@dataclass(frozen=True)
class Served:
    """A log with what its numbers stand for: voters and competitors by id, and the vote of each battle or 0."""

    log: ServedLog
    voters: tuple[int, ...]
    competitors: tuple[int, ...]
    vote: Any

    @property
    def votes(self) -> int:
        return int((self.vote > 0).sum())


def served(arena: Arena, *, through_battle: int, through_vote: int, now: datetime) -> Served:
    """The latest `LATEST` battles up to the cut-offs, without repeats and those whose texts said whose they are.

    An open battle is left out until it is judged or too old to be; so is one that failed, which nobody chose. One that
    the voter stopped stays in: it was seen.
    """
    import numpy as np

    from ratings.served import served as made

    rows = _judgeable(arena, through_battle, through_vote, now)
    columns = ("voter_id", "competitor_a_id", "competitor_b_id", "served_at", "vote__id", "vote__winner")
    table = list(rows.values_list(*columns)[:LATEST])[::-1]
    voters = tuple(sorted({row[0] for row in table}))
    competitors = tuple(sorted({pk for row in table for pk in row[1:3]}))
    account, place = ({pk: code for code, pk in enumerate(ids)} for ids in (voters, competitors))
    labels = {row.pk: row.label for row in Competitor.objects.filter(pk__in=competitors)}
    members = _members(arena)
    voted = [0 if row[4] is None or row[4] > through_vote else row[4] for row in table]
    log = made(
        [labels[pk] for pk in competitors],
        [place[row[1]] for row in table],
        [place[row[2]] for row in table],
        [OUTCOMES[Winner(row[5])] if vote else -1 for row, vote in zip(table, voted, strict=True)],
        [account[row[0]] for row in table],
        [row[3].timestamp() for row in table],
        clusters=_clusters(arena, voters, members),
        vouched=np.array([pk in members for pk in voters], dtype=np.bool_),
    )
    order = np.argsort([row[3].timestamp() for row in table], kind="stable")  # as the log puts itself into order
    return Served(log, voters, competitors, np.array(voted, dtype=np.int64)[order])


def _judgeable(arena: Arena, through_battle: int, through_vote: int, now: datetime) -> QuerySet[Battle]:
    over = Q(state__in=(BattleState.SKIPPED, BattleState.EXPIRED)) | Q(expires_at__lte=now)
    seen = Q(state=BattleState.VOID, void_reason=VoidReason.STOPPED) | (over & ~Q(state=BattleState.VOID))
    return (
        Battle.objects.filter(Q(vote__id__lte=through_vote) | seen, arena=arena, id__lte=through_battle)
        .filter(repeat_of__isnull=True)
        .exclude(pk__in=standing_marks(through_vote).values("battle"))
        .order_by("-id")
    )


def _members(arena: Arena) -> set[int]:
    """Voters who are known to somebody: they count as vouched for."""
    return set(Membership.objects.filter(arena=arena, ended_at__isnull=True).values_list("voter_id", flat=True))


def _clusters(arena: Arena, voters: tuple[int, ...], members: set[int]) -> dict[str, Any]:
    """What accounts share beside their votes; kinds in which nobody shares anything are left out."""
    invites = Membership.objects.filter(arena=arena, invitation__isnull=False).values_list("voter_id", "invitation_id")
    strangers = [pk for pk in voters if pk not in members]
    kinds: dict[str, dict[int, Any]] = {
        "invite": dict(invites), "domain": _domains(voters), "address": _blocks(arena), "burst": _bursts(strangers),
    }  # fmt: skip
    return {kind: codes for kind, shared in kinds.items() if (codes := _codes(voters, shared)) is not None}


def _blocks(arena: Arena) -> dict[int, str]:
    """The address block, a keyed hash, from which an account asked for most of its battles; as long as it is kept."""
    rows = ServedFrom.objects.filter(battle__arena=arena).order_by().values_list("battle__voter_id", "block")
    counted = rows.annotate(battles=Count("battle_id")).order_by("battles", "block")
    return {voter: block for voter, block, _ in counted}


def _domains(voters: tuple[int, ...]) -> dict[int, str]:
    """Mail domains, but for those that so many have that they say nothing."""
    found: dict[int, str] = {}
    for some in batches(voters, BATCH):
        rows = Voter.objects.filter(pk__in=some, user__isnull=False).exclude(user__email="")
        found |= {pk: email.rpartition("@")[2].lower() for pk, email in rows.values_list("pk", "user__email")}
    sizes = Counter(found.values())
    return {pk: domain for pk, domain in found.items() if sizes[domain] <= max(2, CROWD * len(voters))}


def _bursts(strangers: list[int]) -> dict[int, int]:
    """In which burst of newcomers to this instance a voter came. Members were asked to come: not for them."""
    from ratings.bursts import bursts

    first: dict[int, datetime] = {}
    for some in batches(strangers, BATCH):
        first |= first_served(some)
    found = bursts([moment.timestamp() for moment in first.values()])
    return {pk: burst for pk, burst in zip(first, found.tolist(), strict=True) if burst >= 0}


def _codes(voters: tuple[int, ...], shared: dict[int, Any]) -> Any:
    import numpy as np

    sizes = Counter(shared[pk] for pk in voters if pk in shared)
    names = {name: code for code, name in enumerate(sorted(name for name, size in sizes.items() if size > 1))}
    if not names:
        return None
    return np.array([names.get(shared.get(pk), -1) for pk in voters], dtype=np.int32)
