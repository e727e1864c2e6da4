"""What the chain says of a row: salted hashes of its values, from which nothing can be guessed and nothing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.db import models

GENESIS = "0" * 64
"""What the first link of a chain stands on."""
ERASED = "erased"
"""Stands for the words of a voter whose words were gone before they were sealed."""


def canonical(value: Any) -> str:
    """One text for one value: sorted keys, no blanks, times in UTC to the microsecond."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    """Raises TypeError for what has no canonical form."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no canonical form.")


def commit(salt: str, name: str, value: Any) -> str:
    """SHA-256 of salt, name and value."""
    return hashlib.sha256(f"{salt}\n{canonical([name, value])}".encode()).hexdigest()


def committed(salt: str, values: Mapping[str, Any]) -> dict[str, str]:
    """A commitment by name."""
    return {name: commit(salt, name, value) for name, value in values.items()}


def link_hash(before: str, arena: int, position: int, kind: str, row_id: int, commitments: str) -> str:
    """h_i = SHA-256(h_{i-1} || canonical JSON of the record); `commitments` is canonical already."""
    record = f'{{"arena":{arena},"commitments":{commitments},"kind":"{kind}","position":{position},"row":{row_id}}}'
    return hashlib.sha256(bytes.fromhex(before) + record.encode()).hexdigest()


def columns(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of a table whose rows are sealed value by value, without its key."""
    return tuple(field.attname for field in model._meta.concrete_fields if not field.primary_key)


VOTE_COLUMNS = (
    "id", "battle__arena_id", "battle_id", "voter_id", "winner", "created_at", "battle__competitor_a_id",
    "battle__competitor_b_id", "battle__repeat_of_id", "battle__prompt_id", "battle__policy",
    "battle__draw_probability", "battle__seed", "battle__served_at",
)  # fmt: skip
"""What a board and the screening make of a vote."""
EXCLUSION_COLUMNS = (
    "id", "arena_id", "voter_id", "votes", "competitor_id", "action", "rule", "evidence", "sentence", "decided_by",
    "reverses_id", "proposal_id", "appeal_note", "created_at",
)  # fmt: skip
REVERSAL_COLUMNS = ("id", "mark_id", "mark__battle__arena_id", "after_vote_id", "reason", "made_at")
"""Of a mark that was taken back. Of both all but the reviewer's account, which may be closed one day."""
