"""What decided a vote, said afterwards; the only writer of notes. A note never changes its vote."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from arena.battles.errors import BattleError, CommentNotOffered, NotYetVoted, NotYours
from arena.battles.models import Battle, Vote, VoteNote
from arena.teams.models import Arena, Voter

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


def tags_of(arena: Arena) -> dict[str, str]:
    """What may have decided a vote here, label by stored word: the arena's own list, else the usual ones."""
    return {word: word for word in arena.tags} if arena.tags else {word: str(label) for word, label in TAGS.items()}


def write_note(battle: Battle, voter: Voter, *, tags: Iterable[str], comment: str, now: datetime) -> VoteNote:
    """Tags and comment beside a committed vote.

    Raises NotYours, NotYetVoted, UnknownTag, CommentTooLong, CommentNotOffered.
    """
    if battle.voter_id != voter.pk:
        raise NotYours
    offered, given = list(tags_of(battle.arena)), set(tags)
    unknown = sorted(given - set(offered))
    if unknown:
        raise UnknownTag(tag=unknown[0][:40], allowed=", ".join(offered))
    comment = comment.replace("\x00", "").strip()
    if len(comment) > MAX_COMMENT:
        raise CommentTooLong(length=len(comment), limit=MAX_COMMENT)
    if comment and not battle.arena.allow_comment:
        raise CommentNotOffered
    with transaction.atomic():
        vote = Vote.objects.filter(battle=battle).first()
        if vote is None:
            raise NotYetVoted
        values = {"tags": sorted(given, key=offered.index), "comment": comment, "updated_at": now}
        note, _created = VoteNote.objects.update_or_create(vote=vote, defaults=values)
    return note


def forget_comments(voter: Voter) -> int:
    """Deletes what this voter wrote beside votes; tags, which are of a list, stay. Says how many had a comment."""
    return VoteNote.objects.filter(vote__voter=voter).exclude(comment="").update(comment="")
