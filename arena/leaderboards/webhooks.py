"""Publications are told to addresses that asked for it, signed, until they answer. The only writer of `Webhook`.

The signing key is derived from the server's own secret and the row's nonce: whoever reads the database or a backup
cannot sign. A try is a row's own matter, so that a worker that is started anew goes on where the last one ended.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.db.models import Max, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from arena.leaderboards.models import Snapshot, Webhook
from arena.teams.models import Arena
from arena.teams.tokens import address

log = logging.getLogger(__name__)
MOST = 10
"""Webhooks of one arena: each costs the worker a connection at each publication."""
SECONDS = 5.0
"""To connect, and between two bytes of the answer, of which only the status is read."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
TRIES = 12
"""About two days; then the next publication begins anew."""
TRIAL_SECONDS = 15.0
"""Whatever the address does, name servers included: somebody waits for the page."""
_trials = threading.BoundedSemaphore(2)
"""Each trial keeps one of the few places that pages are worked on in."""
Send = Callable[[str, bytes, dict[str, str]], int]


class State(StrEnum):
    """What came of a webhook's deliveries."""

    NONE = "none"
    TAKEN = "taken"
    FAILING = "failing"
    GIVEN_UP = "given_up"


class WebhookRefused(Exception):
    """An address that is not told; the sentence says why."""


def add(arena: Arena, url: str, *, now: datetime) -> tuple[Webhook, str]:
    """A new webhook and the secret that its deliveries are signed with, which nobody is told again.

    It is told of publications from now on. Raises ValidationError for an address that may not be told.
    """
    check_url(url)
    with transaction.atomic():
        Arena.objects.select_for_update().get(pk=arena.pk)
        if standing(arena).count() >= MOST:
            said = _("An arena has at most %(most)s webhooks. Withdraw one first.")
            raise ValidationError({"url": said % {"most": MOST}})
        made = Webhook(
            arena=arena, url=url, nonce=secrets.token_hex(16), created_at=now, delivered_number=_last_number(arena)
        )
        made.full_clean()
        made.save()
    return made, secret_of(made)


def withdraw(webhook: Webhook, *, now: datetime) -> None:
    """From now on it is told nothing."""
    Webhook.objects.filter(pk=webhook.pk, withdrawn_at__isnull=True).update(withdrawn_at=now)


def standing(arena: Arena) -> QuerySet[Webhook]:
    """The arena's webhooks that are told."""
    return Webhook.objects.filter(arena=arena, withdrawn_at__isnull=True).order_by("id")


def state_of(webhook: Webhook) -> State:
    """What came of its last delivery. Trials are not deliveries."""
    if webhook.failures:
        return State.FAILING
    taken, failed = webhook.delivered_at, webhook.failed_at
    if failed is not None and (taken is None or taken < failed):
        return State.GIVEN_UP
    return State.NONE if taken is None else State.TAKEN


def secret_of(webhook: Webhook) -> str:
    """What signs its deliveries."""
    return salted_hmac("arena.leaderboards.webhooks", webhook.nonce, algorithm="sha256").hexdigest()


def signature(secret: str, moment: int, body: bytes) -> str:
    """`t=…,v1=…`: HMAC-SHA256 over the moment, a dot and the body: an old delivery shows its age."""
    found = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={found}"


def check_url(url: str) -> None:
    """Raises ValidationError unless it is a plain http(s) address; where it leads is asked at each delivery."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or parts.username or parts.password or parts.fragment or any(mark in url for mark in " \r\n\t"):
        raise ValidationError({"url": _("Use https://host/path, without user and password.")})
    if not settings.WEBHOOKS_PRIVATE and parts.scheme != "https":
        raise ValidationError({"url": _("Use https: what is sent must not be read on the way.")})


def reachable(host: str, port: int) -> str:
    """One IP address of the host that may be told: a public one, unless private ones are allowed.

    The answer is what is connected to, so that a name cannot lead elsewhere between the look and the connection.
    Raises WebhookRefused.
    """
    try:
        found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise WebhookRefused(_("%(host)s is not known.") % {"host": host[:80]}) from None
    if not settings.WEBHOOKS_PRIVATE and not all(_is_public(one) for one in found):
        raise WebhookRefused(_("%(host)s leads into a private network.") % {"host": host[:80]})
    return found[0]


def _is_public(raw: str) -> bool:
    one = ipaddress.ip_address(raw.partition("%")[0])
    inner = getattr(one, "ipv4_mapped", None) or getattr(one, "sixtofour", None)
    return one.is_global and not one.is_multicast and (inner is None or inner.is_global)


def send(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of one POST. Raises WebhookRefused and httpx.HTTPError. No redirect and no proxy is followed."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    there = reachable(host, port)
    target = httpx.URL(url).copy_with(host=there)
    with (
        httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
        client.stream(
            "POST", target, content=body, headers={**headers, "Host": parts.netloc}, extensions={"sni_hostname": host}
        ) as answer,
    ):
        return answer.status_code


def deliver_due(*, now: datetime, send: Send = send) -> int:
    """Tells every webhook whose arena has a newer snapshot, the newest alone; says how many took it."""
    due = Webhook.objects.filter(Q(next_at__isnull=True) | Q(next_at__lte=now), withdrawn_at__isnull=True)
    return sum(_deliver(row, now=now, send=send) for row in due.select_related("arena").order_by("id"))


def _deliver(webhook: Webhook, *, now: datetime, send: Send) -> bool:
    columns = ("number", "published_at", "vote_count", "data_sha256")
    snapshot = Snapshot.objects.filter(arena=webhook.arena_id).values_list(*columns).first()
    if snapshot is None or snapshot[0] <= webhook.delivered_number:
        return False
    number, published_at, votes, sha256 = snapshot
    slug = webhook.arena.slug
    says = _post(webhook, {
        "event": "snapshot_published", "arena": slug, "snapshot": number, "published_at": published_at.isoformat(),
        "votes": votes, "data_sha256": sha256, "leaderboard": address(f"/a/{slug}/leaderboard/"),
    }, now=now, send=send)  # fmt: skip
    _note(webhook, number, says, now=now)
    return not says


def try_now(webhook: Webhook, *, now: datetime, send: Send = send) -> str:
    """One delivery at once, whose event is `test`: "" where it was taken, else why not.

    Nothing is stored, and what is due stays due.
    """
    told = {"event": "test", "arena": webhook.arena.slug, "sent_at": now.isoformat()}
    answer: Future[str] = Future()
    language = get_language()

    def ask() -> None:
        try:
            with override(language):
                answer.set_result(_post(webhook, told, now=now, send=send))
        except BaseException as error:
            answer.set_exception(error)
        finally:
            _trials.release()

    if not _trials.acquire(blocking=False):
        return _("Two others are being tried. Try again in a moment.")
    threading.Thread(target=ask, name="webhook trial", daemon=True).start()
    try:
        return answer.result(TRIAL_SECONDS)
    except TimeoutError:
        return _("No answer within %(seconds)s seconds.") % {"seconds": f"{TRIAL_SECONDS:g}"}


def _post(webhook: Webhook, told: dict[str, Any], *, now: datetime, send: Send) -> str:
    """Sends it, signed: "" where it was taken, else a status, the kind of error or a sentence."""
    body = json.dumps(told).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Blindfold-Signature": signature(secret_of(webhook), int(now.timestamp()), body),
    }
    try:
        status = send(webhook.url, body, headers)
    except (WebhookRefused, httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) if isinstance(error, WebhookRefused) else type(error).__name__
    return "" if 200 <= status < 300 else f"HTTP {status}"


def _note(webhook: Webhook, number: int, says: str, *, now: datetime) -> None:
    """What came of it. After the last try this snapshot is given up, and the next one begins anew."""
    row = Webhook.objects.filter(pk=webhook.pk)
    if not says:
        row.update(delivered_number=number, failures=0, next_at=None, delivered_at=now)
        return
    failures = webhook.failures + 1
    pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
    kept = {"last_error": says[:200], "failed_at": now}
    if failures >= TRIES:
        row.update(**kept, delivered_number=number, failures=0, next_at=None)
    else:
        row.update(**kept, failures=failures, next_at=now + pause)


def _last_number(arena: Arena) -> int:
    return Snapshot.objects.filter(arena=arena).aggregate(last=Max("number"))["last"] or 0


class Courier:
    """Delivers beside the worker's duties, so that nobody's slow server delays a publication."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def look(self, *, now: datetime) -> None:
        """Begins a round, unless one is under way."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._round, args=(now,), name="webhooks", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the round is over."""
        if self._thread is not None:
            self._thread.join()

    def _round(self, now: datetime) -> None:
        try:
            deliver_due(now=now)
        except Exception:
            log.exception("Webhooks could not be delivered.")
        finally:
            connections.close_all()  # of this thread, which ends
