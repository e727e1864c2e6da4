"""How commands refuse: a sentence on stderr and exit code 2, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError


@contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
    """Turn these errors, and ValidationError, into a CommandError that says the same."""
    try:
        yield
    except ValidationError as error:
        raise CommandError(_sentences(error), returncode=2) from error
    except errors as error:
        raise CommandError(str(error), returncode=2) from error


def _sentences(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "\n".join(f"--{name.replace('_', '-')}: {' '.join(said)}" for name, said in error.message_dict.items())
