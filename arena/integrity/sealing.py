"""Seals committed rows into each arena's chain, off the vote's path: the worker's duty. The only writer of the chain.

One chain an arena, so that a head tells nothing about other arenas. Votes are sealed in the order of their ids; a
change of an arena's or a competitor's settings is another link.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from arena.battles.models import SelfNamingReversal, Vote
from arena.battles.settled import frozen_tables
from arena.competitors.models import Competitor
from arena.integrity import rows
from arena.integrity.commitments import ERASED, GENESIS, VOTE_COLUMNS, canonical, commit, committed, link_hash
from arena.integrity.models import AuditHead, AuditLink, Erasure, Exclusion, VoterSalt
from arena.teams.models import Arena, Voter

Kind = AuditLink.Kind
MOST = 20_000
"""Rows sealed at one look, so that the worker's other duties do not wait long."""

Row = tuple[str, int, str, str]
"""Kind, id, salt, canonical commitments."""


class Chain:
    """The end of an arena's chain, and what is to be written after it."""

    def __init__(self, arena_id: int) -> None:
        last = AuditLink.objects.filter(arena=arena_id).order_by("-position").values_list("position", "sha256").first()
        self.arena_id = arena_id
        self.position, self.sha256 = last or (0, GENESIS)
        self.fresh: list[AuditLink] = []

    def append(self, kind: str, row_id: int, salt: str, commitments: str) -> None:
        self.position += 1
        self.sha256 = link_hash(self.sha256, self.arena_id, self.position, kind, row_id, commitments)
        self.fresh.append(
            AuditLink(
                arena_id=self.arena_id, position=self.position, kind=kind, row_id=row_id, salt=salt,
                commitments=commitments, sha256=self.sha256,
            )
        )  # fmt: skip

    def write(self) -> None:
        AuditLink.objects.bulk_create(self.fresh, batch_size=2000)


def seal(*, now: datetime, most: int = MOST) -> int:
    """Everything committed and not sealed yet, at most about `most` rows; how many rows it were.

    Of two who seal at one moment one does; the other finds its work done at the next look.
    """
    limits = _settled()
    try:
        with transaction.atomic():
            fresh = _settings() + _decisions(limits) + _votes(limits[Vote], most)
            chains: dict[int, Chain] = {}
            for arena_id, kind, row_id, salt, commitments in fresh:
                chain = chains.get(arena_id) or chains.setdefault(arena_id, Chain(arena_id))
                chain.append(kind, row_id, salt, commitments)
            for chain in chains.values():
                chain.write()
    except IntegrityError:
        return 0
    keep_heads(now=now)
    return len(fresh)


def seal_all(*, now: datetime) -> int:
    """Until nothing is left to seal."""
    total = 0
    while sealed := seal(now=now):
        total += sealed
    return total


def keep_heads(*, now: datetime) -> None:
    """Once a day the end of every chain is kept, to be published."""
    day = now.date()
    known = set(AuditHead.objects.filter(day=day).values_list("arena_id", flat=True))
    for arena_id in Arena.objects.exclude(pk__in=known).values_list("pk", flat=True):
        chain = Chain(arena_id)
        if chain.position:
            AuditHead.objects.get_or_create(
                arena_id=arena_id, day=day,
                defaults={"position": chain.position, "sha256": chain.sha256, "made_at": now},
            )  # fmt: skip


def forget(voter: Voter, *, now: datetime) -> Erasure:
    """To be called in the transaction that deletes a voter's words: deletes the salt that hid them in the chain.

    The voter's number stays in votes and chain, and what boards count of them can still be verified. The erasure
    itself is sealed, so that nobody can pass off a change of words as one.
    """
    with transaction.atomic():
        VoterSalt.objects.filter(voter=voter).delete()
        return Erasure.objects.get_or_create(voter=voter, defaults={"erased_at": now})[0]


Fresh = list[tuple[int, str, int, str, str]]


def _settled() -> dict[Any, int]:
    """The highest ids below which every row is committed; without waiting for writers where nothing is new."""
    tables = {Vote: Kind.VOTE, Exclusion: Kind.EXCLUSION, SelfNamingReversal: Kind.REVERSAL}

    def highest() -> dict[Any, int]:
        return {table: table._default_manager.aggregate(top=Max("pk"))["top"] or 0 for table in tables}

    sealed = {table: _sealed(kind) for table, kind in tables.items()}
    if highest() == sealed:
        return sealed
    with frozen_tables(*tables):
        return highest()


def _sealed(kind: str) -> int:
    return AuditLink.objects.filter(kind=kind).aggregate(top=Max("row_id"))["top"] or 0


_seen: dict[tuple[str, int], int] = {}
"""What the settings of a row looked like at this process's last look: nothing to ask the chain about if the same."""


def _settings() -> Fresh:
    """Arenas and competitors that are not as they were last sealed; salts are kept, so that a change can be named."""
    fresh: Fresh = []
    for kind, model in ((Kind.ARENA, Arena), (Kind.COMPETITOR, Competitor)):
        found = rows.rows_of(kind, model._default_manager.values_list("pk", flat=True))
        digests = {pk: hash(canonical(values)) for pk, values in sorted(found.items())}
        changed = [pk for pk, digest in digests.items() if _seen.get((kind, pk)) != digest]
        last = last_links(kind, changed)
        for pk in changed:
            salt = last[pk].salt if pk in last else secrets.token_hex(16)
            commitments = canonical(committed(salt, found[pk]))
            if pk not in last or last[pk].commitments != commitments:
                arena_id = pk if kind == Kind.ARENA else found[pk]["arena_id"]
                fresh.append((arena_id, kind, pk, salt, commitments))
        transaction.on_commit(lambda kind=kind, digests=digests: _seen.update(  # type: ignore[misc]
            {(kind, pk): digest for pk, digest in digests.items()}))  # fmt: skip
    return fresh


def last_links(kind: str, ids: Iterable[int]) -> dict[int, AuditLink]:
    """The newest link of each of these rows."""
    links: dict[int, AuditLink] = {}
    for some in rows.batches(list(ids)):
        for link in AuditLink.objects.filter(kind=kind, row_id__in=some).order_by("position"):
            links[link.row_id] = link
    return links


def _decisions(limits: dict[Any, int]) -> Fresh:
    """New exclusions, and marks taken back; an erasure goes into the chain of every arena in which the person voted."""
    fresh: Fresh = []
    after = _sealed(Kind.EXCLUSION)
    new = Exclusion.objects.filter(pk__gt=after, pk__lte=limits[Exclusion]).values_list("pk", flat=True)
    for pk, values in sorted(rows.rows_of(Kind.EXCLUSION, new).items()):
        fresh.append(_link(values["row"]["arena_id"], Kind.EXCLUSION, pk, values))
    back = SelfNamingReversal.objects.filter(pk__gt=_sealed(Kind.REVERSAL), pk__lte=limits[SelfNamingReversal])
    for pk, values in sorted(rows.rows_of(Kind.REVERSAL, back.values_list("pk", flat=True)).items()):
        fresh.append(_link(values["row"]["mark__battle__arena_id"], Kind.REVERSAL, pk, values))
    sealed = AuditLink.objects.filter(kind=Kind.ERASURE).values("row_id")
    for pk, voter_id in list(Erasure.objects.exclude(pk__in=sealed).order_by("pk").values_list("pk", "voter_id")):
        arenas = Vote.objects.filter(voter=voter_id).values_list("battle__arena_id", flat=True).order_by().distinct()
        for arena_id in sorted(set(arenas)):
            fresh.append(_link(arena_id, Kind.ERASURE, pk, rows.rows_of(Kind.ERASURE, [pk])[pk]))
    return fresh


def _link(arena_id: int, kind: str, pk: int, values: dict[str, Any]) -> tuple[int, str, int, str, str]:
    salt = secrets.token_hex(16)
    return arena_id, kind, pk, salt, canonical(committed(salt, values))


def _votes(through: int, most: int) -> Fresh:
    new = Vote.objects.filter(pk__gt=_sealed(Kind.VOTE), pk__lte=through).order_by("pk")
    fresh: Fresh = []
    for some in rows.batches(list(new.values_list(*VOTE_COLUMNS)[:most])):
        said, marks = rows.words([row[2] for row in some]), rows.marks([row[2] for row in some])
        salts = _salts({row[3] for row in some})
        for row in some:
            salt = secrets.token_hex(16)
            commitments = {
                rows.COUNTED: commit(salt, rows.COUNTED, row),
                rows.MARKED: commit(salt, rows.MARKED, marks.get(row[2], [])),
                rows.SAID: said_commitment(salt, salts.get(row[3]), said.get(row[2], [])),
            }
            fresh.append((row[1], Kind.VOTE, row[0], salt, json.dumps(commitments, separators=(",", ":"))))
    return fresh


def said_commitment(salt: str, voters_salt: str | None, said: list[Any]) -> str:
    """To what was asked and answered; hidden by the voter's salt, with which the possibility to check it goes."""
    return ERASED if voters_salt is None else commit(salt + voters_salt, rows.SAID, said)


def _salts(voters: set[int]) -> dict[int, str]:
    """The salts of these voters, made where there are none; erased ones have and get none."""
    known = salts_of(voters)
    erased = set(Erasure.objects.filter(voter__in=voters).values_list("voter_id", flat=True))
    made = [VoterSalt(voter_id=pk, salt=secrets.token_hex(16)) for pk in sorted(voters - known.keys() - erased)]
    VoterSalt.objects.bulk_create(made, batch_size=2000)
    return known | {row.voter_id: row.salt for row in made}


def salts_of(voters: Iterable[int]) -> dict[int, str]:
    """Those that are there."""
    return dict(VoterSalt.objects.filter(voter__in=list(voters)).values_list("voter_id", "salt"))


__all__ = ["Chain", "forget", "keep_heads", "last_links", "said_commitment", "salts_of", "seal", "seal_all"]
