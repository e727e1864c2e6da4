"""Votes and bundles to take away, and what a board's CSV has no place to say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from arena.leaderboards import reading
from arena.leaderboards.exporting import files
from arena.leaderboards.exporting.bundle import bundle_pieces
from arena.leaderboards.exporting.permitted import check_export
from arena.leaderboards.exporting.scope import NothingPublished, scope_of
from arena.leaderboards.exporting.sidecar import sidecar_of_choice
from arena.leaderboards.views import downloads
from arena.leaderboards.views.readers import for_readers, refusal
from arena.refusals import Refusal
from arena.teams.models import Arena
from arena.teams.person import Person, person_of

FULL = "full"


@require_safe
@for_readers
def votes(request: HttpRequest, arena: Arena, kind: str) -> HttpResponseBase:
    """The votes up to the last snapshot, public, or with `?full=1` whole for those who may."""
    try:
        return votes_file(request, person_of(request), arena, kind, is_full=wants_full(request))
    except Refusal as refused:
        return refusal(refused, "text/plain")


def votes_file(request: HttpRequest, person: Person, arena: Arena, kind: str, *, is_full: bool) -> HttpResponseBase:
    """The answer that streams them. Raises ExportRefused, NothingPublished."""
    now = timezone.now()
    check_export(person, arena, now=now, is_full=is_full)
    scope = scope_of(arena, now=now, is_full=is_full)
    return streamed(request, arena, files.vote_pieces(scope, kind), f"votes.{kind}", files.KINDS[kind], is_full=is_full)


@require_safe
@for_readers
def bundle(request: HttpRequest, arena: Arena) -> HttpResponseBase:
    """The last snapshot's reproduction bundle."""
    try:
        return bundle_file(request, person_of(request), arena, is_full=wants_full(request))
    except Refusal as refused:
        return refusal(refused, "text/plain")


def bundle_file(request: HttpRequest, person: Person, arena: Arena, *, is_full: bool) -> HttpResponseBase:
    """The answer that streams it. Raises ExportRefused, NothingPublished."""
    check_export(person, arena, now=timezone.now(), is_full=is_full)
    snapshot = reading.latest_snapshot(arena)
    if snapshot is None:
        raise NothingPublished(arena=arena.slug)
    pieces = bundle_pieces(snapshot, is_full=is_full)
    return streamed(request, arena, pieces, f"{snapshot.number}.zip", "application/zip", is_full=is_full)


@require_safe
@for_readers
def board_csv_json(request: HttpRequest, arena: Arena) -> HttpResponse:
    """What the CSV of the same address cannot say: snapshot, cut-off, method, settings, seed, hash, version."""
    return downloads.file_of(request, arena, sidecar_of_choice, "application/json")


def wants_full(request: HttpRequest) -> bool:
    return request.GET.get(FULL, "") not in ("", "0", "false")


def streamed(
    request: HttpRequest, arena: Arena, pieces: Iterator[bytes], name: str, content_type: str, *, is_full: bool
) -> StreamingHttpResponse:  # fmt: skip
    """An attachment that is sent as it is made. No cache keeps it: the next one has other pseudonyms."""
    body = in_turn(pieces) if isinstance(request, ASGIRequest) else (piece for piece in pieces if piece)
    response = StreamingHttpResponse(body, content_type=content_type)
    said = [arena.slug, *(["simulated"] if arena.is_simulated else []), *([FULL] if is_full else []), name]
    response["Content-Disposition"] = f'attachment; filename="{"-".join(said)}"'
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def in_turn(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made in the request's own thread, where its database connection is, while the loop goes on.

    A plain iterator under ASGI would be read to its end before the first byte left.
    """
    try:
        while (piece := await sync_to_async(_next, thread_sensitive=True)(pieces)) is not None:
            if piece:
                yield piece
    finally:
        if close := getattr(pieces, "close", None):
            await sync_to_async(close, thread_sensitive=True)()


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
