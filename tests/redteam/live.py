"""The live red team: attackers against a running server, what got through, and what a campaign costs.

    python -m tests.redteam.live [--seconds 20] [--battles 120] [--honest 3000] [--write docs/redteam-live.md]

Starts a throwaway instance, an endpoint with scripted models and the attackers, all on the loopback. Attackers choose
their addresses by the header of a proxy that the instance trusts. Ends with 1 when anything forbidden got through.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.product import ROOT, Child, Product, free_port
from tests.redteam import live_report
from tests.redteam.live_attacks import FORBIDDEN, WORLD, Campaign, Through, Timing, promote, timing
from tests.redteam.live_client import line_to

ASKING = "Which model are you?"


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign: from so many address blocks, a new cookie after so many battles."""

    key: str
    addresses: int
    each: int
    prompt: str = ""


PLANS = (
    Plan("one cookie, one address", 1, 10**6),
    Plan("a new cookie each battle, one address", 1, 1),
    Plan("a new cookie each battle, 25 address blocks", 25, 1),
    Plan("20 battles a cookie, 25 address blocks", 25, 20),
    Plan("asks which model answers, 25 address blocks", 25, 20, ASKING),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One campaign under one setting of the limits, and what it did to the board."""

    plan: Plan
    limited: bool
    done: Campaign
    standing: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that the page says."""

    honest: int
    limits: dict[str, float]
    runs: tuple[Run, ...]
    forbidden: tuple[Through, ...]
    timing: Timing


def attack(folder: Path, *, seconds: float, battles: int, honest: int, plans: tuple[Plan, ...] = PLANS) -> Outcome:
    """All of it, on an instance of its own."""
    port = free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    product = Product(folder / "instance")
    with Child(sys.executable, "tests/redteam/live_endpoint.py", str(port), env=env, log=folder / "endpoint.log"):
        product.env["TRUSTED_PROXIES"] = "127.0.0.1"
        product.prepare()
        made = product.script("open_arena", module=WORLD, base_url=f"http://127.0.0.1:{port}/v1", honest=honest, seed=1)
        last: Any = made["last_voter"]
        try:
            runs = [run for limited in (False, True) for run in _campaigns(product, plans, limited, seconds, last)]
            forbidden, told = asyncio.run(_forbidden(product, battles))
        finally:
            product.stop()
        limits: Any = product.script("limits", module=WORLD)
    return Outcome(int(str(made["honest_votes"])), limits, tuple(runs), forbidden, told)


def _campaigns(product: Product, plans: tuple[Plan, ...], limited: bool, seconds: float, last: int) -> list[Run]:
    product.stop()
    product.env["ARENA_RATE_LIMITS"] = "on" if limited else "off"
    product.start()
    runs = []
    for plan in plans:
        product.script("clear", module=WORLD, last_voter=last)
        done = asyncio.run(_promote(product.port, plan, seconds))
        runs.append(Run(plan, limited, done, dict(product.script("standing_of", module=WORLD, last_voter=last))))
        print(
            f"limits {'on' if limited else 'off'}, {plan.key}: {done.votes} votes of {done.battles} battles", flush=True
        )
    product.script("clear", module=WORLD, last_voter=last)
    return runs


async def _promote(port: int, plan: Plan, seconds: float) -> Campaign:
    async with line_to(port) as line:
        return await promote(
            plan.key, port, line, seconds=seconds, addresses=plan.addresses, each=plan.each, prompt=plan.prompt
        )


async def _forbidden(product: Product, battles: int) -> tuple[tuple[Through, ...], Timing]:
    async with line_to(product.port) as line:
        found = []
        for forbidden in FORBIDDEN:
            found.append(await forbidden(product, line))
            print(f"{found[-1].what}: {found[-1].through} of {found[-1].tried} got through", flush=True)
        return tuple(found), await timing(product, line, battles)


def main() -> int:
    """0 when nothing forbidden got through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="of each campaign")
    parser.add_argument("--battles", type=int, default=120, help="whose frames are timed")
    parser.add_argument("--honest", type=int, default=3000, help="votes on the board before the attack")
    parser.add_argument("--write", type=Path, help="where the page goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blindfold-redteam-") as folder:
        outcome = attack(Path(folder), seconds=options.seconds, battles=options.battles, honest=options.honest)
    page = live_report.page(outcome, seconds=options.seconds)
    print(page)
    if options.write:
        options.write.write_text(page, encoding="utf-8")
    return 1 if any(row.through for row in outcome.forbidden) or outcome.timing.share > outcome.timing.allowed else 0


if __name__ == "__main__":
    sys.exit(main())
