"""Which alarms of the screening still wait for somebody's answer."""

from __future__ import annotations

from arena.integrity.models import Proposal, ScreeningRun
from arena.teams.models import Arena


def open_alarms(arena: Arena) -> set[int]:
    """Competitors for or against whom the last look rang, until every finding about them is decided.

    An alarm without a finding has nothing to be decided: it is open for as long as looks ring.
    """
    run = ScreeningRun.objects.filter(arena=arena).first()
    rung = {alarm["competitor"] for alarm in run.alarms if alarm["competitor"] is not None} if run else set()
    if not rung:
        return set()
    waits: dict[int | None, bool] = {}
    found = Proposal.objects.filter(arena=arena).values_list("competitor_id", "evidence", "decisions")
    for about, evidence, decision in found:
        # Who loses all votes is proposed without a competitor; for whom they voted is in the evidence.
        competitor = about if about is not None else evidence.get("competitor")
        waits[competitor] = waits.get(competitor, False) or decision is None
    return {competitor for competitor in rung if waits.get(competitor, True)}
