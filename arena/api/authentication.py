"""Who calls: a program with a token, or the same voter cookie or session as on the pages, under the same protection."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from arena.teams import api_tokens
from arena.teams.models import ApiToken
from arena.teams.person import Person


class VoterSession(SessionAuthentication):
    """Checks the CSRF token on every write, also of callers who are not signed in."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser | AnonymousUser, None]:
        """The session's user, anonymous ones included; raises PermissionDenied when a write lacks its CSRF token."""
        self.enforce_csrf(request)
        return request._request.user, None


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer TOKEN`: acts for the token's account, within its limits. It needs no CSRF token."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, ApiToken] | None:
        """The token's account and the token; None where no token was sent. Raises AuthenticationFailed."""
        word, _, raw = request.headers.get("Authorization", "").partition(" ")
        if word.casefold() != "bearer":
            return None
        token = api_tokens.token_of(raw.strip(), now=timezone.now())
        if token is None:
            raise AuthenticationFailed("This token is unknown, withdrawn or expired. Make one under /accounts/tokens/.")
        request._request._person = Person(token.user, limits=api_tokens.limits_of(token))  # type: ignore[attr-defined]
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """A token must hold the view's scope: `read` to read and `configure` to write, where the view names no other."""

    message = "This token does not hold the scope that this needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        needed = getattr(view, "scope", None) or ("read" if request.method in SAFE_METHODS else "configure")
        return needed in request.auth.scopes


def describe_token_refusals(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Schema: whatever takes a token may refuse it."""
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
    for path in result["paths"].values():
        for operation in path.values():
            for status, said in (("401", "The token is not good."), ("403", "The token lacks the scope.")):
                operation["responses"].setdefault(status, {"content": body, "description": said})
    return result


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes it."""

    target_class = "arena.api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        said = "Made under /accounts/tokens/, with scopes (read, vote, configure, export) and a last day."
        return {"type": "http", "scheme": "bearer", "description": said}


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
