"""Quality against cost: a price an answer, the front, and a saving only where the votes allow the claim."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from arena.leaderboards import costs
from arena.leaderboards.claims import BETTER, CANNOT_TELL, NO_DIFFERENCE, TOO_FEW, PairVerdict
from arena.leaderboards.cost_chart import rating_against_cost
from arena.leaderboards.sentences import money, saving_sentence


def row(name: str, rating: float | None, cost: float | None, rank: int | None = 1) -> dict[str, Any]:
    low, high = (None, None) if rating is None else (rating - 10, rating + 10)
    return {"model_name": name, "rating": rating, "rating_lower": low, "rating_upper": high, "rank": rank,
            "cost_per_1k_answers": cost}  # fmt: skip


ROWS = [row("best", 1100, 8.0), row("cheap", 1095, 1.0), row("dear", 1000, 9.0), row("same", 1095, 1.0),
        row("unpriced", 1050, None), row("unrated", None, 0.5, None)]  # fmt: skip


def pair(first: str, second: str, verdict: str) -> dict[tuple[str, str], PairVerdict]:
    return {(first, second): PairVerdict(first, second, verdict, 3.0, -5.0, 11.0, 400, 200, None, False)}


def test_the_front_holds_those_whom_nobody_beats_at_the_price() -> None:
    found = costs.offers(ROWS)
    assert [(offer.name, offer.on_front) for offer in found] == [
        ("cheap", True), ("same", True), ("best", True), ("dear", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "said"), [(NO_DIFFERENCE, True), (CANNOT_TELL, False), (BETTER, False), (TOO_FEW, False)]
)
def test_a_saving_is_claimed_only_where_the_verdict_is_that_there_is_no_difference(verdict: str, said: bool) -> None:
    found = costs.saving(ROWS, pair("best", "cheap", verdict))
    assert (found is not None) is said
    text = saving_sentence(found)
    assert text == (
        "cheap is in practice as good as best and costs 1.00 instead of 8.00 for 1,000 answers." if said else ""
    )


def test_hardly_cheaper_is_no_saving_and_the_pair_may_stand_either_way_round() -> None:
    rows = [row("best", 1100, 8.0), row("almost", 1099, 7.5), row("cheap", 1098, 7.0)]
    assert costs.saving(rows, pair("almost", "best", NO_DIFFERENCE)) is None
    found = costs.saving(rows, pair("cheap", "best", NO_DIFFERENCE))
    assert found is not None
    assert found.name == "cheap"
    assert (
        costs.saving([row("best", 1100, None), row("cheap", 1099, 1.0)], pair("best", "cheap", NO_DIFFERENCE)) is None
    )


def test_the_chart_names_escapes_and_marks() -> None:
    svg = rating_against_cost(costs.offers([*ROWS, row("<b>", 990, 100.0)]))
    assert "&lt;b&gt;" in svg
    assert "<b>" not in svg
    assert svg.count("<circle") == 5
    assert svg.count('class="f-ink" cx') == 3
    assert "each step doubles" in svg  # from 1 to 100
    assert rating_against_cost(costs.offers(ROWS[:1])) == ""
    free = rating_against_cost(costs.offers([row("free", 1000, 0.0), row("paid", 1010, 1.0)]))
    assert "each step doubles" not in free


def test_amounts_have_the_decimals_that_they_need() -> None:
    assert [money(x) for x in (0, 0.00123, 1, 1234.5)] == ["0.00", "0.0012", "1.00", "1,234.50"]


@pytest.mark.django_db
def test_the_board_shows_costs_where_prices_are_known_and_verifies_after_a_price_changed(client: Client) -> None:
    from django.utils import timezone

    from arena.battles.models import Response
    from arena.battles.simulating import simulate_votes
    from arena.competitors.models import Competitor
    from arena.leaderboards.publishing import publish_snapshot
    from arena.leaderboards.verifying import verify
    from arena.teams.models import Arena

    arena = Arena.objects.create(slug="priced", title="Priced", kind="live", is_simulated=True)
    field = [Competitor.objects.create(arena=arena, name=f"c{n}", model_id="m", price_in=1.0, price_out=2.0 + 8 * n)
             for n in range(3)]  # fmt: skip
    simulate_votes(
        arena, [(c, 0.4 * n) for n, c in enumerate(field)], voters=6, battles=150, seed=3, now=timezone.now()
    )
    Response.objects.update(input_tokens=100, output_tokens=200)
    assert "Quality against cost" not in client.get("/a/priced/leaderboard/").content.decode()
    snapshot = publish_snapshot(arena, now=timezone.now())
    page = client.get("/a/priced/leaderboard/").content.decode()
    assert "Quality against cost" in page
    cost = client.get("/a/priced/leaderboard/cost.csv").content.decode().splitlines()
    assert cost[1].startswith("c0,0.5,")  # 100 tokens at 1 and 200 at 2 a million, a thousand times
    assert client.get("/a/priced/leaderboard/cost.svg").status_code == 200
    Competitor.objects.update(price_out=50)
    assert verify(snapshot).same
