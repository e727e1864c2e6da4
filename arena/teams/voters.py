"""Who votes: the account's voter for signed-in people, else the voter named by a signed cookie. Writes `Voter`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from arena.teams.models import Voter

COOKIE = "voter"
LIFETIME = timedelta(days=365)
_signer = signing.TimestampSigner(salt="arena.teams.voters")


def voter_of(request: HttpRequest) -> Voter | None:
    """The voter behind a request, or None for somebody who never opened a battle."""
    return voter_from_scope_cookie(request.COOKIES.get(COOKIE), request.user)


def voter_from_scope_cookie(cookie: str | None, user: AbstractBaseUser | AnonymousUser | None) -> Voter | None:
    """The voter behind a request or a socket: the account's when signed in, else the cookie's.

    The cookie of an account's voter counts only while that account is signed in: whoever comes next to a shared
    computer does not vote in its name.
    """
    if user is not None and user.is_authenticated:
        return Voter.objects.filter(user_id=user.pk).first()
    voter = voter_from_cookie(cookie)
    return voter if voter is not None and voter.user_id is None else None


def is_voter(voter: Voter, cookie: str | None, user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Whether this voter is the one behind a request or socket, by the same rule as `voter_from_scope_cookie`."""
    if user is not None and user.is_authenticated:
        return bool(voter.user_id == user.pk)
    return voter.user_id is None and public_id_in(cookie) == voter.public_id


def ensure_voter(request: HttpRequest) -> Voter:
    """The voter behind a request, made if there is none yet. Two first requests of one account make one voter."""
    user = request.user
    if user.is_authenticated:
        return Voter.objects.get_or_create(user=user)[0]
    return voter_of(request) or Voter.objects.create()


def has_account(voter: Voter) -> bool:
    """Whether this voter has an account that cost more than a cookie: where anybody may sign up, a confirmed address.

    Without a mail server nothing is ever confirmed, and such accounts are counted as cookies are.
    """
    if voter.user_id is None or settings.SIGN_UP != "open":
        return voter.user_id is not None
    return bool(EmailAddress.objects.filter(user=voter.user_id, verified=True).exists())


def declare_affiliation(voter: Voter, organization: str) -> None:
    """Whose competitors this voter is not shown from now on, in any arena; nobody's when empty."""
    voter.affiliation = " ".join(organization.split())[:120]
    Voter.objects.filter(pk=voter.pk).update(affiliation=voter.affiliation)


def adopt(request: HttpRequest, user: AbstractBaseUser) -> Voter | None:
    """At the making of an account: what this browser's voter did and was admitted to becomes the account's.

    Only then. An account that has a voter keeps to it: two voters' battles on one prompt in one person's hands would
    let the reveal of one name the answers of the other. Returns the voter, or None where there is nothing to adopt.
    """
    voter = voter_from_cookie(request.COOKIES.get(COOKIE))
    if voter is None or Voter.objects.filter(user_id=user.pk).exists():
        return None
    if not Voter.objects.filter(pk=voter.pk, user__isnull=True).update(user_id=user.pk):
        return None  # another account's by now
    voter.user_id = user.pk
    return voter


def forget(voter: Voter) -> None:
    """Cuts the voter off from account, browser and declared affiliation: from now on a number that nobody holds."""
    Voter.objects.filter(pk=voter.pk).update(user=None, affiliation="", public_id=uuid4())


def remember(response: HttpResponseBase, voter: Voter) -> None:
    """Set the cookie by which this browser is known from now on; it says nothing but the voter's public id."""
    response.set_cookie(
        COOKIE,
        cookie_value(voter),
        max_age=LIFETIME,
        httponly=True,
        secure=settings.IS_SECURE,
        samesite="Lax",
    )


def cookie_value(voter: Voter) -> str:
    """The signed value of the voter's cookie."""
    return _signer.sign(voter.public_id.hex)


def voter_from_cookie(value: str | None) -> Voter | None:
    """The voter a cookie names; None when it is missing, tampered with or older than a year.

    It may be an account's voter: sockets that know their user ask `voter_from_scope_cookie` instead.
    """
    public_id = public_id_in(value)
    return Voter.objects.filter(public_id=public_id).first() if public_id else None


def public_id_in(cookie: str | None) -> UUID | None:
    """The voter's public id that a cookie names; None when it is missing, tampered with or older than a year."""
    try:
        return UUID(hex=_signer.unsign(cookie, max_age=LIFETIME)) if cookie else None
    except (signing.BadSignature, ValueError):
        return None
