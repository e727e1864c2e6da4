"""Is a published board what the database says? Recomputes it and compares bytes."""

from __future__ import annotations

from dataclasses import dataclass

import ratings
from arena.leaderboards.counting import Cutoffs
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import compute


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all bytes agree, and in one sentence what does not."""

    same: bool
    sentence: str


def verify(snapshot: Snapshot) -> Verdict:
    """Counts and fits again with the snapshot's own cut-offs, settings and seed."""
    limits = Cutoffs(snapshot.cutoff_vote_id, snapshot.cutoff_battle_id, snapshot.cutoff_response_id)
    done = compute(
        snapshot.arena, limits, ratings.BoardOptions(**snapshot.settings), number=snapshot.number,
        published_at=snapshot.published_at, code_version=snapshot.code_version,
    )  # fmt: skip
    name = f"Snapshot {snapshot.pk} (number {snapshot.number} of {snapshot.arena.slug})"
    if done.board.sha256 != snapshot.data_sha256:
        votes = round(done.board.votes)
        return Verdict(
            False,
            f"{name} does not match: its votes hash to {done.board.sha256[:16]}…, published was "
            f"{snapshot.data_sha256[:16]}…; {votes} votes are there, {snapshot.vote_count} were counted.",
        )
    for what, fresh, stored in (("CSV", done.csv, snapshot.board_csv), ("JSON", done.json, snapshot.board_json)):
        if fresh != stored:
            at = next(
                (i for i, (x, y) in enumerate(zip(fresh, stored, strict=False)) if x != y), min(len(fresh), len(stored))
            )
            return Verdict(
                False, f"{name} does not match: the {what} differs from character {at} on, with the same votes."
            )
    return Verdict(True, f"{name} matches: {snapshot.vote_count} votes, the same bytes.")
