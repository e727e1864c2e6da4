"""Counts that grow with the votes: a board of ten million votes costs what one of ten thousand costs.

Voters are dealt in turn into groups by the order of their first vote, which is how `ratings` deals them when there are
more than it resamples one by one. Each group's counts are one small block. New votes are counted by the database,
added to the blocks they concern, and never looked at again. The blocks can be thrown away and made anew from the votes;
`verify_snapshot` counts without them.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Count, Min, QuerySet

from arena.battles import marking
from arena.battles.models import Vote
from arena.battles.words import Winner
from arena.integrity.standing import Withheld
from arena.leaderboards.counting import OUTCOMES, Cutoffs, load_counts, rated
from arena.leaderboards.models import CountBlock, CountedVotes, VoterPlace
from arena.teams.models import Arena
from ratings import Comparisons, comparisons
from ratings.electorate import MAX_GROUPS, Electorate, electorate

BATCH = 500
Key = tuple[int, int, int]
"""First competitor, second competitor, outcome."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counted votes by group of voters, as columns, and how many voters judged each competitor.

    Attributes
    ----------
    group, first, second, outcome, votes : int64, shape (rows,)
        `first` and `second` are competitors' ids.
    voters : int
    judges : dict
        Distinct voters by competitor id.
    """

    group: Any
    first: Any
    second: Any
    outcome: Any
    votes: Any
    voters: int
    judges: dict[int, int]


def load(arena: Arena, limits: Cutoffs, labels: dict[int, str]) -> tuple[Comparisons, Electorate]:
    """What `counting.load_counts` counts, by group of voters, at a cost that does not grow with the votes."""
    counted = tally(arena, limits.vote)
    if counted is None:
        data = load_counts(arena, limits, labels)
        return data, electorate(data)
    ids = np.array(list(labels), dtype=np.int64)
    order = np.argsort(ids)
    first, second = (order[np.searchsorted(ids, column, sorter=order)] for column in (counted.first, counted.second))
    data = comparisons(list(labels.values()), first, second, counted.outcome, voter=counted.group, weight=counted.votes)
    return data, Electorate(counted.voters, {labels[pk]: voters for pk, voters in counted.judges.items()})


def without(
    data: Comparisons, who: Electorate, out: Withheld, labels: dict[int, str], places: dict[int, int]
) -> tuple[Comparisons, Electorate]:
    """What is left of counts by group of voters, in the groups into which everybody's votes were dealt.

    `places` are those of the voters concerned in the order of first votes, votes that do not count among them: so a
    decision about one voter moves nobody else into another group, and the blocks stay as they are.
    """
    at = {name: place for place, name in enumerate(data.names)}
    rows = [
        (places[voter] % MAX_GROUPS, at[labels[a]], at[labels[b]], OUTCOMES[Winner(winner)], votes)
        for voter, a, b, winner, votes in out.counts
    ]
    *gone, votes = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    keys, wanted = _keys(len(at), data.voter, data.a, data.b, data.outcome), _keys(len(at), *gone)
    order = np.argsort(keys)
    where = order[np.searchsorted(keys, wanted, sorter=order)]
    weight = data.weight.copy()
    np.subtract.at(weight, where, votes)
    judges = Counter(who.judges)
    judges.subtract(labels[competitor] for _, those in out.lost for competitor in those)
    left = comparisons(data.names, data.a, data.b, data.outcome, voter=data.voter, weight=weight)
    return left, Electorate(who.voters - len(out.gone), dict(judges))


def _keys(n: int, group: Any, first: Any, second: Any, outcome: Any) -> Any:
    """One number for one group, pair, side and outcome."""
    return ((group * n + first) * n + second) * len(OUTCOMES) + outcome


def places_of(arena: Arena, voters: frozenset[int]) -> dict[int, int]:
    """Where these voters stand in the order of first votes, as it is kept."""
    rows = VoterPlace.objects.filter(arena=arena)
    return {
        voter: place
        for batch in _batches(sorted(voters))
        for voter, place in rows.filter(voter__in=batch).values_list("voter_id", "place")
    }


def tally(arena: Arena, through: int) -> Tally | None:
    """The counts up to and including vote `through`; None where the blocks are already further.

    The caller has settled that no lower id is still on its way (`battles.settled.frozen_tables`).
    """
    with transaction.atomic():
        CountedVotes.objects.get_or_create(arena=arena)
        state = CountedVotes.objects.select_for_update().get(arena=arena)
        if state.through_vote_id > through:
            return None
        if state.through_vote_id < through:
            _advance(arena, state, through)
        return _read(arena, state)


def _advance(arena: Arena, state: CountedVotes, through: int) -> None:
    if marking.has_changed(arena, state.through_vote_id, through):
        _begin_again(arena, state)
    new = rated(arena, through).filter(id__gt=state.through_vote_id)
    places = _places(arena, state, new)
    added: dict[int, dict[Key, int]] = defaultdict(lambda: defaultdict(int))
    judged: dict[int, set[int]] = defaultdict(set)
    for voter, first, second, winner, votes in _counted(new):
        added[places[voter].place % MAX_GROUPS][first, second, OUTCOMES[Winner(winner)]] += votes
        judged[voter] |= {first, second}
    _add_to_blocks(arena, added)
    _remember(state, places, judged)
    state.through_vote_id = through
    state.save(update_fields=["through_vote_id", "voters", "judges"])


def _begin_again(arena: Arena, state: CountedVotes) -> None:
    """A vote that was passed over counts now, and may be its voter's first: all places are dealt anew."""
    CountBlock.objects.filter(arena=arena).delete()
    VoterPlace.objects.filter(arena=arena).delete()
    state.through_vote_id, state.voters, state.judges = 0, 0, {}


def _counted(votes: QuerySet[Vote]) -> Iterator[tuple[Any, ...]]:
    rows = votes.values_list("voter_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner")
    return iter(rows.annotate(votes=Count("id")).order_by().iterator(chunk_size=5000))


def _places(arena: Arena, state: CountedVotes, new: QuerySet[Vote]) -> dict[int, VoterPlace]:
    """Everybody who cast one of the new votes, those without a place given the next ones in order."""
    firsts = [pk for pk, _ in new.values_list("voter_id").annotate(first=Min("id")).order_by("first")]
    known = {
        row.voter_id: row
        for batch in _batches(firsts)
        for row in VoterPlace.objects.filter(arena=arena, voter_id__in=batch)
    }
    fresh = [pk for pk in firsts if pk not in known]
    rows = [VoterPlace(arena=arena, voter_id=pk, place=state.voters + n) for n, pk in enumerate(fresh)]
    state.voters += len(fresh)
    return known | {row.voter_id: row for row in VoterPlace.objects.bulk_create(rows, batch_size=BATCH)}


def _add_to_blocks(arena: Arena, added: dict[int, dict[Key, int]]) -> None:
    blocks = {
        row.group: row
        for batch in _batches(list(added))
        for row in CountBlock.objects.filter(arena=arena, group__in=batch)
    }
    for group, counts in added.items():
        if group in blocks:
            for *key, votes in unpacked(blocks[group].counts).tolist():
                counts[key[0], key[1], key[2]] += votes
        else:
            blocks[group] = CountBlock(arena=arena, group=group)
        blocks[group].counts = packed(counts)
    fresh = [row for row in blocks.values() if row.pk is None]
    CountBlock.objects.bulk_update([row for row in blocks.values() if row.pk is not None], ["counts"], batch_size=50)
    CountBlock.objects.bulk_create(fresh, batch_size=BATCH)


def _remember(state: CountedVotes, places: dict[int, VoterPlace], judged: dict[int, set[int]]) -> None:
    changed = []
    for voter, competitors in judged.items():
        if fresh := competitors - set(places[voter].judged):
            places[voter].judged = sorted(fresh | set(places[voter].judged))
            changed.append(places[voter])
            for competitor in map(str, fresh):
                state.judges[competitor] = state.judges.get(competitor, 0) + 1
    VoterPlace.objects.bulk_update(changed, ["judged"], batch_size=200)


def _read(arena: Arena, state: CountedVotes) -> Tally:
    blocks = list(CountBlock.objects.filter(arena=arena).order_by("group").values_list("group", "counts"))
    tables = [unpacked(counts) for _, counts in blocks]
    rows = np.concatenate(tables) if tables else np.zeros((0, 4), np.int64)
    group = np.repeat([group for group, _ in blocks], [len(table) for table in tables]).astype(np.int64)
    judges = {int(competitor): voters for competitor, voters in state.judges.items()}
    first, second, outcome, votes = rows.T
    return Tally(group, first, second, outcome, votes, voters=state.voters, judges=judges)


def packed(counts: dict[Key, int]) -> bytes:
    """Rows in the order of their keys, so that equal counts are equal bytes."""
    rows = np.array([(*key, votes) for key, votes in sorted(counts.items())], dtype="<i8").reshape(-1, 4)
    return zlib.compress(rows.tobytes(), 1)


def unpacked(block: bytes | memoryview) -> Any:
    """What `packed` packed, shape (rows, 4)."""
    return np.frombuffer(zlib.decompress(block), dtype="<i8").reshape(-1, 4)


def _batches(items: list[int]) -> Iterable[list[int]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
