"""What every page may say about this instance."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def instance(request: HttpRequest) -> dict[str, Any]:
    """Template context: whether limits are lifted, which every page then says, and what accounts can do here."""
    return {"rate_limits_off": not settings.RATE_LIMITS, "has_mail": settings.HAS_MAIL, "sign_up": settings.SIGN_UP}
