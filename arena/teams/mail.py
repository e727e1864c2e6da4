"""Mail that does not leave: said on the page whose reader waits for it, with what to do next."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

log = logging.getLogger(__name__)
REFUSED = (SMTPException, OSError)
"""What sending raises: the server says no, or is not there, or does not speak in time."""


class MailNotSent(Exception):
    """The mail server took no mail. The cause is for operators: it may repeat the address."""

    def __init__(self, template: str, why: Exception) -> None:
        self.template, self.why = template, why
        super().__init__(f"{template} was not sent ({type(why).__name__}). Look at EMAIL_URL and the mail server.")


class SayThatNoMailLeft(MiddlewareMixin):
    """A page of its own instead of an error: whatever was stored before stays, and asking again sends it again."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, MailNotSent):
            return None
        log.error("%s", exception)
        answer = render(request, "account/mail_failed.html", status=503)
        answer["Retry-After"] = "60"
        return answer
