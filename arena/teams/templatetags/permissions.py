"""What pages ask about whoever reads them."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from arena.teams.permissions import Action, may, sees_a_console
from arena.teams.person import person_of

register = template.Library()


@register.simple_tag(takes_context=True)
def console_address(context: template.Context) -> str:
    """Where this person's console is: that of the page's arena, else the list of all; empty for everybody else.

    Error pages are rendered without a request, and offer none.
    """
    request: Any = context.get("request")
    if request is None or not hasattr(request, "user"):
        return ""
    person, arena = person_of(request), context.get("arena")
    if arena is None or arena.pk is None:
        return reverse("console:index") if sees_a_console(person) else ""
    return reverse("console:overview", args=[arena.slug]) if may(person, Action.SEE_CONSOLE, arena) else ""


@register.simple_tag(takes_context=True)
def may_do(context: template.Context, word: str) -> bool:
    """Whether this person may do that in the page's arena, so that nothing is offered that would be refused."""
    return may(person_of(context["request"]), Action(word), context["arena"])
