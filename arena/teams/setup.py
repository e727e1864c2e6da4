"""Who operates this instance: the first account by the link a start prints, others by command. Writes `SetupLink`."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from arena.teams import api_tokens, tokens
from arena.teams.models import SetupLink

PURPOSE = "setup"
FIRST_LASTS, OTHERS_LAST = timedelta(days=7), timedelta(days=1)


class SetupRefused(Exception):
    """A link that makes nobody an operator, or not any more."""

    def __init__(self) -> None:
        super().__init__(_("This link was used, has expired, or is not complete. A new one is made by a command."))


def first_link(*, now: datetime) -> str | None:
    """A new token for the first account, in place of earlier ones; None where somebody has an account."""
    if User.objects.exists():
        return None
    SetupLink.objects.filter(email="", used_at__isnull=True).delete()
    return _make("", now + FIRST_LASTS)


def owner_link(email: str, *, now: datetime) -> str:
    """A new token for this address, new or known; earlier ones for it are void."""
    SetupLink.objects.filter(email__iexact=email, used_at__isnull=True).delete()
    return _make(email, now + OTHERS_LAST)


def _make(email: str, expires_at: datetime) -> str:
    token = tokens.mint(PURPOSE)
    SetupLink.objects.create(token_hash=tokens.digest(token), email=email, expires_at=expires_at)
    return token


def link_of(token: str, *, now: datetime) -> SetupLink:
    """The link, still good. Raises SetupRefused, alike for every reason."""
    good = SetupLink.objects.filter(token_hash=tokens.digest(token), used_at__isnull=True, expires_at__gt=now)
    link = good.first() if tokens.is_genuine(token, PURPOSE) else None
    if link is None or (not link.email and User.objects.exists()):
        raise SetupRefused
    return link


def finish(link: SetupLink, *, email: str, password: str, now: datetime) -> tuple[User, bool]:
    """The operator's account and whether it is new; uses the link up. Raises SetupRefused."""
    with transaction.atomic():
        used = SetupLink.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=now)
        if not used or (not link.email and User.objects.exists()):
            raise SetupRefused
        address = link.email or email
        known = User.objects.filter(email__iexact=address).first()
        user = known or User(username=address[:150], email=address)
        user.is_staff = user.is_superuser = user.is_active = True
        user.set_password(password)
        user.save()
        api_tokens.revoke_all(user, now=now)  # whoever made them may have known the old password
        # Whoever runs the machine vouches for it: it needs no mail to be confirmed.
        EmailAddress.objects.update_or_create(user=user, email=address, defaults={"primary": True, "verified": True})
    return user, known is None
