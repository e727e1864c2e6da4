"""What can be refused in a battle."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from arena.refusals import Refusal


class BattleError(Refusal):
    """Base of every refusal in a battle; its sentence is for the voter and names nobody."""


class UnknownWinner(BattleError):
    code = "unknown_winner"
    sentence = _("“%(winner)s” is not an outcome: use a, b, tie or both_bad.")


class OutcomeNotOffered(BattleError):
    code = "outcome_not_offered"
    sentence = _("“%(winner)s” is not offered in this arena: use %(allowed)s.")


class SkipNotOffered(BattleError):
    code = "skip_not_offered"
    sentence = _("Battles are not skipped in this arena: judge the open one, and the next one comes.")


class CommentNotOffered(BattleError):
    code = "comment_not_offered"
    sentence = _("This arena takes no comments. Leave the comment out.")


class PromptRefused(BattleError):
    code = "prompt_refused"


class PromptEmpty(PromptRefused):
    code = "prompt_empty"
    sentence = _("The prompt is empty: write something for both to answer.")


class PromptTooLong(PromptRefused):
    code = "prompt_too_long"
    sentence = _("The prompt has %(length)s characters; this arena takes at most %(limit)s. Shorten it and send again.")


class PromptNotText(PromptRefused):
    code = "prompt_not_text"
    sentence = _("The prompt holds characters that are not text (%(found)s): paste it as plain text.")


class NotAVoter(BattleError):
    status = 403
    code = "not_a_voter"
    sentence = _("Your role here is to look, not to vote.")


class NotFound(BattleError):
    status = 404
    code = "not_found"
    sentence = _("There is no such battle.")


class NotYours(BattleError):
    status = 403
    code = "not_yours"
    sentence = _("This battle was served to somebody else.")


class NotComplete(BattleError):
    status = 409
    code = "not_complete"
    sentence = _("Both answers must be complete first.")


class BattleClosed(BattleError):
    status = 409
    code = "closed"
    sentence = _("This battle is closed. Start the next one.")


class AlreadyVoted(BattleError):
    status = 409
    code = "already_voted"
    sentence = _("Your vote on this battle is saved and final.")


class BattleExpired(BattleError):
    status = 410
    code = "expired"
    sentence = _("This battle has expired. Start the next one.")


class NotYetVoted(BattleError):
    status = 409
    code = "not_yet_voted"
    sentence = _("The names are revealed after your vote.")


class RevealWithheld(BattleError):
    status = 403
    code = "reveal_withheld"
    sentence = _("This arena does not reveal names.")


class RevealLater(RevealWithheld):
    code = "reveal_at_the_end"
    sentence = _("The names are revealed when you have judged everything here.")


class TooManyTurns(BattleError):
    status = 409
    code = "too_many_turns"
    sentence = _("A battle here has at most %(limit)s turns. Please vote.")


class NothingLeft(BattleError):
    status = 409
    code = "nothing_left"
    sentence = _("You have judged everything here. Thank you.")


class VotingEnded(BattleError):
    status = 409
    code = "voting_ended"
    sentence = _("This arena is closed to votes. Nothing was counted.")


class ArenaClosed(BattleError):
    status = 409
    code = "arena_closed"
    sentence = _("This arena cannot serve battles now: %(reason)s")


class TooManyBattles(BattleError):
    status = 429
    code = "rate_limited"
    sentence = _("That is more battles than one person can judge. Wait %(seconds)s seconds and go on.")

    def __init__(self, *, seconds: int) -> None:
        self.retry_after = seconds
        super().__init__(seconds=seconds)


class TooManyFromHere(TooManyBattles):
    code = "rate_limited_here"
    sentence = _(
        "Many people are voting from your network just now, more than this arena takes at once. "
        "Try again in %(minutes)s min; with an account or an invitation you need not wait."
    )

    def __init__(self, *, seconds: int) -> None:
        self.retry_after = seconds
        BattleError.__init__(self, minutes=-(-seconds // 60))


class NameFixed(Refusal):
    """A competitor's name that stays."""

    status = 409
    code = "name_fixed"


class NameAnswered(NameFixed):
    sentence = _("It has answered: its name stays, as everything that makes it.")


class NameDrawn(NameFixed):
    sentence = _("It has been drawn for a battle: its name stays, for boards may know it.")


class NameShared(NameFixed):
    sentence = _("Its other versions have the same name, which therefore stays.")
