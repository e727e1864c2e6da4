"""Named errors: each carries the offending value and says what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class RatingsError(Exception):
    """Base of all errors of this package."""


class BadInput(RatingsError):
    """A file or argument that cannot be used, with its place; `item` counts votes where many share a line."""

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
    """An outcome that is none of the allowed words; never taken for a tie."""

    def __init__(self, value: str, allowed: Sequence[str], **place: object) -> None:
        self.value, self.allowed = value, tuple(allowed)
        super().__init__(
            f"{value!r} is not an outcome: use {', '.join(allowed)}, or translate it with --labels {value}=…",
            **place,  # type: ignore[arg-type]
        )


class SelfComparison(BadInput):
    """A competitor against itself says nothing about anybody."""

    def __init__(self, name: str, **place: object) -> None:
        self.name = name
        super().__init__(f"{name!r} is compared with itself: remove the row.", **place)  # type: ignore[arg-type]


class DuplicateVote(BadInput):
    """The same vote twice; `items` count votes where many share a line."""

    def __init__(
        self, key: str, first: int, second: int, *, file: str = "", items: tuple[int, int] | None = None
    ) -> None:
        self.first, self.second = first, second
        one, two = (f" (vote {item})" for item in items) if items else ("", "")
        super().__init__(
            f"the vote {key} stands on line {first}{one} and again on line {second}{two}: remove one.",
            file=file, line=second, item=items[1] if items else None,
        )  # fmt: skip


class NotStronglyConnected(RatingsError):
    """No finite maximum-likelihood estimate exists (Ford 1957)."""

    def __init__(self, components: Sequence[Sequence[str]]) -> None:
        self.components = tuple(tuple(names) for names in components)
        shown = "; ".join(", ".join(names[:5]) + (" …" if len(names) > 5 else "") for names in self.components[:10])
        if len(self.components) > 10:
            shown += f"; {len(self.components) - 10} more"
        super().__init__(
            "no finite estimate exists: some competitors never won against, or never lost to, the rest "
            f"(strong components: {shown}). Collect votes between them, or allow the stated prior."
        )
