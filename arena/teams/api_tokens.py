"""Programs that act for an account. The only writer of `ApiToken`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from arena.teams import tokens
from arena.teams.models import ApiToken, Arena
from arena.teams.permissions import INSTANCE, Action
from arena.teams.person import Limits

PURPOSE = "api"
USE_IS_NOTED_EVERY = timedelta(hours=1)


class Scope(models.TextChoices):
    """What a token may be given of what its account may."""

    READ = "read", _("read: arenas, boards, what the account sees")
    VOTE = "vote", _("vote: be served battles, and judge them")
    CONFIGURE = "configure", _("configure: settings, prompts, answers, people")
    EXPORT = "export", _("export: votes with everything")


GRANTED: dict[str, frozenset[Action]] = {
    Scope.READ: frozenset({Action.SEE_BOARD, Action.SEE_CONSOLE}),
    Scope.VOTE: frozenset({Action.VOTE}),
    Scope.CONFIGURE: frozenset({Action.CONFIGURE, Action.REVIEW, Action.MANAGE_PEOPLE}) | INSTANCE,
    Scope.EXPORT: frozenset({Action.EXPORT_FULL}),
}


def make(
    user: User, *, name: str, scopes: Sequence[str], expires_at: datetime, arena: Arena | None = None
) -> tuple[ApiToken, str]:
    """A new token's row and the token, which nobody can be told again. Raises ValueError for an unknown scope."""
    token = tokens.mint(PURPOSE)
    made = ApiToken.objects.create(
        user=user, arena=arena, name=name, token_hash=tokens.digest(token), expires_at=expires_at,
        scopes=sorted({Scope(scope).value for scope in scopes}),
    )  # fmt: skip
    return made, token


def good_ones(rows: QuerySet[ApiToken], *, now: datetime) -> QuerySet[ApiToken]:
    """Those that still open something."""
    here = Q(arena__isnull=True) | Q(arena__archived_at__isnull=True)
    return rows.filter(here, revoked_at__isnull=True, expires_at__gt=now, user__is_active=True).order_by("-id")


def token_of(raw: str, *, now: datetime) -> ApiToken | None:
    """The token behind what a program sent, with its account; None unless it is good. Notes its use now and then."""
    if not tokens.is_genuine(raw, PURPOSE):
        return None
    rows = ApiToken.objects.filter(token_hash=tokens.digest(raw)).select_related("user", "arena")
    token = good_ones(rows, now=now).first()
    if token is not None and (token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def limits_of(token: ApiToken) -> Limits:
    """What the token leaves of what its account may."""
    granted = [GRANTED[scope] for scope in token.scopes if scope in GRANTED]
    return Limits(frozenset[str]().union(*granted), token.arena_id)


def revoke(token: ApiToken, *, now: datetime) -> None:
    """From now on it opens nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)


def revoke_all(user: User, *, now: datetime) -> None:
    """Every token of an account: before it may more than it might when they were made."""
    ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=now)
