"""What cannot be decided, and why."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from arena.refusals import Refusal


class DecisionRefused(Refusal):
    """A decision that means nothing here; says what to do instead."""

    status = 409
    code = "decision_refused"


class AlreadyDecided(DecisionRefused):
    code = "already_decided"
    sentence = gettext_lazy("This was decided in the meantime. Look at it again.")


class NothingConcerned(DecisionRefused):
    status = 400
    code = "nothing_concerned"
    sentence = gettext_lazy("Votes of another voter or arena were named. Name votes of the voter in this arena.")


class ReasonMissing(DecisionRefused):
    status = 400
    code = "reason_missing"
    sentence = gettext_lazy("Say in a sentence why.")
