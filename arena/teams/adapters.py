"""Where the account library asks us: who may sign up, and how secrets are kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.core.mail import get_connection
from django.http import HttpRequest
from django.utils import timezone

from arena.teams import api_tokens, invitations, mail, organization, voters
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
    _connection: Any = None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return may_sign_up(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom the account library's own limits count."""
        return whose_address(str(super().get_client_ip(request)))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises MailNotSent; then the next try is not put off as a second mail would be."""
        try:
            with get_connection() as self._connection:  # which is closed where it fails to open, too
                super().send_mail(template_prefix, email, context)
        except mail.REFUSED as error:
            ratelimit.clear(self.request, action="confirm_email", key=email.lower())
            raise mail.MailNotSent(template_prefix, error) from error

    def render_mail(self, *args: Any, **kwargs: Any) -> Any:
        letter = super().render_mail(*args, **kwargs)
        letter.connection = self._connection
        return letter

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

    def authenticate_by_email(self, sociallogin: Any) -> Any:
        """An account here is met by its address only where the organization says that it has confirmed the address.

        Some say so in text, where "false" would be true.
        """
        for address in sociallogin.email_addresses:
            address.verified = address.verified in (True, "true", "True")
        return super().authenticate_by_email(sociallogin)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Whoever gave somebody else's address here, unconfirmed, keeps nothing of the account once its owner comes.

        The account library then takes away the password, and with it every session; the tokens are ours.
        """
        met_by_address = sociallogin.is_existing and sociallogin.account.pk is None
        if met_by_address and not _has_confirmed(sociallogin.user, sociallogin.email_addresses):
            api_tokens.revoke_all(sociallogin.user, now=timezone.now())

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Says what went wrong; who has cancelled it has a page of its own."""
        if error != AuthError.CANCELLED:
            was_begun = "state" in (extra_context or {})
            page = organization.failed(request, provider.name, exception, was_begun=was_begun)
            raise ImmediateHttpResponse(page)

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


def _has_confirmed(user: Any, addresses: Sequence[Any]) -> bool:
    given = {address.email.casefold() for address in addresses if address.verified}
    confirmed = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return any(email.casefold() in given for email in confirmed)


def _cipher() -> Any:
    from cryptography.fernet import Fernet  # loaded when somebody has a second factor

    key = hashlib.sha256(b"arena.teams.second-factor" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
