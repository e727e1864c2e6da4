"""Prompt sets are looked after: corrected, tagged, split, sealed, retired by hand or by their rolling window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from arena.prompts.checks import specs
from arena.prompts.checks.specs import BadSpec
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.prompt_rows import LONGEST_PROMPT, LONGEST_TAG, MOST_TAGS


class KeepingRefused(Exception):
    """A change to a prompt or a set is not possible; says why and what to do."""


class ChecksRefused(KeepingRefused):
    """Objective checks cannot be run as they are written."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What may be said of a prompt at any time: nothing that voters or competitors are shown."""

    category: str
    language: str
    tags: list[str]
    source: str
    checks: str | None = None
    """As written; None leaves them as they are."""


def retire(prompts: Sequence[int], *, now: datetime) -> int:
    """Take prompts out of the draw; their battles and answers stay. Counts those newly retired."""
    return Prompt.objects.filter(pk__in=prompts, retired_at__isnull=True).update(retired_at=now)


def restore(prompts: Sequence[int]) -> int:
    """Put prompts back into the draw, but for those that another has replaced. Counts them."""
    return Prompt.objects.filter(pk__in=prompts, retired_at__isnull=False, replacements__isnull=True).update(
        retired_at=None
    )


def retire_stale(*, now: datetime) -> int:
    """Retire what has left the rolling window of its set; the worker's duty. Counts those newly retired."""
    retired = 0
    for pk, days in PromptSet.objects.filter(window_days__isnull=False).values_list("pk", "window_days"):
        since = now - timedelta(days=days or 0)
        old = Prompt.objects.filter(prompt_set=pk, retired_at__isnull=True, created_at__lt=since)
        retired += old.update(retired_at=now)
    return retired


def edit(prompt: Prompt, messages: Sequence[str], facts: Facts, *, now: datetime) -> Prompt:
    """The prompt as it now reads: itself while nobody answered it, else a new one that replaces it.

    Answers and votes are about the very messages that were answered. The one that is replaced is retired; the new one
    is served when it has answers of its own. Raises KeepingRefused.
    """
    _check(messages, facts)
    checks = prompt.checks if facts.checks is None else read_checks(facts.checks)
    with transaction.atomic():
        old = Prompt.objects.select_for_update().get(pk=prompt.pk)
        if list(messages) == old.messages:
            _describe(old, facts, checks)
        elif not RecordedAnswer.objects.filter(prompt=old).exists():
            old.text, old.follow_ups, old.turn_count = messages[0], list(messages[1:]), len(messages)
            _describe(old, facts, checks)
        else:
            return _replaced(old, messages, facts, checks, now=now)
    return old


def read_checks(text: str) -> dict[str, Any]:
    """Checks as somebody wrote them. Raises ChecksRefused."""
    try:
        return specs.parsed(text)
    except BadSpec as bad:
        raise ChecksRefused(str(bad)) from None


def _describe(prompt: Prompt, facts: Facts, checks: dict[str, Any]) -> None:
    prompt.checks = checks
    prompt.category, prompt.language = facts.category, facts.language
    prompt.tags, prompt.source = list(facts.tags), facts.source
    prompt.save()


def _replaced(
    old: Prompt, messages: Sequence[str], facts: Facts, checks: dict[str, Any], *, now: datetime
) -> Prompt:  # fmt: skip
    if old.replacements.exists():
        raise KeepingRefused(_("This prompt was replaced already. Edit the one that replaced it."))
    new = Prompt(
        prompt_set_id=old.prompt_set_id,
        key=_next_key(old),
        text=messages[0],
        follow_ups=list(messages[1:]),
        turn_count=len(messages),
        replaces=old,
        created_at=now,
    )
    _describe(new, facts, checks)
    retire([old.pk], now=now)
    return new


def _next_key(old: Prompt) -> str:
    """The key with the first free number behind it."""
    taken = set(Prompt.objects.filter(prompt_set=old.prompt_set_id).values_list("key", flat=True))
    number = 2
    while (key := f"{old.key[:72]}-{number}") in taken:
        number += 1
    return key


def _check(messages: Sequence[str], facts: Facts) -> None:
    if not messages or not all(message.strip() for message in messages):
        raise KeepingRefused(_("A prompt needs a text. Fill it in, or retire the prompt."))
    longest = max(len(message) for message in messages)
    if longest > LONGEST_PROMPT:
        says = _("A message has %(length)d characters. Use at most %(most)d.")
        raise KeepingRefused(says % {"length": longest, "most": LONGEST_PROMPT})
    if any("\x00" in text for text in (*messages, facts.category, facts.language, facts.source, *facts.tags)):
        raise KeepingRefused(_("NUL characters cannot be stored. Remove them."))
    for value, most in ((facts.category, 60), (facts.language, 20), (facts.source, 200)):
        if len(value) > most:
            says = _("“%(value)s” is too long. Use at most %(most)d characters.")
            raise KeepingRefused(says % {"value": value, "most": most})
    check_tags(facts.tags)


def check_tags(tags: Sequence[str]) -> None:
    """Raises KeepingRefused where there are too many, or one is too long."""
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        says = _("Use at most %(most)d tags of %(longest)d characters.")
        raise KeepingRefused(says % {"most": MOST_TAGS, "longest": LONGEST_TAG})


def tag(prompts: Sequence[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
    """Add and take tags; counts the prompts whose tags differ now. Raises KeepingRefused."""
    changed = []
    with transaction.atomic():
        for prompt in Prompt.objects.select_for_update().filter(pk__in=prompts):
            tags = [word for word in dict.fromkeys([*prompt.tags, *add]) if word not in remove]
            if tags != prompt.tags:
                check_tags(tags)
                prompt.tags = tags
                changed.append(prompt)
        Prompt.objects.bulk_update(changed, ["tags"], batch_size=500)
    return len(changed)


def categorise(prompts: Sequence[int], category: str) -> int:
    """Put prompts into a category; counts them. Raises KeepingRefused."""
    if len(category) > 60 or "\x00" in category:
        raise KeepingRefused(_("“%(value)s” is no category. Use at most 60 characters.") % {"value": category[:80]})
    return Prompt.objects.filter(pk__in=prompts).exclude(category=category).update(category=category)


def describe_set(
    prompt_set: PromptSet, *, name: str, source: str, window_days: int | None, checks: str | None = None
) -> None:
    """Name, source, rolling window and checks of a set; None leaves the checks. Raises KeepingRefused."""
    name, source = name.strip(), source.strip()
    if not 0 < len(name) <= 80 or len(source) > 200 or "\x00" in name + source:
        raise KeepingRefused(_("A set has a name of 1 to 80 characters, and a source of at most 200."))
    same = PromptSet.objects.filter(arena=prompt_set.arena_id, name=name).exclude(pk=prompt_set.pk)
    if same.exists():
        raise KeepingRefused(_("There is a set %(name)s already. Give another name.") % {"name": name})
    if window_days is not None and not 1 <= window_days <= 36_500:
        raise KeepingRefused(_("A rolling window has 1 to 36,500 days. Leave it empty for none."))
    if checks is not None:
        prompt_set.checks = read_checks(checks)
    prompt_set.name, prompt_set.source, prompt_set.window_days = name, source, window_days
    prompt_set.save(update_fields=["name", "source", "window_days", "checks"])


def seal(prompt_set: PromptSet) -> None:
    """Show a set's texts in battles alone from now on. What was sealed is not unsealed: it may have been promised."""
    PromptSet.objects.filter(pk=prompt_set.pk).update(is_sealed=True)
    prompt_set.is_sealed = True


def shown_outside(prompt: Prompt) -> str:
    """What pages outside of battles may show of a prompt: its first message, or the key alone where it is sealed."""
    if prompt.prompt_set.is_sealed:
        return _("Sealed prompt %(key)s") % {"key": prompt.key}
    return prompt.text
