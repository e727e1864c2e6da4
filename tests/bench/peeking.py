"""How often a verdict is wrong under a look after every vote, and how many votes a true difference takes.

    python tests/bench/peeking.py [--runs 2000]

Design. Two competitors need no refit: the estimate is the log-odds of the score, and every variance is a function of
each voter's votes n_g and score s_g, so that all runs advance by one vote at a time in a few array operations.
`tests/ratings/test_verdicts_bound.py` holds these closed forms to `ratings.verdicts.compare` vote for vote. Six
competitors are fitted by warm Newton steps for all runs at once, with a look every five votes and variances without
corrections.

A taste is a voter's own normal offset of each competitor's strength, in log-odds; the true difference is that of the
means. Voters come at random, all as often or the k-th with weight 1/k (`busy`), or `in turn`: each casts all votes
before the next begins. While there is one voter a verdict is about this voter, and not wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.special import expit, log_expit, logit, ndtri, stdtrit

sys.path.append(str(Path(__file__).absolute().parents[2]))

from ratings.contrasts import PSEUDO_INFORMATION, toward_zero
from ratings.deciding import FAR
from ratings.scale import POINTS
from ratings.sequences import EXPECTED_INFORMATION, half_width, t_over_z
from ratings.verdicts import MIN_VOTES

LEVEL = 0.95
METHODS = ("ours", "sequence, clustered", "fixed, by vote", "fixed, clustered t")
"""`compare`'s rule; the same sequence with the plain clustered error; and the usual intervals, looked at every time."""


@dataclass(frozen=True)
class World:
    """Two competitors; `difference` in points, `taste` in log-odds, `ties` a share of the votes; `busy`: 1/k each."""

    voters: int
    taste: float
    difference: float = 0.0
    votes: int = 2000
    ties: float = 0.0
    in_turn: bool = False
    busy: bool = False


@dataclass(frozen=True)
class Looks:
    """For each method and run, the vote at which it first said "better" (0 for never), and whether of the wrong one."""

    first: dict[str, np.ndarray]
    wrong: dict[str, np.ndarray]


class TwoCompetitors:
    """Running sums of all runs, one vote at a time; the closed forms of `ratings.contrasts`."""

    def __init__(self, runs: int, voters: int) -> None:
        self.rows = np.arange(runs)
        self.votes, self.score, self.squares = 0, np.zeros(runs), np.zeros(runs)
        self.n, self.s = np.zeros((2, runs, voters))
        self.nn, self.seen = np.zeros((2, runs))

    def add(self, voter: np.ndarray, score: np.ndarray) -> None:
        n = self.n[self.rows, voter]
        self.seen += n == 0
        self.nn += 2 * n + 1
        self.n[self.rows, voter] += 1
        self.s[self.rows, voter] += score
        self.score += score
        self.squares += score**2
        self.votes += 1

    def estimate(self) -> dict[str, np.ndarray]:
        """d, its variances by vote (HC2) and voter (CR2), the one that `compare` takes, and df; shape (runs,)."""
        m = self.votes
        separated = (self.score == 0) | (self.score == m)  # Firth's estimate: half a vote to each
        p = np.where(separated, (self.score + 0.5) / (m + 1), self.score / m)
        d, information = logit(p), m * p * (1 - p)
        residual = self.squares - 2 * p * self.score + m * p**2
        rest = np.maximum(1 - self.n / m, 1e-9)
        by_voter = ((self.s - p[:, None] * self.n) ** 2 / rest).sum(axis=1) / information**2
        robust = residual / information**2 * m / (m - 1)
        dispersion = (residual + PSEUDO_INFORMATION) / (information + PSEUDO_INFORMATION)
        by_vote = np.maximum(robust, dispersion / information)
        several = self.seen >= 2
        df = np.where(several, m**2 / self.nn - 1, max(m - 2.0, 1.0))  # one voter: by vote, about this voter only
        variance = np.where(several, np.maximum(by_vote, by_voter), by_vote)
        drop = self.score * log_expit(d) + (m - self.score) * log_expit(-d) + m * np.log(2)
        secant = d**2 / (2 * np.maximum(drop, 1e-12)) * information
        return {"d": d, "robust": robust, "by_voter": by_voter, "variance": variance, "df": df, "several": several,
                "secant": np.minimum(secant, 1.0)}  # fmt: skip


def simulate(world: World, runs: int, seed: int) -> Looks:
    """All looks of all runs of one world."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, world.taste, (2, runs, world.voters)) if world.taste else np.zeros((2, runs, world.voters))
    chance = expit(world.difference / POINTS + own[0] - own[1])
    rate = 1 / np.arange(1, world.voters + 1) if world.busy else np.ones(world.voters)
    activity = np.cumsum(rate / rate.sum())[:-1]
    state = TwoCompetitors(runs, world.voters)
    first = {method: np.zeros(runs, np.int64) for method in METHODS}
    wrong = {method: np.zeros(runs, bool) for method in METHODS}
    for vote in range(world.votes):
        turn = np.full(runs, vote * world.voters // world.votes)
        voter = turn if world.in_turn else np.searchsorted(activity, rng.random(runs))
        score = (rng.random(runs) < chance[state.rows, voter]).astype(float)
        if world.ties:
            score[rng.random(runs) < world.ties] = 0.5
        state.add(voter, score)
        if state.votes < MIN_VOTES:
            continue
        at = state.estimate()
        for method, half in halves(at).items():
            says = np.abs(at["d"]) > half
            new = says & (first[method] == 0)
            first[method][new] = state.votes
            wrong[method] |= says & ((at["d"] < 0) if world.difference > 0 else at["several"])
    return Looks(first, wrong)


def halves(at: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Half-width of each method now; infinite below one degree of freedom."""
    enough, size = at["df"] >= 1, np.abs(at["d"])
    widened = at["variance"] * t_over_z(at["df"], LEVEL) ** 2
    ours = half_width(widened, level=LEVEL)
    far = (ours >= size) & (size > FAR)  # asked by likelihood, as `compare` does
    far &= half_width(widened * toward_zero(np.maximum(size, 1e-6)), level=LEVEL) < size
    ours = np.where(far, half_width(widened * at["secant"], level=LEVEL), ours)
    t = stdtrit(np.maximum(at["df"], 1.0), 0.5 + LEVEL / 2)
    plain = {
        "ours": np.where(enough, ours, np.inf),
        "sequence, clustered": half_width(at["by_voter"], level=LEVEL),
        "fixed, by vote": ndtri(0.5 + LEVEL / 2) * np.sqrt(at["robust"]),
        "fixed, clustered t": t * np.sqrt(at["by_voter"]),
    }
    return {name: np.where(at["several"] | (name == "ours"), half, np.inf) for name, half in plain.items()}


class ManyCompetitors:
    """n competitors, all pairs at random: counts and scores by run, voter and pair; strengths by warm Newton steps."""

    def __init__(self, runs: int, voters: int, n: int) -> None:
        self.n = n
        self.pairs = np.array(list(combinations(range(n), 2)))
        self.design = np.zeros((len(self.pairs), n))
        self.design[np.arange(len(self.pairs)), self.pairs[:, 0]] = 1
        self.design[np.arange(len(self.pairs)), self.pairs[:, 1]] = -1
        self.count, self.score = np.zeros((2, runs, voters, len(self.pairs)))
        self.strength = np.zeros((runs, n))
        self.rows = np.arange(runs)

    def add(self, voter: np.ndarray, pair: np.ndarray, score: np.ndarray) -> None:
        self.count[self.rows, voter, pair] += 1
        self.score[self.rows, voter, pair] += score

    def estimate(self) -> dict[str, np.ndarray]:
        """Differences of all pairs, their variances and degrees of freedom, shape (runs, pairs); votes without ties."""
        x, count, score = self.design, self.count.sum(axis=1), self.score.sum(axis=1)
        for _ in range(30):
            p = expit(self.strength @ x.T)
            weight = count * p * (1 - p)
            inverse = np.linalg.inv(np.einsum("kp,rp,pl->rkl", x.T, weight, x, optimize=True) + 1 / self.n)
            step = np.einsum("rkl,lp,rp->rk", inverse, x.T, score - count * p, optimize=True)
            self.strength += step / np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
            if np.abs(step).max() < 1e-6:
                break
        finite = np.abs(self.strength).max(axis=1) < 6  # else no finite estimate yet: this run's look is left out
        self.strength[~finite] = 0.0
        p = expit(self.strength @ x.T)
        weight, m = count * p * (1 - p), count.sum(axis=1)
        inverse = np.linalg.inv(np.einsum("kp,rp,pl->rkl", x.T, weight, x, optimize=True) + 1 / self.n) - 1 / self.n
        lever = x @ inverse @ x.T  # (runs, contrast, pair)
        residual = score * (1 - 2 * p) + count * p**2
        robust = np.einsum("rcp,rp->rc", lever**2, residual) * (m / (m - self.n))[:, None]
        dispersion = (residual.sum(axis=1) + PSEUDO_INFORMATION) / (weight.sum(axis=1) + PSEUDO_INFORMATION)
        by_vote = np.maximum(robust, dispersion[:, None] * np.einsum("rcc->rc", lever))
        seen = (self.count.sum(axis=2) > 0).sum(axis=1)
        by_group = (self.score - self.count * p[:, None]) @ lever.transpose(0, 2, 1)
        clustered = (by_group**2).sum(axis=1) * (seen / np.maximum(seen - 1, 1))[:, None]
        shares = (self.count * (p * (1 - p))[:, None]) @ (lever**2).transpose(0, 2, 1)
        df = shares.sum(axis=1) ** 2 / (shares**2).sum(axis=1) - 1
        return {"d": self.strength @ x.T, "variance": np.maximum(by_vote, clustered), "df": df, "finite": finite}


def simulate_many(
    n: int, voters: int, taste: float, *, votes: int, runs: int, seed: int, every: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """No true differences: the pairs ever called, (runs, pairs), and whether the first was ever behind the leader."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, taste, (runs, voters, n))
    state = ManyCompetitors(runs, voters, n)
    called, behind = np.zeros((runs, len(state.pairs)), bool), np.zeros(runs, bool)
    for vote in range(1, votes + 1):
        voter, pair = rng.integers(0, voters, runs), rng.integers(0, len(state.pairs), runs)
        a, b = state.pairs[pair].T
        chance = expit(own[state.rows, voter, a] - own[state.rows, voter, b])
        state.add(voter, pair, (rng.random(runs) < chance).astype(float))
        if vote % every or vote < n * MIN_VOTES:
            continue
        at = state.estimate()
        enough = at["finite"][:, None] & (at["df"] >= 1)
        widened = at["variance"] * t_over_z(at["df"], LEVEL) ** 2
        called |= enough & (np.abs(at["d"]) > half_width(widened, level=LEVEL))
        strict = 1 - (1 - LEVEL) / (n - 1)
        widened = at["variance"] * t_over_z(at["df"], strict) ** 2
        to_first = at["d"][:, : n - 1] < -half_width(widened, level=strict)[:, : n - 1]
        leader = state.strength.argmax(axis=1)
        called_behind = (enough[:, : n - 1] & to_first)[state.rows, np.maximum(leader, 1) - 1]
        behind |= called_behind & (leader > 0)
    return called, behind


def share(values: np.ndarray) -> str:
    """A percentage with its Monte-Carlo standard error."""
    mean = float(np.mean(values))
    return f"{100 * mean:.1f} ± {100 * np.sqrt(mean * (1 - mean) / values.size):.1f}"


def wrong_table(runs: int) -> None:
    print(f'\nWrong "better" in % of {runs} runs of 2,000 votes, no true difference, a look after every vote:\n')
    print("| voters | tastes SD | order | " + " | ".join(METHODS) + " |\n|---|---|---|" + "---|" * len(METHODS))
    worlds = [World(voters, taste) for voters in (5, 10, 20, 100) for taste in (0.0, 0.5)]
    worlds += [World(2, 0.5), World(5, 0.5, votes=400), World(5, 1.0), World(20, 0.5, ties=0.3)]
    worlds += [World(voters, 0.5, in_turn=True) for voters in (5, 20, 100)]
    worlds += [World(voters, 0.5, busy=True) for voters in (5, 20, 100)]
    for seed, world in enumerate(worlds):
        looks = simulate(world, runs, seed)
        order = "in turn" if world.in_turn else "random, busy" if world.busy else "random"
        extra = f", {world.votes} votes" if world.votes != 2000 else f", {world.ties:.0%} ties" if world.ties else ""
        cells = " | ".join(share(looks.wrong[method]) for method in METHODS)
        print(f"| {world.voters} | {world.taste} | {order}{extra} | {cells} |", flush=True)


def power_table(runs: int) -> None:
    print(f'\nShare of "better" within 2,000 votes, in % of {runs} runs, and median votes to it (– above 2,000):\n')
    print(
        "| voters | tastes SD | 30 points | 60 points | 120 points | said of the wrong one |\n|---|---|---|---|---|---|"
    )
    for voters in (5, 10, 20, 100):
        for taste in (0.0, 0.5):
            looks = [simulate(World(voters, taste, d), runs, 100 + i) for i, d in enumerate((30, 60, 120))]
            cells = []
            for look in looks:
                votes = np.where(look.first["ours"] > 0, look.first["ours"], np.inf)
                median = np.median(votes)
                cells.append(
                    f"{share(votes < np.inf)}, {median:.0f}" if median < np.inf else f"{share(votes < np.inf)}, –"
                )
            wrong = share(np.concatenate([look.wrong["ours"] for look in looks]))
            print(f"| {voters} | {taste} | {' | '.join(cells)} | {wrong} |", flush=True)


def expected_table() -> None:
    print(
        "\nEven independent votes between two at which the difference leaves the sequence, by expected information:\n"
    )
    print("| I* | 20 points | 30 points | 60 points | 120 points |\n|---|---|---|---|---|")
    votes = np.arange(10, 20_000)
    for expected in (10.0, 30.0, EXPECTED_INFORMATION, 300.0, 1000.0):
        cells = []
        for points in (20, 30, 60, 120):
            p = expit(points / POINTS)
            half = half_width(1 / (votes * p * (1 - p)), level=LEVEL, expected_information=expected)
            cells.append(str(votes[np.argmax(half < points / POINTS)]))
        print(f"| {expected:.0f} | {' | '.join(cells)} |")


def many_table(runs: int) -> None:
    print(f"\nSix competitors, no true differences, 1,500 votes, a look every five, {runs} runs; in %:\n")
    print("| voters | tastes SD | wrong per pair | a given best ever called behind the leader |\n|---|---|---|---|")
    for seed, (voters, taste) in enumerate([(5, 0.0), (5, 0.5), (20, 0.0), (20, 0.5)]):
        called, behind = simulate_many(6, voters, taste, votes=1500, runs=runs, seed=200 + seed)
        rates = called.mean(axis=1)
        error = 100 * rates.std() / np.sqrt(runs)
        print(f"| {voters} | {taste} | {100 * rates.mean():.1f} ± {error:.1f} | {share(behind)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    options = parser.parse_args()
    began = time.perf_counter()
    wrong_table(options.runs)
    power_table(options.runs)
    expected_table()
    many_table(max(options.runs // 2, 2))
    print(f"\n{time.perf_counter() - began:.0f} s", file=sys.stderr)
