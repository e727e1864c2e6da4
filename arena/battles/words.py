"""The closed vocabularies of a battle. An unknown word is refused at the door, never guessed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Side(models.TextChoices):
    """The blind position."""

    A = "a", "A"
    B = "b", "B"


class Winner(models.TextChoices):
    """The four outcomes a voter can give."""

    A = "a", _("A is better")
    B = "b", _("B is better")
    TIE = "tie", _("Tie")
    BOTH_BAD = "both_bad", _("Both are bad")


class BattleState(models.TextChoices):
    """Forward only, but for a follow-up turn, which takes a complete battle back to served."""

    SERVED = "served", "Served"
    ANSWERING = "answering", "Answering"
    COMPLETE = "complete", "Complete"
    VOID = "void", "Void"
    SKIPPED = "skipped", "Skipped"
    EXPIRED = "expired", "Expired"


class VoidReason(models.TextChoices):
    """Why a battle was set aside, in words that name nobody."""

    SIDE_FAILED = "side_failed", "A side failed"
    STALLED = "stalled", "The stream stood still for too long"
    STOPPED = "stopped", "The voter stopped it"
    INTERRUPTED = "interrupted", "The server was restarted"
    REPEATED = "repeated", "An answer repeated one whose author this voter knows"


OPEN_STATES = (BattleState.SERVED, BattleState.ANSWERING, BattleState.COMPLETE)
EXPORTED = {Winner.A: "model_a", Winner.B: "model_b", Winner.TIE: "tie", Winner.BOTH_BAD: "both_bad"}
