"""Every refusal as `{"code", "detail"}` with its status, and `fields` where those are wrong; nothing internal shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.exceptions import ValidationError as ModelRefused
from django.db import DatabaseError
from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from arena.refusals import Refusal

log = logging.getLogger(__name__)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler."""
    if isinstance(error, ModelRefused):  # a rule of the model's, told by field as a form would
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else {"body": error.messages})
    if isinstance(error, Refusal):
        response = Response({"code": error.code, "detail": str(error)}, status=error.status)
        if retry := getattr(error, "retry_after", None):
            response["Retry-After"] = str(retry)
        return response
    if isinstance(error, DatabaseError):
        log.error("The database refused: %s", type(error).__name__)
        body = {"code": "unavailable", "detail": "Nothing could be stored, and nothing was revealed. Try again."}
        return Response(body, status=503, headers={"Retry-After": "2"})
    if isinstance(error, SuspiciousOperation):  # too large, too many fields
        return Response({"code": "malformed", "detail": str(error)}, status=400)
    standard = exception_handler(error, context)
    if standard is not None and isinstance(standard.data, dict):
        code = "not_found" if isinstance(error, Http404) else getattr(error, "default_code", "invalid")
        standard.data = {"code": code, **_said(standard.data)}
    return standard


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """One sentence, and what is wrong by field where fields are wrong."""
    if "detail" in data and not isinstance(data["detail"], list | dict):
        return {"detail": str(data["detail"])}
    fields = dict(_by_field(data))
    return {"detail": " ".join(f"{name}: {' '.join(says)}" for name, says in fields.items()), "fields": fields}


def _by_field(data: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Sentences by the dotted name of what they are about."""
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _by_field(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(data, list) and any(isinstance(item, dict | list) for item in data):
        for place, inner in enumerate(data):
            yield from _by_field(inner, f"{path}.{place}") if inner else ()
    else:
        yield path, [str(says) for says in (data if isinstance(data, list) else [data])]
