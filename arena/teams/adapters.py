"""Where the account library asks us: who may sign up, and how secrets are kept."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from arena.teams import invitations, voters
from arena.teams.lockout import whose_address
from arena.teams.models import Invitation, Membership

INVITED = "invited"
"""In the session of whoever opened a good link: what lets them make an account."""

SAID_ANYWAY = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


def may_sign_up(request: HttpRequest) -> bool:
    """Whoever holds an invitation or is a member by this browser; anybody where ARENA_SIGN_UP=open."""
    if settings.SIGN_UP == "open":
        return True
    voter = voters.voter_of(request)
    if voter is not None and Membership.objects.filter(voter=voter, ended_at__isnull=True).exists():
        return True
    held = Invitation.objects.select_related("arena").filter(pk=request.session.get(INVITED, 0)).first()
    return held is not None and invitations.is_good(held, now=timezone.now())


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return may_sign_up(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom the account library's own limits count."""
        return whose_address(str(super().get_client_ip(request)))

    def add_message(
        self, request: HttpRequest, level: int, message_template: Any = None, *args: Any, **kw: Any
    ) -> None:
        """What the next page says anyway, who is signed in, is not said again."""
        if message_template not in SAID_ANYWAY:
            super().add_message(request, level, message_template, *args, **kw)


class DirectoryAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who signs in elsewhere is known elsewhere, not invited here: the same rule holds."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return may_sign_up(request)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """A new account keeps what this browser's voter did; where there is a form, that asks."""
        user = super().save_user(request, sociallogin, form)
        if form is None:
            voters.adopt(request, user)
        return user


class SecretsAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors are encrypted at rest, by a key made of SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return str(_cipher().encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        return str(_cipher().decrypt(encrypted_text.encode()).decode())

    def build_totp_svg(self, url: str) -> str:
        """To stand in the page itself: an image from a data address would need a wider policy."""
        whole = str(super().build_totp_svg(url))
        return whole[whole.index("<svg") :]


def _cipher() -> Any:
    from cryptography.fernet import Fernet  # loaded when somebody has a second factor

    key = hashlib.sha256(b"arena.teams.second-factor" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
