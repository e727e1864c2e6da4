"""What pages and the API say of prompts' records, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboards.prompt_records import PromptRecord

if TYPE_CHECKING:
    from ratings.separation import Saturation


def verdict_word(record: PromptRecord) -> str:
    """What a prompt separates, in a few words."""
    if record.verdict == "nothing":
        return {
            "ceiling": _("nothing: ties"),
            "floor": _("nothing: both bad"),
            "even": _("nothing: evenly split"),
        }[record.kind]
    return {
        "separates": _("yes"),
        "otherwise": _("not as the ratings do"),
        "cannot_tell": _("cannot tell"),
        "too_few": _("too few votes"),
    }[record.verdict]


def saturation_sentence(worn: Saturation) -> str:
    """How worn a set is: what ceased to tell competitors apart and why, what tells, and what nobody knows."""
    if worn.share is None or worn.lower is None or worn.upper is None:
        return _("No prompt in service has ten votes yet: nobody can tell what the set still separates.")
    share = {
        "nothing": worn.nothing, "judged": worn.judged, "share": round(100 * worn.share),
        "low": round(100 * worn.lower), "high": round(100 * worn.upper),
    }  # fmt: skip
    says = _("At least %(nothing)d of %(judged)d judged prompts separate nothing any more: %(share)d %%, interval "
             "%(low)d to %(high)d %%.")  # fmt: skip
    return " ".join([says % share, *_why(worn), *_rest(worn)])


def _why(worn: Saturation) -> list[str]:
    if not worn.nothing:
        return []
    says = _("At the ceiling, where votes are ties: %(ceiling)d. At the floor, where both answers are bad: %(floor)d. "
             "Evenly split: %(even)d.")  # fmt: skip
    return [says % {"ceiling": worn.ceiling, "floor": worn.floor, "even": worn.even}]


def _rest(worn: Saturation) -> list[str]:
    alive = worn.separates + worn.otherwise
    said = [ngettext("%(n)d prompt separates.", "%(n)d prompts separate.", alive) % {"n": alive}]
    if worn.cannot_tell:
        said.append(_("Of %(n)d nobody can tell yet.") % {"n": worn.cannot_tell})
    if worn.too_few:
        few = ngettext("%(n)d more has too few votes.", "%(n)d more have too few votes.", worn.too_few)
        said.append(few % {"n": worn.too_few})
    return said
