"""Who calls: the same voter cookie or signed-in session as on the pages, under the same cross-site protection."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class VoterSession(SessionAuthentication):
    """Checks the CSRF token on every write, also of callers who are not signed in."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser | AnonymousUser, None]:
        """The session's user, anonymous ones included; raises PermissionDenied when a write lacks its CSRF token."""
        self.enforce_csrf(request)
        return request._request.user, None


class VoterSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes it."""

    target_class = "arena.api.authentication.VoterSession"
    name = "voterCookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "voter",
            "description": "Set by the first battle you open. Writes repeat the csrftoken cookie in X-CSRFToken.",
        }
