"""What a run of a prompt set may be refused for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _


class GenerationRefused(Exception):
    """A run cannot be started, stopped or resumed; the sentence says why and what to do."""


class NothingToAsk(GenerationRefused):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("No competitor of this arena can be asked about the set %(set)s. Add one with an endpoint first.")
            % {"set": name}
        )


class NothingMissing(GenerationRefused):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("Every chosen competitor has answered every prompt of the set %(set)s already.") % {"set": name}
        )


class NoPrice(GenerationRefused):
    def __init__(self, label: str) -> None:
        super().__init__(
            _(
                "%(name)s has no price, so a budget cannot be kept. Give it prices a million tokens: 0 if it costs "
                "nothing."
            )
            % {"name": label}
        )


class AlreadyRunning(GenerationRefused):
    def __init__(self, name: str) -> None:
        super().__init__(_("The set %(set)s is being run already. Wait for it, or stop it first.") % {"set": name})


class AtAnEnd(GenerationRefused):
    def __init__(self, state: str) -> None:
        super().__init__(_("This run has ended (%(state)s). Start a new one.") % {"state": state})


class OtherConditions(GenerationRefused):
    def __init__(self, label: str) -> None:
        super().__init__(
            _(
                "%(name)s has answers that were made elsewhere or under other settings. One competitor answers under "
                "one set of conditions: make a new version of it and ask that one."
            )
            % {"name": label}
        )
