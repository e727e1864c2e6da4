"""What a board's CSV has no place to say of itself: `leaderboard.csv.json`."""

from __future__ import annotations

import json
from typing import Any

from arena.leaderboards.models import Snapshot
from arena.leaderboards.reading import Choice, json_of_choice
from arena.leaderboards.shares import cutoffs_of


def about(snapshot: Snapshot) -> dict[str, Any]:
    """How a snapshot was made: everything that its CSV follows from but the votes."""
    body = json.loads(snapshot.board_json)
    return {
        "arena": snapshot.arena.slug,
        "snapshot_id": snapshot.pk,
        "snapshot": snapshot.number,
        "published_at": snapshot.published_at.isoformat(),
        "cutoff": cutoffs_of(snapshot).as_json(),
        "data": {"votes": snapshot.vote_count, "voters": snapshot.voter_count, "sha256": snapshot.data_sha256},
        "method": body["method"],
        "standing": body["snapshot"].get("standing"),
        "settings": snapshot.settings,
        "seed": snapshot.seed,
        "code_version": snapshot.code_version,
        "is_simulated": snapshot.arena.is_simulated,
    }


def sidecar_of_choice(choice: Choice) -> str:
    """Of the published CSV, or of a part's; before the first snapshot the method alone."""
    body = json.loads(json_of_choice(choice))
    said: dict[str, Any] = {"method": body["method"], "data": body["data"]}
    if choice.snapshot is not None:
        said = about(choice.snapshot) | said
        if not choice.part.is_whole:  # its fit was told other things than the snapshot's
            said |= {"slice": body["slice"], "settings": None, "standing": None, "seed": body["method"]["seed"]}
            said["code_version"] = body["snapshot"]["code_version"]
    return json.dumps({**said, "notes": body["notes"]}, ensure_ascii=False, indent=1) + "\n"
