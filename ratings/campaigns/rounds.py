"""One round of D1 and D4: what honest accounts look like at the present weights, and who stands out against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from ratings.campaigns import clusters as by_cluster
from ratings.campaigns import selection, sentences
from ratings.campaigns.accounts import (
    Honest,
    account_units,
    asks_for_holds,
    learn,
    plain_ones,
    quarantined,
    worth_holding,
)
from ratings.campaigns.evidence import LARGE, SMALL, Finding, Units, find
from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.results import Alarm, Exclusion
from ratings.campaigns.sides import side_units
from ratings.campaigns.stakes import Stakes, Whole
from ratings.campaigns.turnout import Crowd
from ratings.data import Floats, Outcome
from ratings.served import ServedLog

ACCOUNT = "account"
MOMENTS = ("burst",)
"""Kinds of cluster that share no more than a moment: judged last, for a campaign's moment is honest people's too."""

EARLY = 0.05
"""Share of a competitor's votes that a round has just excluded, above which nobody is held on it before the next round:
strengths that a campaign made make honest people look like another."""


@dataclass
class Verdicts:
    """What a round decided.

    Attributes
    ----------
    excluded : bool, shape (v,)
    held : bool, shape (c,)
        Stakes in quarantine.
    exclusions, alarms : list
    gated : float64, shape (c,)
        Votes of each stake that the strata gate (D2) took afterwards.
    """

    excluded: np.ndarray
    held: np.ndarray
    exclusions: list[Exclusion] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    gated: Floats | float = 0.0

    def exclude(self, accounts: Whole) -> None:
        """All of their votes."""
        self.excluded[accounts] = True


def judge(
    log: ServedLog, stakes: Stakes, weight: Floats, before: Verdicts, known: Verdicts, options: ScreenOptions
) -> Verdicts:  # fmt: skip
    """Judges every unit anew, also those excluded before, against what the others taught; `known` stays decided."""
    honest = learn(log, stakes, weight, before.excluded, options)
    verdicts = Verdicts(known.excluded.copy(), known.held.copy(), [*known.exclusions], [*known.alarms], before.gated)
    units = account_units(honest, options)
    units.eager = cache(lambda: selection.factor(selection.log_selection(stakes, honest.teaches, selection.PULL)))
    units.gated = (stakes.voted > 0) & (before.gated == stakes.voted)
    if options.d1:
        witness = _select(log, stakes, units, verdicts, options)
        decided = verdicts.excluded.copy()
        decided[stakes.account[known.held]] = True
        units.claimed |= decided
        units.witness = witness.copy()
        findings = _accounts(log, honest, units, verdicts, options)
        _sides(log, honest, verdicts, options)
    kinds = sorted(log.clusters) if options.d4 else []
    alone = verdicts.excluded.copy()
    for kind in kinds:
        if kind not in MOMENTS:
            _clusters(log, honest, kind, units, verdicts, options)
    if options.d1:
        if (verdicts.excluded & ~alone).any():
            units.claimed[:], units.witness = decided | verdicts.excluded, witness
            findings = find(units, options)
        fresh = stakes.voted * (verdicts.excluded & ~before.excluded)[stakes.account]
        for finding in findings:
            here = stakes.of(finding.competitor)
            if fresh[here].sum() <= EARLY * (stakes.voted * ~before.excluded[stakes.account])[here].sum():
                _holds(log, honest, units, finding, verdicts, options)
    for kind in kinds:
        if kind in MOMENTS:
            _clusters(log, honest, kind, units, verdicts, options)
    return verdicts


def turned_out(log: ServedLog, stakes: Stakes, crowds: list[Crowd]) -> Verdicts:
    """What turnout alone decides, before anything is fitted: a crowd's votes on the competitor, whatever they said."""
    verdicts = Verdicts(np.zeros(stakes.v, np.bool_), np.zeros(stakes.account.size, np.bool_))
    for crowd in crowds:
        name = log.names[crowd.competitor]
        verdicts.held[crowd.stakes] = True
        verdicts.alarms.append(
            Alarm(
                "selection", crowd.competitor, 0, crowd.log_bound, crowd.threshold,
                sentences.turnout(name, crowd.size, crowd.here, crowd.elsewhere),
            )
        )  # fmt: skip
        for row in crowd.stakes.tolist():
            account, votes = int(stakes.account[row]), int(stakes.voted[row])
            verdicts.exclusions.append(
                Exclusion(
                    ACCOUNT, account, crowd.competitor, 0, "quarantined", "selection", crowd.log_bound, 0.0, votes,
                    sentences.in_crowd(account, name, crowd.size, votes),
                )
            )  # fmt: skip
    return verdicts


def _select(log: ServedLog, stakes: Stakes, units: Units, verdicts: Verdicts, options: ScreenOptions) -> np.ndarray:
    """Nobody can choose by name in a blind arena: beyond a plain bound it does not matter what was voted.

    Returns the rows beyond it, bool, shape (c,): whoever is out for choosing a competitor is a witness of a campaign
    about it, or the last of its accounts, which had too few votes left to be plain, would stay.
    """
    bound = np.log(max(stakes.n * stakes.v, 1) / options.alpha)
    beyond = np.flatnonzero(units.log_selection > bound)
    order = beyond[np.argsort(-units.log_selection[beyond], kind="stable")]
    for row in order.tolist():
        account, t = int(stakes.account[row]), int(stakes.competitor[row])
        if verdicts.excluded[account]:
            continue
        verdicts.excluded[account] = True
        here = int(stakes.voted[row]), int(stakes.served[row])
        n, s = int(stakes.all_voted[account]), int(stakes.all_served[account])
        log_s = float(units.log_selection[row])
        verdicts.exclusions.append(
            Exclusion(
                ACCOUNT, account, t, 0, "excluded", "selection", 0.0, log_s, n,
                sentences.selection(account, log.names[t], here, (n - here[0], s - here[1]), log_s),
            )
        )  # fmt: skip
    return np.asarray(units.log_selection > bound)


def _accounts(
    log: ServedLog, honest: Honest, units: Units, verdicts: Verdicts, options: ScreenOptions
) -> list[Finding]:  # fmt: skip
    """Alarms, and those excluded who give themselves away; whom to hold is asked when clusters have been judged."""
    stakes = honest.stakes
    findings = find(units, options)
    for finding in findings:
        verdicts.alarms.append(_alarm(log, "D1", ACCOUNT, finding, options))
        name, sign = log.names[finding.competitor], finding.sign
        firm = finding.log_l >= options.claim
        gone = firm & units.large[finding.rows]
        large = finding.rows[gone]
        for row, ratio in zip(large.tolist(), finding.log_l[gone].tolist(), strict=True):
            account = int(stakes.account[row])
            if not verdicts.excluded[account]:
                votes = int(stakes.all_voted[account])
                verdicts.exclusions.append(
                    Exclusion(
                        ACCOUNT, account, finding.competitor, sign, "excluded", "D1", finding.log_e, ratio, votes,
                        sentences.claimed(ACCOUNT, account, name, sign, votes, ratio),
                    )
                )  # fmt: skip
        verdicts.exclude(stakes.account[large])
    return findings


def _holds(
    log: ServedLog, honest: Honest, units: Units, finding: Finding, verdicts: Verdicts, options: ScreenOptions
) -> None:  # fmt: skip
    stakes = honest.stakes
    open_ = ~verdicts.excluded[stakes.account]
    for stratum in (LARGE, SMALL):
        if finding.by_stratum[stratum] <= options.stratum:
            continue
        rows = plain_ones(units, finding, stratum == LARGE, options)
        if asks_for_holds(units, finding, stratum == LARGE, options):
            plain, rows = rows, quarantined(honest, units, finding, stratum == LARGE, options)
            # What is held already counts no more: else two strata, each worth it, would together leave nothing.
            counted = (stakes.voted - verdicts.gated) * (open_ & ~verdicts.held)
            rows = rows[open_[rows]]
            rows = rows[: worth_holding(units, rows, finding, counted, int(open_[plain].sum()))]
        _hold(log, honest, units, finding, stratum, rows[open_[rows]], verdicts)


def _hold(
    log: ServedLog, honest: Honest, units: Units, finding: Finding, stratum: int, rows: Whole, verdicts: Verdicts
) -> None:  # fmt: skip
    stakes, name = honest.stakes, log.names[finding.competitor]
    verdicts.held[rows] = True
    ratios = units.log_l[rows, 0 if finding.sign > 0 else 1].tolist()
    for row, ratio in zip(rows.tolist(), ratios, strict=True):
        account, votes = int(stakes.account[row]), int(stakes.voted[row])
        verdicts.exclusions.append(
            Exclusion(
                ACCOUNT, account, finding.competitor, finding.sign, "quarantined", "D1",
                float(finding.by_stratum[stratum]), ratio, votes,
                sentences.quarantine(ACCOUNT, account, name, finding.sign, votes),
            )
        )  # fmt: skip


def _clusters(
    log: ServedLog, honest: Honest, kind: str, accounts: Units, verdicts: Verdicts, options: ScreenOptions
) -> None:
    found = by_cluster.cluster_units(honest, log.clusters[kind], verdicts.excluded, verdicts.held, options)
    if found is None:
        return
    units = found.units
    for finding in find(units, options):
        verdicts.alarms.append(_alarm(log, "D4", kind, finding, options))
        column = 0 if finding.sign > 0 else 1
        rows = finding.rows[units.large[finding.rows] & (units.log_l[finding.rows, column] >= options.claim)]
        for row in rows.tolist():
            if by_cluster.spoken_by_several(found, accounts, row, finding.sign, options):
                _exclude_cluster(log, honest, kind, found, finding, row, verdicts)
        if finding.by_stratum[SMALL] > options.stratum:
            for row in by_cluster.quarantined(honest, found, finding).tolist():
                _hold_cluster(log, honest, kind, found, finding, row, verdicts)


def _exclude_cluster(
    log: ServedLog, honest: Honest, kind: str, found: by_cluster.Clusters, finding: Finding, row: int,
    verdicts: Verdicts,
) -> None:  # fmt: skip
    cluster = int(found.units.unit[row])
    members = np.flatnonzero(found.of_account == cluster)
    ratio = float(found.units.log_l[row, 0 if finding.sign > 0 else 1])
    votes = int(honest.stakes.all_voted[members[~verdicts.excluded[members]]].sum())
    if votes:
        name = log.names[finding.competitor]
        verdicts.exclusions.append(
            Exclusion(
                kind, cluster, finding.competitor, finding.sign, "excluded", "D4", finding.log_e, ratio, votes,
                sentences.claimed(kind, cluster, name, finding.sign, votes, ratio),
            )
        )  # fmt: skip
    verdicts.exclude(members)


def _hold_cluster(
    log: ServedLog, honest: Honest, kind: str, found: by_cluster.Clusters, finding: Finding, row: int,
    verdicts: Verdicts,
) -> None:  # fmt: skip
    stakes = found.stakes[found.begin[row] : found.begin[row + 1]]
    votes = int(honest.stakes.voted[stakes[~verdicts.held[stakes]]].sum())
    if votes:
        cluster, name = int(found.units.unit[row]), log.names[finding.competitor]
        verdicts.exclusions.append(
            Exclusion(
                kind, cluster, finding.competitor, finding.sign, "quarantined", "D4", finding.by_stratum[SMALL],
                float(found.units.log_l[row, 0 if finding.sign > 0 else 1]), votes,
                sentences.quarantine(kind, cluster, name, finding.sign, votes),
            )
        )  # fmt: skip
    verdicts.held[stakes] = True


def _sides(log: ServedLog, honest: Honest, verdicts: Verdicts, options: ScreenOptions) -> None:
    """Accounts that look at the side only: flagged for a reviewer, since real people do so out of weariness too."""
    units = side_units(honest, options)
    units.claimed |= verdicts.excluded
    outcome, account = log.outcome[log.voted], log.account[log.voted]
    threshold = float(np.log(2 / options.alpha))
    for finding in find(units, options):
        side, column = ("a", 0) if finding.sign > 0 else ("b", 1)
        log_l = units.log_l[:, column]
        chosen = np.bincount(account[outcome == (Outcome.A if column == 0 else Outcome.B)], minlength=units.unit.size)
        pure = chosen >= options.one_side * honest.stakes.all_voted
        large = units.large[finding.rows] & (log_l[finding.rows] >= options.claim) & pure[finding.rows]
        rows = finding.rows[large]
        verdicts.alarms.append(
            Alarm(
                "one side", -1, finding.sign, finding.log_e, threshold,
                f"{rows.size:,} accounts choose side {side} whatever they see: log evidence {finding.log_e:.1f} "
                f"(threshold {threshold:.1f}).",
            )
        )  # fmt: skip
        for unit in rows.tolist():
            votes, ratio = int(honest.stakes.all_voted[unit]), float(log_l[unit])
            verdicts.exclusions.append(
                Exclusion(
                    ACCOUNT, unit, -1, 0, "flagged", "one side", finding.log_e, ratio, votes,
                    sentences.one_side(unit, side, int(chosen[unit]), votes, ratio),
                )
            )  # fmt: skip


def _alarm(log: ServedLog, rule: str, kind: str, finding: Finding, options: ScreenOptions) -> Alarm:
    threshold = float(np.log(2 * log.n / options.alpha))
    return Alarm(
        rule, finding.competitor, finding.sign, finding.log_e, threshold,
        sentences.campaign(
            kind, log.names[finding.competitor], finding.sign, finding.rows.size, finding.log_e, threshold
        ),
        kind=kind,
    )  # fmt: skip
