"""Every refusal as `{"code", "detail"}` with its status; nothing internal ever shows."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404
from rest_framework.response import Response
from rest_framework.views import exception_handler

from arena.battles.errors import BattleError

log = logging.getLogger(__name__)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler."""
    if isinstance(error, BattleError):
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
        detail = standard.data.get("detail", standard.data)
        standard.data = {"code": code, "detail": detail}
    return standard
