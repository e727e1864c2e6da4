"""W2: not Bradley-Terry. Skills and topics, heavy-tailed Thurstone noise, ties by indifference, a life of entries.

u = sharpness · (quality_a − quality_b) + liking + charm + Student-t noise; a tie when |u| is below the voter's own
threshold times what the two competitors make of it. Quality is skills weighed by the prompt's topic; topics drift.
Serving follows a policy and age; whether a battle is voted on depends on the person and on the answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ratings.data import Floats
from ratings.served import Codes, Flags, served
from tests.redteam.worlds import LIFE, World, bursts, in_clusters, lives, moments, rng_of, vouch

TOPICS, SKILLS = 8, 5
COMPANIES = 8
GROUPS = ("company", "fans", "pet prompt", "never tie", "indifferent")
COMPANY, FAN, PET, NEVER_TIE, INDIFFERENT = range(5)


@dataclass(frozen=True)
class Skills:
    """The world's knobs: shares of accounts, standard deviations in units of the noise.

    Attributes
    ----------
    battles : int
        Served; about three in five are voted on.
    company, company_sd : float
        Share of accounts in companies (one mail domain, one address); the taste that a company shares.
    fans, fan_lift, pet, pet_sd : float
        Voters who love one competitor; voters who ask one prompt for ever.
    never_tie, indifferent : float
        Voters without ties, and those who see hardly any difference.
    drift : float
        How far the topics move from the first to the last day.
    aged : float
        Share of the votes by aged or vouched accounts; 0 leaves it as it comes.
    """

    n: int = 20
    battles: int = 80_000
    company: float = 0.06
    company_sd: float = 0.35
    fans: float = 0.01
    fan_lift: float = 1.2
    pet: float = 0.03
    pet_sd: float = 0.6
    never_tie: float = 0.12
    indifferent: float = 0.03
    taste: float = 0.2
    drift: float = 0.3
    leaving: float = 0.6
    aged: float = 0.0
    cap: int = 300


def skills(design: Skills, seed: int) -> World:
    """One world; the same design and seed give the same log."""
    rng = rng_of(seed, 2)
    account, accounts = _accounts(design, rng)
    start, stay = lives(accounts, rng, newsletters=3)
    at = moments(account, start, stay, rng)
    order = np.argsort(at, kind="stable")
    account, at = account[order], at[order]
    a, b = _pairs(design, at / LIFE, rng)
    kind = _kinds(design, accounts, rng)
    firm = np.where(kind == COMPANY, rng.integers(0, COMPANIES, accounts), -1).astype(np.int32)
    skill = np.linspace(0.75, -0.75, design.n)[:, None] + rng.normal(0, 0.3, (design.n, SKILLS))
    topic = _topics(design, account, kind, at / LIFE, accounts, rng)
    load = rng.dirichlet(np.full(SKILLS, 2.0), TOPICS)
    quality = skill @ load.T
    liking = _liking(design, kind, firm, accounts, rng)
    charm = rng.normal(0, 0.1, (account.size, 2))
    sharp = np.exp(rng.normal(0, 0.3, accounts)) * (rng.random(accounts) > 0.05)
    u = sharp[account] * (quality[a, topic] - quality[b, topic] + liking[account, a] - liking[account, b])
    u += charm[:, 0] - charm[:, 1] + rng.normal(0.04, 0.15, accounts)[account] + 1.1 * rng.standard_t(5, u.size)
    best = np.maximum(quality[a, topic], quality[b, topic])
    ready = rng.normal(0.6, 1.2, accounts)[account] + design.leaving * best
    outcome = _outcomes(u, _threshold(design, account, a, b, kind, rng), best, rng)
    voted = rng.random(u.size) < expit(ready)
    clusters, vouched = _clusters(account, voted, at, firm, design, accounts, rng)
    log = served(
        [f"s{i:03d}" for i in range(design.n)], a, b, np.where(voted, outcome, -1), account, at,
        clusters=clusters, vouched=vouched,
    )  # fmt: skip
    usual = np.bincount(topic, minlength=TOPICS) / topic.size
    return World(log, quality @ usual, np.ones(accounts, dtype=np.bool_), kind, GROUPS)


def _accounts(design: Skills, rng: np.random.Generator) -> tuple[Codes, int]:
    """Who was served each battle: Pareto, and lonely accounts that look once or twice and go."""
    served_each = np.minimum((1 - rng.random(design.battles)) ** (-1 / 1.15), design.cap).astype(np.int64)
    accounts = int(np.searchsorted(np.cumsum(served_each), design.battles))
    return np.repeat(np.arange(accounts), served_each[:accounts]).astype(np.int32), accounts


def _pairs(design: Skills, time: Floats, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """By policy and age: an uneven share for each, a late entry that is shown more at first, a retirement."""
    share = rng.gamma(6.0, 1 / 6, design.n)
    late, gone = rng.choice(design.n, 2, replace=False)
    a, b = np.zeros(time.size, dtype=np.int32), np.zeros(time.size, dtype=np.int32)
    for begin, end, new, old in ((0, 0.4, 0, 1), (0.4, 0.45, 4, 1), (0.45, 0.7, 1, 1), (0.7, 1.01, 1, 0)):
        weight = share.copy()
        weight[late] *= new
        weight[gone] *= old
        chance = np.outer(weight, weight) * (1 - np.eye(design.n))
        rows = np.flatnonzero((time >= begin) & (time < end))
        drawn = np.searchsorted(np.cumsum(chance.ravel()) / chance.sum(), rng.random(rows.size))
        a[rows], b[rows] = np.divmod(drawn, design.n)
    return a, b


def _kinds(design: Skills, accounts: int, rng: np.random.Generator) -> Codes:
    share = [design.company, design.fans, design.pet, design.never_tie, design.indifferent]
    place = np.searchsorted(np.cumsum(share), rng.random(accounts), side="right")
    return np.where(place < len(share), place, -1).astype(np.int32)


def _topics(
    design: Skills, account: Codes, kind: Codes, time: Floats, accounts: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The topic of each prompt: taste in topics by account, drifting with time; one for ever for a pet prompt."""
    early, late = rng.dirichlet(np.full(TOPICS, 2.0), 2)
    moved = early + design.drift * time[:, None] * (late - early)
    own = rng.dirichlet(np.full(TOPICS, 1.0), accounts)
    chance = np.cumsum(0.6 * moved + 0.4 * own[account], axis=1)
    topic = (chance < rng.random((account.size, 1)) * chance[:, -1:]).sum(axis=1)
    return np.where(kind[account] == PET, rng.integers(0, TOPICS, accounts)[account], np.minimum(topic, TOPICS - 1))


def _liking(design: Skills, kind: Codes, firm: Codes, accounts: int, rng: np.random.Generator) -> Floats:
    own = rng.normal(0, design.taste, (accounts, design.n))
    shared = rng.normal(0, design.company_sd, (COMPANIES, design.n))
    own[firm >= 0] += shared[firm[firm >= 0]]
    pets, fans = kind == PET, np.flatnonzero(kind == FAN)
    own[pets] += rng.normal(0, design.pet_sd, (int(pets.sum()), design.n))
    own[fans, rng.integers(0, design.n, fans.size)] += design.fan_lift
    return np.asarray(own)


def _threshold(design: Skills, account: Codes, a: Codes, b: Codes, kind: Codes, rng: np.random.Generator) -> Floats:
    """Below it a voter sees no difference; some never do so, some nearly always, and some competitors repel ties."""
    habit = 0.45 * np.exp(rng.normal(0, 0.6, kind.size))
    habit[kind == NEVER_TIE] = 0.0
    habit[kind == INDIFFERENT] = 2.5
    propensity = np.exp(rng.normal(0, 0.25, design.n))
    propensity[rng.choice(design.n, 2, replace=False)] = 0.3
    return np.asarray(habit[account] * np.sqrt(propensity[a] * propensity[b]))


def _outcomes(u: Floats, threshold: Floats, best: Floats, rng: np.random.Generator) -> Codes:
    """A tie of two poor answers is mostly both bad."""
    tied = np.where(rng.random(u.size) < expit(-2 - 2 * best), 3, 2)
    return np.where(np.abs(u) < threshold, tied, np.where(u > 0, 0, 1)).astype(np.int32)


def _clusters(
    account: Codes, voted: Flags, at: Floats, firm: Codes, design: Skills, accounts: int, rng: np.random.Generator
) -> tuple[dict[str, Codes], Flags]:
    """Companies share a domain and an address, households an address, guests an invitation; bursts as seen."""
    first = np.full(accounts, np.inf)
    np.minimum.at(first, account, at)
    home = in_clusters(accounts, 0.12, 4, rng)
    invite = in_clusters(accounts, 0.1, 30, rng)
    address = np.where(firm >= 0, firm, np.where(home >= 0, home + COMPANIES, -1)).astype(np.int32)
    vouched = vouch(account, voted, at, accounts, design.aged, rng) | (invite >= 0)
    return {"address": address, "domain": firm, "invite": invite, "burst": bursts(first)}, vouched
