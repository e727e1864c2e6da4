"""Rules, actions and who decided, as people read them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from arena.integrity.models import Exclusion


def rule_word(rule: str) -> str:
    """What a rule looks at, without how: whoever reads it may be the one it looks for."""
    return {
        "D1": _("campaign for or against a competitor"),
        "D2": _("new accounts against older ones"),
        "D4": _("campaign among accounts that belong together"),
        "selection": _("votes only where one competitor appears"),
        "one side": _("always the same side"),
        "by hand": _("a reviewer's own finding"),
    }.get(rule, rule)


def decided_word(action: str, by: str) -> str:
    """What was done and by whom."""
    done = _("excluded") if action == Exclusion.Action.EXCLUDED else _("held")
    return _("%(done)s automatically") % {"done": done} if by == Exclusion.By.AUTOMATIC else _(
        "%(done)s by a reviewer") % {"done": done}  # fmt: skip
