"""Votes and bundles over REST, as the pages give them; no logic of its own."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from arena.api.serializers import ErrorOut
from arena.api.views import ArenaView
from arena.leaderboards.exporting.files import KINDS
from arena.leaderboards.exporting.permitted import UnknownKind
from arena.leaderboards.views import exports
from arena.teams.access import arena_for
from arena.teams.person import person_of

FULL = OpenApiParameter("full", bool, description="With what a public export withholds; for the arena's owners.")
YES, NO = ("1", "true"), ("0", "false")
REFUSALS = dict.fromkeys((400, 403, 404), ErrorOut)


class FileView(ArenaView):
    """Answers that are files. Refusals are JSON all the same."""

    @staticmethod
    def is_full(request: Request) -> bool:
        """Raises ParseError for a word that is neither yes nor no: a public export must not be taken for a full one."""
        said = request.query_params.get("full", "false")
        if said not in (*YES, *NO):
            raise ParseError(f"full={said[:40]!r} is not understood. Use true or false.")
        return said in YES

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever a client accepts, it gets the one thing there is."""
        return super().perform_content_negotiation(request, force=True)


class Votes(FileView):
    @extend_schema(
        operation_id="votes_export",
        parameters=[
            FULL,
            OpenApiParameter("kind", str, enum=list(KINDS), description="The form of the file; csv unless said."),
        ],
        responses={
            (200, "text/csv"): OpenApiResponse(str, "One row a vote, in the public arena's columns and ours."),
            (200, "application/x-ndjson"): OpenApiResponse(str, "The same, one JSON object a line."),
            **REFUSALS,
        },
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """The votes up to the last snapshot, streamed, by pseudonyms made for this answer alone."""
        plain = request._request
        person = person_of(plain)
        arena = arena_for(person, slug, include_archived=True)
        kind = request.query_params.get("kind", "csv")
        if kind not in KINDS:
            raise UnknownKind(kind=kind[:40], allowed=", ".join(KINDS))
        return exports.votes_file(plain, person, arena, kind, is_full=self.is_full(request))


class Bundle(FileView):
    @extend_schema(
        operation_id="bundle_export",
        parameters=[FULL],
        responses={(200, "application/zip"): OpenApiResponse(bytes, "A .zip with one command in it."), **REFUSALS},
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Everything from which the last snapshot's CSV can be rebuilt byte for byte."""
        plain = request._request
        person = person_of(plain)
        arena = arena_for(person, slug, include_archived=True)
        return exports.bundle_file(plain, person, arena, is_full=self.is_full(request))
