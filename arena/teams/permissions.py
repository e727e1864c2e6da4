"""What each role may do in an arena: one table, asked by every page, API route and socket."""

from __future__ import annotations

from enum import StrEnum

from arena.teams.models import Arena, Membership, Role
from arena.teams.person import Person


class Action(StrEnum):
    """What somebody may be allowed to do; in one arena, but for the last two, which are about the whole instance."""

    VOTE = "vote"
    SEE_BOARD = "see_board"
    """The board and what is published beside it, when the arena shows it."""
    SEE_CONSOLE = "see_console"
    """Health, queue, progress, agreement, evidence, answers beside names."""
    CONFIGURE = "configure"
    """Settings, prompts, answers, competitors, imports, publication."""
    REVIEW = "review"
    """Decide about evidence: exclude votes, clear them."""
    MANAGE_PEOPLE = "manage_people"
    """Members, roles, cohorts, invite links, tokens of the arena."""
    EXPORT_FULL = "export_full"
    """Votes with everything that a public export withholds."""
    CREATE_ARENA = "create_arena"
    OPERATE = "operate"
    """Endpoints, which every arena of the instance shares."""


INSTANCE = frozenset({Action.CREATE_ARENA, Action.OPERATE})
GRANTS: dict[str, frozenset[Action]] = {
    Role.OWNER: frozenset(Action) - INSTANCE,
    Role.OPERATOR: frozenset({Action.VOTE, Action.SEE_BOARD, Action.SEE_CONSOLE, Action.CONFIGURE, Action.REVIEW}),
    Role.EXPERT: frozenset({Action.VOTE, Action.SEE_BOARD}),
    Role.VOTER: frozenset({Action.VOTE, Action.SEE_BOARD}),
    Role.AUDITOR: frozenset({Action.SEE_BOARD, Action.SEE_CONSOLE}),
}
ANYBODY = frozenset({Action.VOTE, Action.SEE_BOARD})
"""What an open arena allows to everybody."""


def may(person: Person, action: Action, arena: Arena | None = None) -> bool:
    """Whether this person may do this, in this arena. Those who operate the instance may everything."""
    if person.limits is not None and not person.limits.allow(action, arena):
        return False
    if person.is_operator:
        return True
    if arena is None or action in INSTANCE:
        return False
    if arena.access == Arena.Access.OPEN and action in ANYBODY:
        return True
    role = person.role_in(arena)
    return role is not None and action in GRANTS[role]


def sees_a_console(person: Person) -> bool:
    """Whether there is an arena whose console this person may see, or one that they could make."""
    if person.is_operator:
        return True
    roles = [role for role, granted in GRANTS.items() if Action.SEE_CONSOLE in granted]
    return Membership.objects.filter(person.memberships(), role__in=roles, ended_at__isnull=True).exists()
