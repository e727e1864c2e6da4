"""A voter goes: identity and words are deleted, the votes stay counted, and the audit chain stays whole."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from arena.battles import addresses, lifecycle, marking, notes, opening, recording
from arena.integrity import sealing
from arena.integrity.models import Erasure
from arena.teams import members, voters
from arena.teams.models import Voter

LATEST = timedelta(days=7)
"""How long after an erasure the worker still looks for origins; older ones go with everybody's."""


def erase(voter: Voter, *, now: datetime) -> None:
    """Deletes in every arena what leads to this voter: the link to account and browser, names, affiliation, comments,
    prompts the voter wrote, the answers to those, and where battles were asked from; of the last day, which limits
    count, a day later. Votes, tags, cohorts and figures stay, under a number that leads to nobody.

    All or nothing. Raises LastOwner for somebody without whom an arena would have no owner.
    """
    with transaction.atomic():
        list(Voter.objects.select_for_update().filter(pk=voter.pk).values_list("pk"))  # no battle is opened meanwhile
        members.forget(voter, now=now)
        lifecycle.skip_all(voter, now=now)
        notes.forget_comments(voter)
        opening.forget_prompts(voter)
        recording.forget_answers(voter)
        marking.forget_words(voter)
        addresses.forget_voters([voter.pk], now=now)
        voters.forget(voter)
        sealing.forget(voter, now=now)


def forget_origins(*, now: datetime) -> None:
    """The worker's duty: deletes where erased voters asked from, once no limit counts it any more."""
    gone = Erasure.objects.filter(erased_at__gt=now - LATEST).values_list("voter_id", flat=True)
    addresses.forget_voters(gone, now=now)
