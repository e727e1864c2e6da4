"""What the domain refuses is said on the form that asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from arena.battles.errors import NameFixed
from arena.competitors.catalogue import BadAddress, NameTaken


@contextmanager
def said_on(form: forms.BaseForm) -> Iterator[None]:
    """Turns refusals into errors of the form: at their fields where it has them, else above it."""
    try:
        yield
    except (NameTaken, NameFixed) as refused:
        form.add_error("name", str(refused))
    except BadAddress as refused:
        form.add_error("base_url", str(refused))
    except ValidationError as refused:
        by_field: dict[str, Any] = refused.message_dict if hasattr(refused, "error_dict") else {"": refused.messages}
        for name, said in by_field.items():
            form.add_error(name if name in form.fields else None, said)
