"""REST over the import of prompts and answers; no logic of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.parsers import ShallowJSONParser
from arena.api.serializers import ErrorOut, example
from arena.api.views import ArenaView
from arena.leaderboards.prompt_records import saturation_of
from arena.leaderboards.prompt_words import saturation_sentence
from arena.prompts import listing
from arena.prompts.answers import Mixed
from arena.prompts.decoding import DELIMITERS, ENCODINGS, File, Reading
from arena.prompts.intake import Choice, refuse_too_large, take_in
from arena.prompts.models import PromptSet, Upload
from arena.prompts.rows import ImportRefused
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of

ROWS = "rows.json"
TWO_PROMPTS = [{"prompt": "How do I reset it?"}, {"prompt": "May I send it back?", "category": "returns"}]
TWO_ANSWERS = [
    {"prompt": "How do I reset it?", "model": "Ash", "response": "Hold the button."},
    {"prompt": "How do I reset it?", "model": "Birch", "response": "Press it for ten seconds."},
]


class ImportIn(serializers.Serializer[Any]):
    """Files in a form, or rows in JSON; never both."""

    file = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False,
                                 help_text="CSV, JSONL or JSON; several of one form.")  # fmt: skip
    rows = serializers.ListField(child=serializers.DictField(), required=False, help_text="The rows themselves.")
    columns = serializers.JSONField(
        required=False, help_text="An object from column names to meanings. Without it columns go by their names."
    )
    set = serializers.CharField(required=False, allow_blank=True, max_length=80, help_text="The prompt set's name.")
    sealed = serializers.BooleanField(default=False, help_text="Show the texts in battles alone.")
    dry_run = serializers.BooleanField(default=False, help_text="Check everything, store nothing.")
    encoding = serializers.ChoiceField(choices=ENCODINGS, required=False, help_text="UTF-8 unless a mark says else.")
    delimiter = serializers.ChoiceField(choices=list(DELIMITERS), required=False, help_text="Recognised if left out.")


class PromptsIn(ImportIn):
    purpose = serializers.ChoiceField(choices=PromptSet.Purpose.choices, default=PromptSet.Purpose.BATTLES)


class AnswersIn(ImportIn):
    mixed_conditions = serializers.ChoiceField(
        choices=[(str(word), str(word)) for word in Mixed],
        default=str(Mixed.REFUSE),
        help_text="What becomes of answers of one model that were made under several conditions.",
    )


class ImportOut(serializers.Serializer[Any]):
    stored = serializers.BooleanField(help_text="False after a dry run.")
    prompt_set = serializers.CharField()
    prompts = serializers.IntegerField(help_text="New ones.")
    competitors = serializers.ListField(child=serializers.CharField(), help_text="New ones, by name.")
    answers = serializers.IntegerField(help_text="New ones.")
    updated = serializers.IntegerField(help_text="Prompts whose category, language, tags or source follow the rows.")
    unchanged = serializers.IntegerField(help_text="There already.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What was passed over, and reads alike.")


class ProblemOut(serializers.Serializer[Any]):
    file = serializers.CharField()
    line = serializers.IntegerField(help_text="0 where it is about the file as a whole.")
    column = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    says = serializers.CharField(help_text="What is wrong, and what to do.")


class RefusedOut(ErrorOut):
    problems = ProblemOut(many=True, required=False)


class SaturationOut(serializers.Serializer[Any]):
    """How many of the set's prompts in service have ceased to tell competitors apart."""

    judged = serializers.IntegerField(
        help_text="Prompts with at least ten votes; the counts after the next are theirs."
    )
    too_few = serializers.IntegerField(help_text="Prompts with fewer.")
    nothing = serializers.IntegerField(help_text="They separate nothing.")
    ceiling = serializers.IntegerField(help_text="Of those, prompts whose votes are ties.")
    floor = serializers.IntegerField(help_text="Of those, prompts whose answers are both bad.")
    even = serializers.IntegerField(help_text="Of those, prompts whose votes fall like coins.")
    separates = serializers.IntegerField(help_text="They separate as the ratings do.")
    otherwise = serializers.IntegerField(help_text="They separate, and not as the ratings do.")
    cannot_tell = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="nothing / judged.")
    lower = serializers.FloatField(allow_null=True, help_text="Of the 95 % interval of that share.")
    upper = serializers.FloatField(allow_null=True, help_text="The same, were all that nobody can tell of like those.")
    decided = serializers.FloatField(allow_null=True, help_text="Share of the votes that name a winner.")
    ties = serializers.FloatField(allow_null=True, help_text="Share of the votes.")
    both_bad = serializers.FloatField(allow_null=True, help_text="Share of the votes.")
    sentence = serializers.SerializerMethodField()

    def get_sentence(self, worn: Any) -> str:
        return saturation_sentence(worn)


class PromptSetOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    purpose = serializers.ChoiceField(choices=PromptSet.Purpose.choices)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    is_sealed = serializers.BooleanField()
    window_days = serializers.IntegerField(allow_null=True)
    in_service = serializers.IntegerField()
    retired = serializers.IntegerField()
    competitors = serializers.IntegerField(help_text="Competitors with answers.")
    created_at = serializers.DateTimeField()
    saturation = serializers.SerializerMethodField()

    @extend_schema_field(SaturationOut(allow_null=True))
    def get_saturation(self, prompt_set: PromptSet) -> Any:
        """As of the last snapshot; null before the first."""
        worn = saturation_of(prompt_set)
        return None if worn is None else SaturationOut(worn).data


REFUSALS = {400: RefusedOut, 403: ErrorOut, 404: ErrorOut, 413: ErrorOut, 415: ErrorOut, 503: ErrorOut}


class _Importing(ArenaView):
    """What both imports share. JSON bodies may be as large as files."""

    scope = "configure"
    parser_classes: Sequence[Any] = (MultiPartParser, ShallowJSONParser)
    takes: type[ImportIn]
    kind: str

    def configured(self, request: Request, slug: str) -> Arena:
        """The arena, if the caller may configure it. Raises Http404, PermissionDenied."""
        arena = self.arena(request, slug)
        if not may(person_of(request._request), Action.CONFIGURE, arena):
            raise PermissionDenied("Importing is for those who configure this arena.")
        return arena

    def take(self, request: Request, slug: str) -> Response:
        """Parses, calls one function, answers."""
        arena = self.configured(request, slug)
        try:
            refuse_too_large(_length(request), "body")
            body = self.takes(data=_flat(request))
            body.is_valid(raise_exception=True)
            given = body.validated_data
            report = take_in(_files(given), arena, self.choice(given), now=timezone.now(), dry_run=given["dry_run"])
        except ImportRefused as refused:
            return Response(_refusal(refused), status=400)
        stored = not given["dry_run"]
        return Response({"stored": stored, **report.as_json()}, status=201 if stored else 200)

    def choice(self, given: Mapping[str, Any]) -> Choice:
        return Choice(
            kind=self.kind,
            mapping=_mapping(given.get("columns")),
            set_name=given.get("set", ""),
            purpose=given.get("purpose", PromptSet.Purpose.BATTLES),
            sealed=given["sealed"],
            mixed=given.get("mixed_conditions", Mixed.REFUSE),
            reading=Reading(given.get("encoding", ""), given.get("delimiter", "")),
        )


class PromptSets(_Importing):
    takes, kind = PromptsIn, Upload.Kind.PROMPTS

    @extend_schema(operation_id="prompt_sets_list", responses={200: PromptSetOut(many=True), **REFUSALS})
    def get(self, request: Request, slug: str) -> Response:
        """The arena's prompt sets, for those who configure it."""
        return Response(PromptSetOut(listing.sets_of(self.configured(request, slug)), many=True).data)

    @extend_schema(
        operation_id="prompts_import", request={"multipart/form-data": PromptsIn, "application/json": PromptsIn},
        responses={201: ImportOut, 200: ImportOut, **REFUSALS},
        examples=example("Two prompts", {"set": "support", "rows": TWO_PROMPTS}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Imports prompts into a set, all or none; the same rows again change nothing."""
        return self.take(request, slug)


class Answers(_Importing):
    takes, kind = AnswersIn, Upload.Kind.ANSWERS

    @extend_schema(
        operation_id="answers_import", request={"multipart/form-data": AnswersIn, "application/json": AnswersIn},
        responses={201: ImportOut, 200: ImportOut, **REFUSALS},
        examples=example("Two answers", {"set": "support", "rows": TWO_ANSWERS}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Imports recorded answers, with prompts and competitors that are not there yet, all or none."""
        return self.take(request, slug)


def _length(request: Request) -> int:
    raw = request.META.get("CONTENT_LENGTH") or "0"
    return int(raw) if raw.isdecimal() else 0


def _flat(request: Request) -> dict[str, Any]:
    """The body as one dict; a form's files as a list under `file`."""
    data = request.data
    if not isinstance(data, Mapping):
        raise serializers.ValidationError({"rows": "Write an object with rows, or send files in a form."})
    files = getattr(data, "getlist", None)
    if files is None:
        return dict(data)
    flat = {name: data.get(name) for name in data if name != "file"}
    sent = files("file")
    return {**flat, "file": sent} if sent else flat


def _files(given: Mapping[str, Any]) -> list[File]:
    """What was sent, as files. Raises ValidationError where it is both or neither."""
    sent, rows = given.get("file"), given.get("rows")
    if bool(sent) == (rows is not None):
        raise serializers.ValidationError({"file": "Send files, or rows: one of the two."})
    if sent:
        return [File(str(file.name)[:200], file.read()) for file in sent]
    lines = ",\n".join(json.dumps(row) for row in rows or [])  # a row a line, so that problems name its number
    return [File(ROWS, f"[{lines}]".encode())]


def _mapping(columns: Any) -> dict[str, str] | None:
    if columns is None or columns == "":
        return None
    if isinstance(columns, str):  # a form's field
        try:
            columns = json.loads(columns)
        except (ValueError, RecursionError):
            columns = None
    if not isinstance(columns, dict) or not all(isinstance(value, str) for value in columns.values()):
        raise serializers.ValidationError({"columns": 'Write an object of texts, as {"Question": "prompt"}.'})
    return columns


def _refusal(refused: ImportRefused) -> dict[str, Any]:
    problems = [ProblemOut(problem).data for problem in refused.problems]
    return {"code": "import_refused", "detail": str(refused), "problems": problems}
