"""What decided a vote, said afterwards; the only writer of notes. A note never changes its vote."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from arena.battles.errors import BattleError, NotYetVoted, NotYours
from arena.battles.models import Battle, Vote, VoteNote
from arena.teams.models import Voter

TAGS = {
    "accuracy": _("Accuracy"),
    "completeness": _("Completeness"),
    "clarity": _("Clarity"),
    "tone": _("Tone"),
    "format": _("Format"),
    "code": _("Code"),
    "instructions": _("Followed instructions"),
}
MAX_COMMENT = 500


class UnknownTag(BattleError):
    code = "unknown_tag"
    sentence = _("“%(tag)s” is not a tag here: use %(allowed)s.")


class CommentTooLong(BattleError):
    code = "comment_too_long"
    sentence = _("The comment has %(length)s characters; at most %(limit)s are kept. Shorten it.")


def write_note(battle: Battle, voter: Voter, *, tags: Iterable[str], comment: str, now: datetime) -> VoteNote:
    """Tags and comment beside a committed vote. Raises NotYours, NotYetVoted, UnknownTag, CommentTooLong."""
    if battle.voter_id != voter.pk:
        raise NotYours
    chosen = sorted(set(tags), key=list(TAGS).index) if set(tags) <= set(TAGS) else None
    if chosen is None:
        raise UnknownTag(tag=next(t for t in tags if t not in TAGS)[:40], allowed=", ".join(TAGS))
    comment = comment.replace("\x00", "").strip()
    if len(comment) > MAX_COMMENT:
        raise CommentTooLong(length=len(comment), limit=MAX_COMMENT)
    with transaction.atomic():
        vote = Vote.objects.filter(battle=battle).first()
        if vote is None:
            raise NotYetVoted
        values = {"tags": chosen, "comment": comment, "updated_at": now}
        note, _created = VoteNote.objects.update_or_create(vote=vote, defaults=values)
    return note
