"""Who is behind a request or a socket: an account, a browser's cookie, or nobody we know."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q
from django.http import HttpRequest

from arena.teams.models import Arena, Membership, Voter
from arena.teams.voters import COOKIE, public_id_in

User = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Limits:
    """What an API token leaves of what its account may: these actions, and perhaps one arena alone."""

    actions: frozenset[str]
    arena_id: int | None = None

    def allow(self, action: str, arena: Arena | None) -> bool:
        """Whether this action is among what is left, in this arena."""
        elsewhere = self.arena_id is not None and (arena is None or arena.pk != self.arena_id)
        return action in self.actions and not elsewhere


class Person:
    """An account if one is signed in, else the voter whom the cookie names. Each role is looked up once."""

    def __init__(self, user: User, cookie: str | None = None, *, limits: Limits | None = None) -> None:
        self.user = user
        self.limits = limits
        self.voter_public_id: UUID | None = None if user.is_authenticated else public_id_in(cookie)
        self._roles: dict[int, str | None] = {}

    @classmethod
    def of_voter(cls, voter: Voter) -> Person:
        """The person that this voter is, where no request tells."""
        person = cls(voter.user or AnonymousUser())
        person.voter_public_id = None if voter.user_id else voter.public_id
        return person

    @property
    def is_operator(self) -> bool:
        """Whether this person operates the instance."""
        return bool(self.user.is_authenticated and self.user.is_active and getattr(self.user, "is_staff", False))

    def memberships(self, path: str = "") -> Q:
        """The condition for this person's memberships; `path` leads to them, as in "memberships__".

        A cookie stands for its voter only while that voter has no account, as in `teams.voters`.
        """
        if self.user.is_authenticated:
            return Q(**{f"{path}voter__user": self.user.pk}) if self.user.is_active else Q(pk__in=())
        if self.voter_public_id is None:
            return Q(pk__in=())
        of_cookie = {f"{path}voter__public_id": self.voter_public_id, f"{path}voter__user__isnull": True}
        return Q(**of_cookie) & ~Q(**{f"{path}arena__access": Arena.Access.PRIVATE})

    def voter(self) -> Voter | None:
        """This person's voter, by the same rule; None for somebody who never opened a battle."""
        if self.user.is_authenticated:
            return Voter.objects.filter(user_id=self.user.pk).first()
        if self.voter_public_id is None:
            return None
        return Voter.objects.filter(public_id=self.voter_public_id, user__isnull=True).first()

    def role_in(self, arena: Arena) -> str | None:
        """This person's role in an arena; None for a stranger."""
        if arena.pk not in self._roles:
            mine = Membership.objects.filter(self.memberships(), arena=arena, ended_at__isnull=True)
            self._roles[arena.pk] = mine.values_list("role", flat=True).first()
        return self._roles[arena.pk]


def person_of(request: HttpRequest) -> Person:
    """The person behind a request, the same object for as long as it is answered."""
    known: Person | None = getattr(request, "_person", None)
    if known is None or known.user != request.user:
        known = Person(request.user, request.COOKIES.get(COOKIE))
        request._person = known  # type: ignore[attr-defined]
    return known
