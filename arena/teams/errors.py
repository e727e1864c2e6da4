"""What can be refused to whoever joins an arena, or changes who belongs to it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from arena.refusals import Refusal


class InvitationRefused(Refusal):
    """A link that admits nobody, or not any more."""

    status = 410


class UnknownInvitation(InvitationRefused):
    status = 404
    code = "unknown"
    sentence = _("This link is not complete. Copy it again from where you got it.")


class InvitationRevoked(InvitationRefused):
    code = "revoked"
    sentence = _("This invitation was withdrawn. Ask whoever sent it for a new one.")


class InvitationExpired(InvitationRefused):
    code = "expired"
    sentence = _("This invitation has expired. Ask whoever sent it for a new one.")


class InvitationUsedUp(InvitationRefused):
    code = "used_up"
    sentence = _("This invitation has been used as often as it may. Ask whoever sent it for a new one.")


class MembershipRefused(Refusal):
    """A change of members that may not be."""

    status = 409


class NeedsAccount(MembershipRefused):
    code = "needs_account"
    sentence = _("Only somebody with an account can take this role: they sign up first.")


class LinkNeedsAccount(NeedsAccount):
    status = 403
    sentence = _("This invitation is for people with an account: sign in, or make one.")


class MembershipEnded(MembershipRefused):
    status = 403
    code = "ended"
    sentence = _("Your place here has ended. Ask whoever runs the arena for a new invitation.")


class LastOwner(MembershipRefused):
    code = "last_owner"
    sentence = _("This is the arena's only owner: make somebody else an owner first.")
