"""The suite's results as one Markdown page: what was attacked, plain, defended, threshold, pass or what falls short."""

from __future__ import annotations

import datetime
import platform
import subprocess
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from tests.redteam import adaptive, stress
from tests.redteam.cases import Case, verdict
from tests.redteam.ledger import ROOT, Ledger, by_last

Rows = list[dict[str, Any]]
HEAD = ("#", "scenario", "world", "runs", "plain", "defended", "worst", "ranks", "honest out", "caught", "threshold",
        "verdict")  # fmt: skip

HONEST = ("kind of honest world", "worlds", "with an accusing alarm", "with a drift alarm", "flagged as one-sided",
          "honest out, mean", "worst group out", "largest defended − plain, points")  # fmt: skip


def page(ledger: Ledger, cases: Sequence[Case]) -> str:
    table = [line(HEAD), line(["---"] * len(HEAD)), *attacks(ledger, cases)]
    return TEXT.format(
        table="\n".join(table), honest="\n".join(honest(ledger)), frontier="\n".join(frontier(ledger)),
        versions=versions(ledger), part=part(ledger), short="\n".join(shortfalls(ledger, cases)),
    )  # fmt: skip


def line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def attacks(ledger: Ledger, cases: Sequence[Case]) -> Iterator[str]:
    for case in cases:
        for world in case.worlds:
            rows = list(ledger.under("case", case.key, world).values())
            if rows:
                yield line(cells_of(case, world, rows))


def cells_of(case: Case, world: str, rows: Rows) -> list[str]:
    plain, defended = (np.array([row[board] for row in rows]) for board in ("plain", "defended"))
    caught = [row["caught"] for row in rows if row["caught"] is not None]
    short = verdict(case.limits, rows)
    middle = f"{defended.mean():+.1f}"
    if case.limits.bias is not None:
        middle += f" ± {np.mean([row['error'] for row in rows]) / len(rows) ** 0.5:.1f}"
    if case.limits.votes is not None:
        bells = sorted(np.inf if row["heard"] is None else row["heard"] for row in rows)
        middle += f"; alarm after {bells[len(bells) // 2]:g} attack votes, at most {bells[-1]:g}"
    return [
        case.key, case.title, world, str(len(rows)), f"{plain.mean():+.0f}", middle,
        f"{defended[np.abs(defended).argmax()]:+.1f}", str(max(abs(row["defended_ranks"]) for row in rows)),
        f"{np.mean([row['honest_excluded'] for row in rows]):.2f} %",
        f"{np.mean(caught):.0f} %" if caught else "–", str(case.limits),
        f"**falls short**: {', '.join(short)}" if short else "pass",
    ]  # fmt: skip


def shortfalls(ledger: Ledger, cases: Sequence[Case]) -> Iterator[str]:
    judged = [
        (f"{case.key} in {world}, {case.title}", verdict(case.limits, rows))
        for case in cases
        for world in case.worlds
        if (rows := list(ledger.under("case", case.key, world).values()))
    ]
    everything = list(ledger.under("honest").values())
    judged += [("12, honest worlds", honest_verdict(everything))] if everything else []
    passed = sum(not short for _, short in judged)
    yield f"{passed} of {len(judged)} rows pass.{' These fall short:' if passed < len(judged) else ''}\n"
    for what, short in judged:
        if short:
            yield f"- {what}: {', '.join(short)}."


def honest_verdict(rows: Rows) -> list[str]:
    """What falls short in honest worlds; the limit on alarms is one in twenty of however many worlds there are."""
    checks = [
        (sum(bool(row["accused"]) for row in rows), 0.05 * len(rows), "alarms"),
        (np.mean([row["honest_excluded"] for row in rows]), 0.1, "honest out"),
        (max(row["group_excluded"] for row in rows), 3.0, "a group out"),
        (max(row["apart"] for row in rows), 5.0, "boards apart"),
    ]
    return [what for value, limit, what in checks if value > limit]


def honest(ledger: Ledger) -> Iterator[str]:
    yield line(HONEST)
    yield line(["---"] * len(HONEST))
    everything: Rows = []
    for kind in stress.KINDS:
        rows = list(ledger.under("honest", kind).values())
        if rows:
            everything += rows
            yield line(honest_cells(kind, rows))
    if everything:
        short = honest_verdict(everything)
        yield line([f"**{cell}**" for cell in honest_cells("all", everything)])
        yield f"\nVerdict: {'**falls short**: ' + ', '.join(short) if short else 'pass'}."


def honest_cells(kind: str, rows: Rows) -> list[str]:
    return [
        kind, str(len(rows)), str(sum(bool(row["accused"]) for row in rows)),
        str(sum("D3" in row["alarms"] for row in rows)), f"{np.mean([row['honest_flagged'] for row in rows]):.2f} %",
        f"{np.mean([row['honest_excluded'] for row in rows]):.3f} %",
        f"{max(row['group_excluded'] for row in rows):.1f} %", f"{max(row['apart'] for row in rows):.1f}",
    ]  # fmt: skip


def frontier(ledger: Ledger) -> Iterator[str]:
    """The worst plan at each share, by its mean over fresh worlds."""
    found: dict[tuple[float, str], Rows] = {}
    for key, row in ledger.under("adaptive").items():
        if int(key.rpartition("|")[2]) in adaptive.FRESH:
            plan = adaptive.plan_of(row["plan"])
            found.setdefault((plan.share, adaptive.in_words(plan)), []).append(row)
    tried = sum(int(key.rpartition("|")[2]) == adaptive.SEED for key in ledger.under("adaptive"))
    if not found:
        yield "Not run."
        return
    yield f"{tried} plans were tried at {adaptive.SEARCHED:.0%} of the votes.\n"
    yield line(["share of the votes", "worst plan", "plain", "defended, mean", "largest", "accounts",
                "battles served to them", "threshold", "verdict"])  # fmt: skip
    yield line(["---"] * 9)
    for share in sorted({share for share, _ in found}):
        words, rows = max(((words, rows) for (s, words), rows in found.items() if s == share),
                          key=lambda item: np.mean([row["defended"] for row in item[1]]))  # fmt: skip
        defended = np.array([row["defended"] for row in rows])
        judged = share == adaptive.SEARCHED
        short = defended.mean() > adaptive.LIMIT
        yield line([
            f"{share:.1%}", words, f"{np.mean([row['plain'] for row in rows]):+.0f}", f"{defended.mean():+.1f}",
            f"{defended.max():+.1f}", f"{np.mean([row['accounts'] for row in rows]):.0f}",
            f"{np.mean([row['served'] for row in rows]):.0f}", f"≤ {adaptive.LIMIT:g}" if judged else "–",
            ("**falls short**" if short else "pass") if judged else "–",
        ])  # fmt: skip


def part(ledger: Ledger) -> str:
    """Which seeds and targets are in the page."""
    keys = [key.split("|") for key in ledger.under("case")]
    seeds = by_last(f"|{parts[3]}" for parts in keys)
    ranks = by_last(f"|{parts[4]}" for parts in keys)
    worlds = len(ledger.under("honest"))
    return (
        f"Attacks: seeds {', '.join(seeds) or 'none'}; targets at ranks {', '.join(ranks) or 'none'}; "
        f"{len(keys)} runs (the column says how many each row has). Honest worlds: {worlds}, seeds from 5000. "
        "A full run takes seeds 1 to 5, ranks 3, 10 and 17, and 322 honest worlds."
    )


def versions(ledger: Ledger) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date()
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    return (
        f"{today}; commit {commit or 'unknown'}, code {ledger.version} (SHA-256 of the screening and of this suite); "
        f"Python {platform.python_version()}, {packages}."
    )


TEXT = """# Attacks and what they move

The suite attacks worlds with known truth and prints what the plain and the defended board make of it. Shifts are in
points, against the same world's plain rating without the attack; `worst` is the largest of them, `ranks` the most
places moved, `honest out` the honest voters who were excluded, `caught` the attackers' accounts that were excluded or
quarantined. A limit on the mean is one on the mean of the sizes. What is defended, what is only made expensive and what
is open stands in [the threat model](threat-model.md). Written by `make redteam` from its own output.

{versions}

{part}

{short}

## Attacks

{table}

W1: Bradley-Terry with ties, tastes, a minority, heavy users. W2: skills and topics, Thurstone with heavy tails, uneven
serving, an entry, a retirement, abandonment, companies, fans, pet prompts. W3: LLMFAO's workers, their votes dealt to
accounts inside a synthetic served log; LLMFAO: an account each. Attackers name a model with 95 %.

## Honest worlds

Scenario 12: at most 15 of 300 worlds with an accusing alarm (D1, D2, D4), at most .1 % of honest voters excluded, no
group above 3 %, boards at most 5 points apart.

{honest}

## The adaptive attacker

{frontier}
"""
