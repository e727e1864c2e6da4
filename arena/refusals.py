"""What every refusal has: a status for HTTP, a stable word, and a sentence for whoever asked."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """Base of what a room refuses; adaptors translate it once. The facts fill the sentence's places."""

    status = 400
    code = "refused"
    sentence = _("This is not possible.")

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(str(self.sentence) % facts if facts else str(self.sentence))
