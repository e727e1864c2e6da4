"""What may be wrong with a backup, or with the place it should go to."""

from __future__ import annotations


class UpkeepError(Exception):
    """Base of what backing up and restoring refuse; the sentence says what to do."""


class BadArchive(UpkeepError):
    """The file is no backup, or not a whole one."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} is not a whole backup: {why}. Nothing was restored. Take another copy of it.")


class NewerRelease(UpkeepError):
    """The backup was made by a release that knows more than this one."""

    def __init__(self, path: str, unknown: list[str]) -> None:
        named = ", ".join(unknown[:3])
        super().__init__(
            f"{path} was made by a newer release (this one does not know {named}). Install that release or a later one."
        )


class NotEmpty(UpkeepError):
    """The database that should receive the backup holds something."""

    def __init__(self, database: str, advice: str) -> None:
        super().__init__(f"The database {database} is not empty, and nothing there may be lost. {advice}")


class InTheWay(UpkeepError):
    """A file of that name is there already."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is there already. Give another name, or move it away.")


class CannotWrite(UpkeepError):
    """The archive cannot be written where it should go."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be written: {why}. Give another place.")
