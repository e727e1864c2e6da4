"""Scenario 12: honest worlds of many kinds, in which nobody may be accused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.redteam.measure import Row, honest
from tests.redteam.world_crowd import available, crowd
from tests.redteam.world_skills import Skills, skills
from tests.redteam.world_tastes import Tastes, tastes
from tests.redteam.worlds import World

VOTES = 25_000
SEEDS = 14
PLAIN, RICH = Tastes(votes=VOTES), Skills(battles=int(VOTES * 1.6))


def _of_tastes(**knobs: object) -> Callable[[int], World]:
    return lambda seed: tastes(replace(PLAIN, **knobs), 5000 + seed)  # type: ignore[arg-type]


def _of_skills(**knobs: object) -> Callable[[int], World]:
    return lambda seed: skills(replace(RICH, **knobs), 5000 + seed)  # type: ignore[arg-type]


KINDS: dict[str, Callable[[int], World]] = {
    "W1": _of_tastes(),
    "W1, minority of SD 1.2": _of_tastes(minority_sd=1.2),
    "W1, minority of 30 %": _of_tastes(minority=0.3),
    "W1, tastes of SD .6": _of_tastes(taste=0.6),
    "W1, charm of SD .2": _of_tastes(charm=0.2),
    "W1, 20 % apathetic": _of_tastes(apathetic=0.2),
    "W1, side bias .3": _of_tastes(bias=0.3),
    "W1, blocs of 2 % × +2 and 5 % × +1": _of_tastes(blocs=((0.02, 2.0), (0.05, 1.0))),
    "W1, heavy users to 1,500": _of_tastes(cap=1500),
    "W1, 30 % never tie, 10 % nearly always": _of_tastes(never_tie=0.3, indifferent=0.1),
    "W1, one competitor in five repels ties": _of_tastes(repel=0.2),
    "W1, 100 competitors": _of_tastes(n=100),
    "W1, 3,000 votes": _of_tastes(votes=3000),
    "W1, aged share 60 %": _of_tastes(aged=0.6),
    "W2": _of_skills(),
    "W2, large companies of strong taste": _of_skills(company=0.2, company_sd=0.7),
    "W2, many fans": _of_skills(fans=0.04, fan_lift=2.0),
    "W2, many pet prompts": _of_skills(pet=0.1, pet_sd=1.0),
    "W2, topics drift wholly": _of_skills(drift=1.0),
    "W2, poor answers are left": _of_skills(leaving=1.5),
    "W2, aged share 60 %": _of_skills(aged=0.6),
    "W3": lambda seed: crowd(5000 + seed),
    "LLMFAO as it is": lambda seed: crowd(5000 + seed, deal=False),
}
REAL = ("W3", "LLMFAO as it is")


def kinds() -> list[str]:
    """Those that can be made here: real people need the published data."""
    return [kind for kind in KINDS if available() or kind not in REAL]


def stress(kind: str, seed: int) -> Row:
    return honest(KINDS[kind](seed))
