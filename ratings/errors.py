"""Named errors: each carries the offending value and says what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

MOST_SHOWN = 80
"""Characters of a value that a message repeats."""


def quoted(value: str) -> str:
    """A value for a message: in quotes, on one line, never long.

    Examples
    --------
    >>> quoted("one\\ntwo"), quoted("z" * 5_000_000)[-22:]
    ("'one\\\\ntwo'", "zz'… (5,000,000 chars)")
    """
    return repr(value) if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]!r}… ({len(value):,} chars)"


def unquoted(value: str) -> str:
    """The same without quotes, where it can do without."""
    return value if value.isprintable() and len(value) <= MOST_SHOWN else quoted(value)


class RatingsError(Exception):
    """Base of all errors of this package.

    Examples
    --------
    >>> from ratings import compare, from_columns
    >>> try:
    ...     compare(from_columns(["x"], ["y"], ["tie"]), "x", "z")
    ... except RatingsError as error:
    ...     print(error)
    'z' is none of the competitors: x, y.
    """


class BadInput(RatingsError):
    """A file or argument that cannot be used, with its place.

    Attributes
    ----------
    problem : str
        What is wrong, without the place.
    file, column : str
        Empty where there is none.
    line : int or None
        From 1, the header.
    item : int or None
        The number of the vote, from 1, where many share a line.
    """

    def __init__(
        self, problem: str, *, file: str = "", line: int | None = None, column: str = "", item: int | None = None
    ) -> None:
        self.problem, self.file, self.line, self.column, self.item = problem, file, line, column, item
        parts = (
            file,
            f"line {line}" if line else "",
            f"vote {item}" if item else "",
            f"column {column}" if column else "",
        )
        place = ", ".join(part for part in parts if part)
        super().__init__(f"{place}: {problem}" if place else problem)


class UnknownLabel(BadInput):
    """An outcome that is none of the allowed words; never taken for a tie.

    Attributes
    ----------
    value : str
    allowed : tuple of str
    """

    def __init__(self, value: str, allowed: Sequence[str], **place: object) -> None:
        self.value, self.allowed = value, tuple(allowed)
        way = f"translate it with --labels{_translated(value)}" if value.strip() else "remove the row."
        super().__init__(
            f"{quoted(value)} is not an outcome: use {', '.join(allowed)}, or {way}",
            **place,  # type: ignore[arg-type]
        )


def _translated(value: str) -> str:
    """What to type for a value behind --labels, quoted as a shell and the option itself ask for."""
    if unquoted(value) != value:
        return "."
    item = f"{value}=…" if not set(value) & set(',"') else '"' + value.replace('"', '""') + '=…"'
    return f" {item if value.replace('-', '_').isidentifier() or value.isdecimal() else shlex.quote(item)}"


class SelfComparison(BadInput):
    """A competitor against itself says nothing about anybody.

    Attributes
    ----------
    name : str
    """

    def __init__(self, name: str, **place: object) -> None:
        self.name = name
        super().__init__(f"{quoted(name)} is compared with itself: remove the row.", **place)  # type: ignore[arg-type]


class DuplicateVote(BadInput):
    """The same vote twice; `items` count votes where many share a line.

    Attributes
    ----------
    first, second : int
        Lines, from 1.
    """

    def __init__(
        self, key: str, first: int, second: int, *, file: str = "", column: str = "",
        items: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self.first, self.second = first, second
        one, two = (f" (vote {item})" for item in items) if items else ("", "")
        super().__init__(
            f"the vote {unquoted(key)} stands on line {first}{one} and again on line {second}{two}: remove one.",
            file=file, line=second, item=items[1] if items else None, column=column,
        )  # fmt: skip


class NotStronglyConnected(RatingsError):
    """No finite maximum-likelihood estimate exists (Ford 1957).

    Attributes
    ----------
    components : tuple of tuple of str
        The groups between which there is none, all of them; the message names ten groups by five names each. A fit of
        `Cells`, which hold no names, gives positions.
    """

    def __init__(self, components: Sequence[Sequence[str]]) -> None:
        self.components = tuple(tuple(names) for names in components)
        shown = "; ".join(", ".join(names[:5]) + (" …" if len(names) > 5 else "") for names in self.components[:10])
        if len(self.components) > 10:
            shown += f"; {len(self.components) - 10} more"
        super().__init__(
            "no finite estimate exists: some competitors never won against, or never lost to, the rest "
            f"(strong components: {shown}). Collect votes between them, or allow the stated prior."
        )
