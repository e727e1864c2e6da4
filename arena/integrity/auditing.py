"""Walks a chain and names what does not fit: edits, deletions, another order; with a head also a new chain."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef

from arena.battles.models import SelfNamingReversal, Vote
from arena.competitors.models import Competitor
from arena.integrity import rows
from arena.integrity.commitments import ERASED, GENESIS, VOTE_COLUMNS, commit, committed, link_hash
from arena.integrity.heads import Head
from arena.integrity.models import AuditHead, AuditLink, Erasure, Exclusion
from arena.integrity.sealing import last_links, said_commitment, salts_of
from arena.teams.models import Arena

Kind = AuditLink.Kind
ANSWERED = "first_answered_at"
PROMPT = VOTE_COLUMNS.index("battle__prompt_id")
EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not fit, and at which position of the chain; 0 stands for no position."""

    position: int
    sentence: str


@dataclass
class Audit:
    """What a walk found.

    `unattested` are rows that no link covers yet and settings changed since their last link; `erased` are votes whose
    words were deleted at the voter's wish.
    """

    arena: Arena
    links: int = 0
    findings: list[Finding] = field(default_factory=list)
    unattested: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    erased: int = 0

    def found(self, position: int, sentence: str) -> None:
        self.findings.append(Finding(position, sentence))


def audit(arena: Arena, heads: Sequence[Head] = ()) -> Audit:
    """The whole chain of an arena against its rows, the heads kept here and the heads given."""
    done = Audit(arena)
    kept = AuditHead.objects.filter(arena=arena).values_list("position", "sha256")
    wanted = [(position, sha256, "the daily head kept in the database") for position, sha256 in kept]
    wanted += [(head.position, head.sha256, "the head given") for head in heads if head.arena == arena.slug]
    at = {position for position, _, _ in wanted}
    hashes: dict[int, str] = {}
    walk = _Walk(done)
    links = AuditLink.objects.filter(arena=arena).order_by("position").iterator(chunk_size=rows.BATCH)
    for some in _grouped(links):
        walk.step(some)
        hashes |= {link.position: link.sha256 for link in some if link.position in at}
    for position, sha256, whose in wanted:
        if position not in hashes:
            done.found(position, f"the chain ends at {done.links} and {whose} stands at {position}: it was cut off.")
        elif hashes[position] != sha256:
            done.found(position, f"the hash is not that of {whose}: the chain was written anew.")
    _unsealed(done)
    return done


def _grouped(links: Iterator[AuditLink]) -> Iterator[list[AuditLink]]:
    some: list[AuditLink] = []
    for link in links:
        some.append(link)
        if len(some) == rows.BATCH:
            yield some
            some = []
    if some:
        yield some


class _Walk:
    """Goes from link to link; a wrong one is named and the walk goes on from the hash that stands there."""

    def __init__(self, done: Audit) -> None:
        self.done = done
        self.position, self.sha256 = 0, GENESIS
        self.last_vote = 0
        self.settings: dict[tuple[str, int], tuple[AuditLink, dict[str, str]]] = {}
        self.erased = set(Erasure.objects.values_list("voter_id", flat=True))

    def step(self, links: list[AuditLink]) -> None:
        for link in links:
            self._chained(link)
            if link.kind in (Kind.ARENA, Kind.COMPETITOR):
                self._changed(link)
        self._votes([link for link in links if link.kind == Kind.VOTE])
        for kind in (Kind.EXCLUSION, Kind.ERASURE, Kind.REVERSAL):
            self._whole_rows(kind, [link for link in links if link.kind == kind])

    def _chained(self, link: AuditLink) -> None:
        done = self.done
        if link.position != self.position + 1:
            done.found(self.position + 1, f"the links from here to {link.position - 1} are gone.")
        expected = link_hash(
            self.sha256, link.arena_id, link.position, link.kind, link.row_id, link.commitments
        )  # fmt: skip
        if expected != link.sha256:
            done.found(link.position, f"the link of {link.kind} {link.row_id} is not the one that was sealed.")
        if link.kind == Kind.VOTE:
            if link.row_id <= self.last_vote:
                done.found(link.position, f"vote {link.row_id} stands after vote {self.last_vote}.")
            self.last_vote = link.row_id
        self.position, self.sha256 = link.position, link.sha256
        done.links += 1

    def _votes(self, links: list[AuditLink]) -> None:
        if not links:
            return
        found = rows.votes([link.row_id for link in links])
        said = rows.words([row[2] for row in found.values()], check=True)
        marks = rows.marks([row[2] for row in found.values()])
        salts = salts_of({row[3] for row in found.values()})
        for link in links:
            row = found.get(link.row_id)
            if row is None:
                self.done.found(link.position, f"vote {link.row_id} was deleted.")
                continue
            sealed = _opened(link)
            if commit(link.salt, rows.COUNTED, row) != sealed.get(rows.COUNTED):
                self.done.found(link.position, f"vote {link.row_id} or its battle was edited.")
            marked = commit(link.salt, rows.MARKED, marks.get(row[2], []))
            if sealed.get(rows.MARKED, marked) != marked:  # links of earlier releases know no marks
                self.done.found(link.position, f"why the battle of vote {link.row_id} is rated or not was edited.")
            self._said(link, row, sealed.get(rows.SAID, ""), salts.get(row[3]), said.get(row[2], []))

    def _said(self, link: AuditLink, row: tuple[Any, ...], sealed: str, salt: str | None, said: list[Any]) -> None:
        if row[3] in self.erased and (sealed == ERASED or salt is None):
            self.done.erased += 1
            if row[PROMPT] is None and _has_words(said):
                self.done.found(link.position, f"voter {row[3]} is said to be erased, and vote {row[0]} has its words.")
        elif sealed == ERASED:
            self.done.found(link.position, f"vote {row[0]} was sealed as erased, and no erasure says why.")
        elif salt is None:
            self.done.found(link.position, f"the salt of voter {row[3]} is gone, and no erasure says why.")
        elif said_commitment(link.salt, salt, said) != sealed:
            self.done.found(link.position, f"what was asked or answered in the battle of vote {row[0]} was edited.")

    def _whole_rows(self, kind: str, links: list[AuditLink]) -> None:
        found = rows.rows_of(kind, [link.row_id for link in links])
        for link in links:
            if link.row_id not in found:
                self.done.found(link.position, f"{kind} {link.row_id} was deleted.")
            elif committed(link.salt, found[link.row_id]) != _opened(link):
                self.done.found(link.position, f"{kind} {link.row_id} was edited.")

    def _changed(self, link: AuditLink) -> None:
        """A change that was sealed when it was made; of a competitor that had answered only some may change."""
        sealed = _opened(link)
        before = self.settings.get((link.kind, link.row_id))
        self.settings[link.kind, link.row_id] = (link, sealed)
        if before is None:
            return
        names = _differing(before[1], sealed)
        told = f"{link.kind} {link.row_id}: {', '.join(names) or 'nothing'} changed"
        if link.kind == Kind.COMPETITOR and (wrong := _fixed(names, before)):
            self.done.found(link.position, f"{told}, of which {', '.join(wrong)} may not once it has answered.")
        else:
            self.done.changes.append(f"{told} at position {link.position}.")


def _has_words(said: Sequence[Any]) -> bool:
    """Whether anything is left of what a voter wrote and was answered; hashes of answers outlive their texts."""
    prompts = [row[1] for row in said if len(row) == 2]
    answers = [row[2] for row in said if len(row) != 2 and row[3] is None]
    return any(prompts) or any(found not in ("", EMPTY) for found in answers)


def _fixed(names: list[str], before: tuple[AuditLink, dict[str, str]]) -> list[str]:
    link, sealed = before
    answered = sealed.get(ANSWERED) != commit(link.salt, ANSWERED, None)
    return [name for name in names if name in Competitor.SETTINGS] if answered else []


def _differing(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Names in both whose values differ: a column that came or went with a release is no change."""
    return sorted(name for name in before.keys() & now.keys() if before[name] != now[name])


def _opened(link: AuditLink) -> dict[str, str]:
    try:
        opened = json.loads(link.commitments)
    except ValueError:
        return {}
    return opened if isinstance(opened, dict) else {}


def _unsealed(done: Audit) -> None:
    """Rows that no link covers: those after the last one are young, one among sealed ones was slipped in."""
    _settings_since(done)
    link = AuditLink.objects.filter(row_id=OuterRef("pk"))
    erased = Erasure.objects.exclude(Exists(link.filter(kind=Kind.ERASURE, arena=done.arena)))
    if young := erased.filter(voter__in=Vote.objects.filter(battle__arena=done.arena).values("voter")).count():
        done.unattested.append(f"{young} {Kind.ERASURE} row(s) that no link covers")
    votes = Vote.objects.filter(battle__arena=done.arena).exclude(Exists(link.filter(kind=Kind.VOTE)))
    decided = Exclusion.objects.filter(arena=done.arena).exclude(Exists(link.filter(kind=Kind.EXCLUSION)))
    back = SelfNamingReversal.objects.filter(mark__battle__arena=done.arena)
    back = back.exclude(Exists(link.filter(kind=Kind.REVERSAL)))
    for kind, unsealed in ((Kind.VOTE, votes), (Kind.EXCLUSION, decided), (Kind.REVERSAL, back)):
        last = AuditLink.objects.filter(kind=kind).order_by("-row_id").values_list("row_id", flat=True).first() or 0
        ids = list(unsealed.order_by("pk").values_list("pk", flat=True))
        for pk in ids:
            if pk <= last:
                done.found(0, f"{kind} {pk} stands among sealed rows and was never sealed.")
        if young := sum(pk > last for pk in ids):
            done.unattested.append(f"{young} {kind} row(s) after the last link")


def _settings_since(done: Audit) -> None:
    """The settings as they are against their last links."""
    for kind, ids in (
        (Kind.ARENA, [done.arena.pk]),
        (Kind.COMPETITOR, list(Competitor.objects.filter(arena=done.arena).values_list("pk", flat=True))),
    ):
        sealed_ids = AuditLink.objects.filter(arena=done.arena, kind=kind).values_list("row_id", flat=True)
        found, last = rows.rows_of(kind, ids), last_links(kind, {*ids, *sealed_ids})
        for pk, link in last.items():
            if pk not in found:
                done.found(link.position, f"{kind} {pk} was deleted.")
                continue
            sealed = _opened(link)
            names = _differing(sealed, committed(link.salt, found[pk]))
            wrong = _fixed(names, (link, sealed)) if kind == Kind.COMPETITOR else []
            if wrong:
                done.found(link.position, f"{kind} {pk} was edited: {', '.join(wrong)}.")
            elif names:
                done.unattested.append(f"{kind} {pk}: {', '.join(names)} changed since position {link.position}")
        if missing := Counter(pk in last for pk in ids)[False]:
            done.unattested.append(f"{missing} {kind} row(s) after the last link")
