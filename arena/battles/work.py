"""Proof of work for open arenas: what makes a new identity cost seconds of a processor. Never a refusal.

A browser asks for a challenge, looks for a number with which the challenge's SHA-256 begins with enough zero bits, and
sends it with its wish for a battle. A wish without it, with a wrong one or with one that was spent is served all the
same and stored as unverified: a blocked script is no bot.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.core import signing

from arena.battles.addresses import Origin, Visit
from arena.battles.models import ServedFrom
from arena.teams.models import Arena

LIFETIME = timedelta(minutes=30)
MAX_NONCE = 12
"""Digits of the number that is looked for."""
_SALT = "arena.battles.work"


def is_asked_for(arena: Arena) -> bool:
    """Whether visitors of this arena are asked to work."""
    return settings.PROOF_OF_WORK > 0 and arena.access == Arena.Access.OPEN and not arena.is_simulated


def challenge() -> str:
    """A new one: random, signed, good for half an hour and for one battle."""
    return signing.dumps({"c": secrets.token_hex(16), "b": settings.PROOF_OF_WORK}, salt=_SALT)


def settled(origin: Origin, arena: Arena, visit: Visit) -> Origin:
    """The origin with what the visit's work is worth. For visitors without an account, who alone need work."""
    if not is_asked_for(arena) or not origin.blocks:
        return origin
    spent = _spent(visit.work)
    if spent is None or ServedFrom.objects.filter(challenge=spent).exists():
        return replace(origin, work=ServedFrom.Work.UNVERIFIED)
    return replace(origin, work=ServedFrom.Work.VERIFIED, challenge=spent)


def _spent(work: str) -> str | None:
    """The challenge on which this work was really spent; None for anything else."""
    text, _, nonce = work.rpartition("~")
    if not nonce.isascii() or not nonce.isdecimal() or len(nonce) > MAX_NONCE:
        return None
    try:
        said = signing.loads(text, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    digest = hashlib.sha256(f"{text}~{nonce}".encode()).digest()
    return str(said["c"]) if _zero_bits(digest) >= int(said["b"]) else None


def _zero_bits(digest: bytes) -> int:
    return len(digest) * 8 - int.from_bytes(digest, "big").bit_length()
