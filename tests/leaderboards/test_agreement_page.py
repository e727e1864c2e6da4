"""The operator's page on agreement: figures by hand, nothing for others, no competitor beside a prompt."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import agreeing
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter

transactional = pytest.mark.django_db(transaction=True)
TURNED = {"a": "b", "b": "a"}


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def panel(orchard: Arena, now: datetime) -> Arena:
    """Five voters on twelve prompts with two pairs each; every third battle of voter 1 again, with sides exchanged."""
    rng = random.Random(5)
    names = list(Competitor.objects.filter(arena=orchard).order_by("id"))
    prompts = PromptSet.objects.create(arena=orchard, name="Set")
    people = [Voter.objects.create() for _ in range(5)]
    first: list[Battle] = []
    for n in range(12):
        prompt = Prompt.objects.create(prompt_set=prompts, key=str(n), text=f"Question {n}, <b>bold</b>")
        for voter in people:
            for pair in (names[:2], names[1:3]):
                sides = pair if rng.random() < 0.5 else pair[::-1]
                battle = _battle(orchard, voter, prompt, sides, now)
                better = "a" if sides[0].pk < sides[1].pk else "b"
                winner = better if rng.random() < 0.6 else rng.choice(["a", "b", "tie", "both_bad"])
                Vote.objects.create(battle=battle, voter=voter, winner=winner, created_at=now)
                first.append(battle)
    for battle in [battle for battle in first if battle.voter_id == people[0].pk][::3]:
        again = _battle(orchard, people[0], battle.prompt, [battle.competitor_b, battle.competitor_a], now, of=battle)
        winner = rng.choice([TURNED.get(battle.vote.winner, battle.vote.winner), "tie"])
        Vote.objects.create(battle=again, voter=people[0], winner=winner, created_at=now)
    return orchard


def _battle(
    arena: Arena, voter: Voter, prompt: Prompt | None, sides: Any, at: datetime, of: Battle | None = None
) -> Battle:
    return Battle.objects.create(
        arena=arena, voter=voter, prompt=prompt, competitor_a=sides[0], competitor_b=sides[1], seed="0",
        policy="repeat" if of else "uniform", draw_probability=0.5, stream_mode="paced", state="complete",
        served_at=at, expires_at=at + timedelta(hours=24), repeat_of=of,
    )  # fmt: skip


def by_item() -> dict[tuple[int, ...], dict[int, str]]:
    """By prompt and pair the rated votes of each voter, turned to the sides of the item's first vote."""
    found: dict[tuple[int, ...], dict[int, str]] = defaultdict(dict)
    front: dict[tuple[int, ...], int] = {}
    for vote in Vote.objects.filter(battle__repeat_of__isnull=True).select_related("battle").order_by("id"):
        a, b = vote.battle.competitor_a_id, vote.battle.competitor_b_id
        item = (vote.battle.prompt_id or 0, min(a, b), max(a, b))
        same = front.setdefault(item, a) == a
        found[item][vote.voter_id] = vote.winner if same else TURNED.get(vote.winner, vote.winner)
    return found


def unmarked(answer: Any) -> str:
    """A page without the token of its form, which is another one each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


@transactional
def test_alpha_is_that_of_the_rated_votes_by_hand(admin_client: Any, panel: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(panel, now=now)
    found = agreeing.measured(snapshot)
    coincidence: Counter[tuple[str, str]] = Counter()
    for said in by_item().values():
        for one, other in combinations(said.values(), 2):
            coincidence[one, other] += 1 / (len(said) - 1)  # type: ignore[assignment]
            coincidence[other, one] += 1 / (len(said) - 1)  # type: ignore[assignment]
    totals = Counter[str]()
    for (one, _other), weight in coincidence.items():
        totals[one] += weight
    n = totals.total()
    observed = sum(weight for (one, other), weight in coincidence.items() if one != other) / n
    expected = sum(totals[x] * totals[y] for x in totals for y in totals if x != y) / (n * (n - 1))
    assert found.agreement.alpha == pytest.approx(1 - observed / expected, rel=1e-9)  # sums in another order
    assert (found.agreement.items, found.agreement.voters, found.rated) == (24, 5, 120)
    shown = text_of(admin_client.get("/a/orchard/agreement/").content.decode())
    assert (
        f"{found.agreement.alpha:.2f} {found.agreement.alpha_lower:.2f} to {found.agreement.alpha_upper:.2f}" in shown
    )
    assert "Items with several voters 24" in shown and f"Fleiss' kappa {found.agreement.kappa:.2f}" in shown


@transactional
def test_repeats_tell_of_self_consistency_and_of_nothing_else(admin_client: Any, panel: Arena, now: datetime) -> None:
    found = agreeing.measured(publish_snapshot(panel, now=now))
    repeats = Vote.objects.filter(battle__repeat_of__isnull=False).select_related("battle__repeat_of__vote")
    agreed = sum(vote.winner == TURNED.get(earlier, earlier) for vote in repeats for earlier in [first_said(vote)])
    assert (found.repeats, found.consistency.flipped.repeats, found.consistency.flipped.agreed) == (8, 8, agreed)
    assert 0 < agreed < 8
    shown = text_of(admin_client.get("/a/orchard/agreement/").content.decode())
    assert f"{agreed} of 8 repeats with sides exchanged" in shown


def first_said(repeat: Vote) -> str:
    assert repeat.battle.repeat_of is not None
    return repeat.battle.repeat_of.vote.winner


@transactional
def test_voters_are_numbers_and_their_matrix_is_cohens_kappa(admin_client: Any, panel: Arena, now: datetime) -> None:
    found = agreeing.measured(publish_snapshot(panel, now=now))
    matrix = found.agreement.experts
    assert matrix is not None and matrix.voters == (0, 1, 2, 3, 4)
    order = list(dict.fromkeys(Vote.objects.order_by("id").values_list("voter_id", flat=True)))
    judged = by_item()
    one = [said[order[0]] for said in judged.values()]
    other = [said[order[1]] for said in judged.values()]
    same = sum(x == y for x, y in zip(one, other, strict=True)) / len(one)
    chance = sum(one.count(word) * other.count(word) for word in set(one)) / len(one) ** 2
    assert matrix.kappa[0][1] == pytest.approx((same - chance) / (1 - chance), rel=1e-9)
    page = admin_client.get("/a/orchard/agreement/").content.decode()
    assert f"{matrix.kappa[0][1]:.2f} (24)" in text_of(page)
    assert not any(str(Voter.objects.get(pk=pk).public_id) in page for pk in order)


@transactional
def test_disputed_items_show_the_split_and_no_competitor(admin_client: Any, panel: Arena, now: datetime) -> None:
    found = agreeing.measured(publish_snapshot(panel, now=now))
    splits = Counter(tuple(sorted(Counter(said.values()).values())) for said in by_item().values())
    assert 0 < len(found.disputed) <= agreeing.DISPUTED
    for item in found.disputed:
        counts = tuple(sorted(n for n in (item.one, item.other, item.ties, item.both_bad) if n))
        assert splits[counts] > 0 and len(counts) > 1 and sum(counts) == item.voters == 5
    page = admin_client.get("/a/orchard/agreement/").content.decode()
    table = page.split("Disputed items")[2].split("</table>")[0]
    assert "Question" in table and "<b>bold" not in table
    assert not any(name in table for name in ("Ash", "Birch", "Cedar", "Dogwood"))


@transactional
def test_a_disputed_item_of_a_sealed_set_is_named_by_its_key(admin_client: Any, panel: Arena, now: datetime) -> None:
    publish_snapshot(panel, now=now)
    assert "Question" in admin_client.get("/a/orchard/agreement/").content.decode()
    PromptSet.objects.update(is_sealed=True)  # though it was measured before
    shown = admin_client.get("/a/orchard/agreement/").content.decode()
    assert "Question" not in shown and "Sealed prompt" in shown


@transactional
def test_leaning_to_a_side_is_a_count_of_each_voters_votes(admin_client: Any, panel: Arena, now: datetime) -> None:
    found = agreeing.measured(publish_snapshot(panel, now=now))
    order = list(dict.fromkeys(Vote.objects.order_by("id").values_list("voter_id", flat=True)))
    shown = text_of(admin_client.get("/a/orchard/agreement/").content.decode())
    assert len(found.attention) == 5
    for row in found.attention:
        votes = Counter(Vote.objects.filter(voter=order[row.voter]).values_list("winner", flat=True))
        decided = votes["a"] + votes["b"]
        assert (row.decided, row.share_a) == (decided, votes["a"] / decided)
        assert f"{row.voter + 1} {decided} {votes['a'] / decided * 100:.0f} %" in shown


@transactional
def test_influence_says_how_few_votes_decide(admin_client: Any, panel: Arena, now: datetime) -> None:
    found = agreeing.measured(publish_snapshot(panel, now=now)).influence
    assert found.status == "ok" and found.confirmed and found.votes_to_flip
    shown = text_of(admin_client.get("/a/orchard/agreement/").content.decode())
    votes = f"{found.votes_to_flip} vote{'s' if found.votes_to_flip > 1 else ''}"
    voters = f"{found.votes_by} voter{'s' if found.votes_by != 1 else ''}"
    assert (
        f"{votes} by {voters}, if removed, change who is first. {found.second} would stand before {found.first}."
        in shown
    )


@transactional
def test_a_winless_field_is_asked_with_the_boards_stand_in(
    admin_client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    for _ in range(6):
        judge("Ash", "Birch", "a")
    found = agreeing.measured(publish_snapshot(orchard, now=now)).influence
    assert found.status in ("ok", "no_flip")
    assert admin_client.get("/a/orchard/agreement/").status_code == 200


@transactional
def test_without_prompts_the_page_says_what_cannot_be_measured(
    admin_client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    for winner in ("a", "b", "tie"):
        judge("Ash", "Birch", winner)
    found = agreeing.measured(publish_snapshot(orchard, now=now))
    assert found.agreement.alpha is None and found.on_prompts == 0
    assert "cannot be measured" in text_of(admin_client.get("/a/orchard/agreement/").content.decode())


@transactional
def test_before_the_first_snapshot_and_for_others(client: Any, admin_client: Any, orchard: Arena) -> None:
    assert "Nothing is published here yet" in admin_client.get("/a/orchard/agreement/").content.decode()
    assert client.get("/a/orchard/agreement/").status_code == 404
    assert "/agreement/" not in client.get("/a/orchard/integrity/").content.decode()
    assert "/agreement/" in admin_client.get("/a/orchard/integrity/").content.decode()


@transactional
def test_the_page_changes_only_with_a_publication(admin_client: Any, panel: Arena, judge: Any, now: datetime) -> None:
    publish_snapshot(panel, now=now)
    before = unmarked(admin_client.get("/a/orchard/agreement/"))
    judge("Ash", "Birch", "b")
    agreeing._measured.cache_clear()
    assert unmarked(admin_client.get("/a/orchard/agreement/")) == before
    publish_snapshot(panel, now=now + timedelta(minutes=1))
    assert unmarked(admin_client.get("/a/orchard/agreement/")) != before


@transactional
def test_a_measured_page_costs_few_queries(
    admin_client: Any, panel: Arena, now: datetime, django_assert_max_num_queries: Any
) -> None:
    publish_snapshot(panel, now=now)
    with django_assert_max_num_queries(13):
        admin_client.get("/a/orchard/agreement/")
    with django_assert_max_num_queries(5):
        admin_client.get("/a/orchard/agreement/")
