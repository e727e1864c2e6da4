"""Which competitors answer: three failures in a row take one out of the draw, longer each time; a probe brings it back.

An endpoint serves competitors of all arenas, so it is only blamed for what concerns itself, by those whom it has
answered for, and not by one of several alone: see `note_failure`. The only writer of the health fields of `Endpoint`
and `Competitor`. Every write is one conditional UPDATE, so that two processes that see the same failure need no lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When

from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import ErrorCode

FAILURES_BEFORE_OUT = 3
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
LOCAL_MODEL = "local-model"
"""The base URL that stands for the model that comes with Blindfold."""
VOTERS_DOING = frozenset({str(ErrorCode.TOO_LONG)})
"""Three prompts beyond a model's context must not be enough to take it out of everybody's draw."""
OF_THE_ENDPOINT = (str(ErrorCode.CONNECT), str(ErrorCode.TIMEOUT_FIRST), str(ErrorCode.STATUS))
"""What a dead address looks like. Any other failure came after the address had answered, and shows that it lives."""
WELL: dict[str, Any] = {"failures_in_a_row": 0, "out_until": None}
ENDPOINT_WELL: dict[str, Any] = {**WELL, "last_failed": None}


def healthy_filter(now: datetime) -> Q:
    """Competitors that may be drawn for a live answer: not retired, and it and its endpoint could be asked at `now`.

    Once `out_until` has passed the competitor is in the draw again, and that draw is the probe: see `claim_probes`.
    """
    in_the_draw = _in_the_draw(now) & _in_the_draw(now, "endpoint__")
    return Q(retired_at__isnull=True) & Q(endpoint__isnull=False) & in_the_draw & _askable()


def _in_the_draw(now: datetime, whose: str = "") -> Q:
    return Q(**{f"{whose}out_until__isnull": True}) | Q(**{f"{whose}out_until__lte": now})


def local_model_missing() -> str:
    """Why the model that comes with Blindfold cannot be asked; "" when it can, as far as its starter knows."""
    try:
        said = (settings.VAR_DIR / "local-model-unavailable.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        said = ""
    if said.strip():
        return " ".join(said.split())[:300]
    return "" if settings.LOCAL_MODEL_URL else "LOCAL_MODEL_URL is not set; `make run` starts the model and sets it."


def _askable() -> Q:
    """Endpoints whose address and key this process knows; drawing others would only void battles."""
    keys = Q(endpoint__key_env__in=["", *(name for name, value in os.environ.items() if value)])
    return keys & ~Q(endpoint__base_url=LOCAL_MODEL) if local_model_missing() else keys


def claim_probes(competitor_ids: Iterable[int], *, now: datetime) -> int:
    """Keep everybody else off the competitors and endpoints that this draw will probe; says how many those are.

    A probe counts as failed in advance: what is probed goes out for its next pause, and the probe's success brings it
    back at once. So there is one probe a pause, also when its battle never reports. A competitor whose failures say
    nothing about its endpoint does not probe that either, or it would keep it out with them.
    """
    due = Competitor.objects.filter(
        Q(out_until__lte=now) | Q(endpoint__out_until__lte=now), pk__in=list(competitor_ids)
    )
    drawn = list(due.values_list("pk", "endpoint_id"))
    if not drawn:  # the ordinary case costs a read and no write
        return 0
    probing = {endpoint for pk, endpoint in drawn if endpoint is not None and pk in _witnesses(endpoint)}
    more = _one_more_failure(now)
    return (
        Endpoint.objects.filter(pk__in=probing, out_until__lte=now).update(**more)
        + Competitor.objects.filter(pk__in=[pk for pk, _ in drawn], out_until__lte=now).update(**more)
    )  # fmt: skip


def is_troubled(competitor: Competitor) -> bool:
    """Whether the competitor or its endpoint failed last, as the row at hand has it."""
    return bool(competitor.failures_in_a_row or (competitor.endpoint and competitor.endpoint.failures_in_a_row))


def note_success(competitor: Competitor) -> None:
    """Bring the competitor and its endpoint back, if they had failed; good health costs a read and no write."""
    failed = Q(failures_in_a_row__gt=0) | Q(endpoint__failures_in_a_row__gt=0)
    if competitor.endpoint_id is None or not Competitor.objects.filter(failed, pk=competitor.pk).exists():
        return
    Competitor.objects.filter(pk=competitor.pk, failures_in_a_row__gt=0).update(**WELL)
    _endpoint_lives(competitor.endpoint_id)


def put_back(endpoint_ids: Iterable[int]) -> int:
    """Forget the failures of these endpoints and of their competitors, for an operator who has mended them.

    Says of how many endpoints anything was forgotten.
    """
    ids = list(endpoint_ids)
    failed = Q(failures_in_a_row__gt=0) | Q(competitor__failures_in_a_row__gt=0)
    troubled = list(Endpoint.objects.filter(failed, pk__in=ids).values_list("pk", flat=True).distinct())
    Endpoint.objects.filter(pk__in=troubled).update(**ENDPOINT_WELL)
    Competitor.objects.filter(endpoint__in=troubled, failures_in_a_row__gt=0).update(**WELL)
    return len(troubled)


def put_competitor_back(competitor: Competitor) -> None:
    """Forget this competitor's own failures, for whoever has mended it; its endpoint's are not theirs to forget."""
    Competitor.objects.filter(pk=competitor.pk, failures_in_a_row__gt=0).update(**WELL)


def note_failure(competitor: Competitor, code: str, detail: str, *, now: datetime) -> None:
    """Count a failure: the third in a row, and each after a pause, takes the competitor out, or its endpoint with all.

    It is the endpoint's when it looks like a dead address and the competitor is a witness (see `_witnesses`). Of
    several witnesses one that fails again and again counts once, so that none takes the endpoint from the others.
    Where the endpoint is out, its competitors are not blamed for it, and come back together with it.

    Failures that arrive while it is out belong to battles drawn earlier: they are noted and do not lengthen the pause.
    So are those that a voter can cause at will.
    """
    if competitor.endpoint_id is None:
        return
    endpoint = Endpoint.objects.filter(pk=competitor.endpoint_id)
    row = Competitor.objects.filter(pk=competitor.pk)
    key_env = endpoint.values_list("key_env", flat=True).first() or ""
    said: dict[str, Any] = {"last_failure": _without_key(f"{code}: {detail}", key_env)[:300], "last_failure_at": now}
    row.update(**said)
    if code not in OF_THE_ENDPOINT:
        _endpoint_lives(competitor.endpoint_id)
    elif _blame_endpoint(competitor, endpoint, said, now=now):
        return
    if code not in VOTERS_DOING:
        row.filter(_in_the_draw(now)).update(**_one_more_failure(now))


def _blame_endpoint(
    competitor: Competitor, endpoint: QuerySet[Endpoint], said: dict[str, Any], *, now: datetime
) -> bool:
    """Count the failure against the endpoint, if this competitor may; says whether the endpoint is out."""
    witnesses = _witnesses(competitor.endpoint_id or 0)
    if competitor.pk in witnesses:
        endpoint.update(**said)
        counting = endpoint.filter(_in_the_draw(now))
        if witnesses != {competitor.pk}:
            counting = counting.exclude(last_failed=competitor.pk)
        if counting.update(last_failed=competitor.pk, **_one_more_failure(now)) and endpoint.filter(out_until__gt=now):
            looked_dead = Q(*(("last_failure__startswith", f"{one}:") for one in OF_THE_ENDPOINT), _connector=Q.OR)
            blamed = Competitor.objects.filter(looked_dead, pk__in=witnesses, failures_in_a_row__gt=0)
            blamed.update(**WELL)
    return endpoint.filter(out_until__gt=now).exists()


def _witnesses(endpoint_id: int) -> set[int]:
    """The competitors in service whose failures may say something about their endpoint: those that have answered.

    One that never did, whoever entered it, shows only that it does not work. While none has, all are heard.
    """
    in_service = Competitor.objects.filter(endpoint=endpoint_id, retired_at__isnull=True)
    told = dict(in_service.values_list("pk", "first_answered_at"))
    return {pk for pk, answered in told.items() if answered is not None} or set(told)


def _endpoint_lives(endpoint_id: int) -> None:
    Endpoint.objects.filter(pk=endpoint_id, failures_in_a_row__gt=0).update(**ENDPOINT_WELL)


def pause_after(failures: int) -> timedelta:
    """How long one is out after that many failures in a row: 30 s from the third on, doubling to 15 minutes."""
    if failures < FAILURES_BEFORE_OUT:
        return timedelta(0)
    # The exponent is capped first: the count has no bound, a timedelta has.
    doublings: int = min(failures - FAILURES_BEFORE_OUT, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _one_more_failure(now: datetime) -> dict[str, Any]:
    """The UPDATE of one more failure: the pause follows from the count as stored, not as some process remembers it."""
    counts = range(FAILURES_BEFORE_OUT + 10, FAILURES_BEFORE_OUT - 1, -1)
    pauses = [
        When(failures_in_a_row__gte=count - 1, then=Value(now + pause_after(count), output_field=DateTimeField()))
        for count in counts
    ]
    return {
        "failures_in_a_row": F("failures_in_a_row") + 1,
        "out_until": Case(*pauses, default=Value(None, output_field=DateTimeField())),
    }


def _without_key(text: str, key_env: str) -> str:
    """The text without the endpoint's key, which some servers repeat in their refusals."""
    key = os.environ.get(key_env, "") if key_env else ""
    return text.replace(key, f"[{key_env}]") if key else text
