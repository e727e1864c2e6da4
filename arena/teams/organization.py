"""Signing in at one's organization, by OpenID Connect: what is said when that did not work."""

from __future__ import annotations

import logging

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from requests import RequestException

log = logging.getLogger(__name__)
NOT_THERE = 503
NOT_CONFIRMED = 401
NOT_BEGUN_HERE = 400
NOT_UNDERSTOOD = (LookupError, TypeError, ValueError, AttributeError)
"""What the account library raises where an organization's answer lacks something, or is no JSON."""


def failed(request: HttpRequest, name: str, why: Exception | None, *, was_begun: bool = True) -> HttpResponse:
    """The page that says why signing in at `name` did not work, and what to do next; operators find more in the log.

    `why` is what was raised on the way, or None where the organization, or a state that nobody holds, said no.
    """
    if not was_begun:
        status, sentence = NOT_BEGUN_HERE, _("This sign-in was begun in another browser, or too long ago. Begin again.")
    elif isinstance(why, RequestException):
        status = NOT_THERE
        sentence = _("%(name)s does not answer at the moment. Try again later, or tell whoever runs this server.")
    elif isinstance(why, NOT_UNDERSTOOD):
        status = NOT_THERE
        sentence = _("%(name)s gave an answer that this server does not understand. Tell whoever runs this server.")
    else:
        status, sentence = NOT_CONFIRMED, _("%(name)s did not confirm who you are. Try again.")
    if why is not None:
        log.warning("Signing in at %s failed: %s", name, _described(why))
    context = {"name": name, "sentence": sentence % {"name": name}}
    return render(request, "socialaccount/authentication_error.html", context, status=status)


def _described(why: Exception) -> str:
    """Its kind alone where the sentence may hold what was sent: a code, a token, an address."""
    return type(why).__name__ if isinstance(why, OAuth2Error) else f"{type(why).__name__}: {why}"[:300]
