"""The served log: every battle shown, voted or not, by the account it was shown to.

Letters: n competitors, m battles, v accounts, k style covariates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.data import Comparisons, Floats, Ints, Outcome, comparisons
from ratings.errors import BadInput, SelfComparison

NEVER_VOTED = -1
"""The outcome of a battle that was shown and never voted on."""
NONE = -1
"""No cluster, no prompt cluster, no group of clones."""

Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ServedLog:
    """Battles in the order of serving; checked when made, so that whoever holds one may trust its codes.

    Attributes
    ----------
    names : tuple of str, length n
    a, b : int32, shape (m,)
        Positions in `names`, by the side on which each was shown.
    outcome : int8, shape (m,)
        0 a wins, 1 b wins, 2 tie, 3 both bad, -1 never voted.
    account : int32, shape (m,)
        0 to v - 1; an account that never votes counts too.
    at : float64, shape (m,)
        When the battle was served, seconds from any origin, not falling.
    clusters : mapping of str to int32, shape (v,)
        By kind ("address", "domain", "invite", "burst"): the cluster of each account, -1 for none.
    vouched : bool, shape (v,), or None
        Invited or otherwise known: counts as aged from the first day.
    prompt_cluster : int32, shape (m,), or None
        Prompts that are one template share a number; -1 for none.
    clone_group : int32, shape (n,), or None
        Declared variants of one provider share a number; -1 for none.
    selected_at : float64, shape (n,), or None
        From this moment on a variant chosen among private ones gathers fresh votes; nan for never chosen.
    style : float64, shape (m, k), or None
        Style covariates, side a minus side b.

    Raises
    ------
    BadInput
        Shapes differ, a code is out of range, time runs backwards, a number is not finite, a name stands twice.
    SelfComparison

    Examples
    --------
    >>> log = served(["x", "y"], a=[0, 1, 0], b=[1, 0, 1], outcome=[0, -1, 2], account=[0, 0, 1])
    >>> log.battles, log.accounts, int(log.voted.sum())
    (3, 2, 2)
    """

    names: tuple[str, ...]
    a: Codes
    b: Codes
    outcome: NDArray[np.int8]
    account: Codes
    at: Floats
    clusters: Mapping[str, Codes] = field(default_factory=dict)
    vouched: Flags | None = None
    prompt_cluster: Codes | None = None
    clone_group: Codes | None = None
    selected_at: Floats | None = None
    style: Floats | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def n(self) -> int:
        """Competitors."""
        return len(self.names)

    @property
    def battles(self) -> int:
        """Battles served, m."""
        return int(self.a.size)

    @property
    def accounts(self) -> int:
        """Accounts, v: as many as `vouched` or a cluster names, and else the highest code and one."""
        if self.vouched is not None:
            return int(self.vouched.size)
        for of_account in self.clusters.values():
            return int(of_account.size)
        return int(self.account.max(initial=-1)) + 1

    @property
    def voted(self) -> Flags:
        """Which battles were voted on, shape (m,)."""
        return np.asarray(self.outcome >= 0)

    def first_served(self) -> Floats:
        """When each account was first served, shape (v,); inf where never."""
        first = np.full(self.accounts, np.inf)
        np.minimum.at(first, self.account, self.at)
        return first

    def take(self, rows: ArrayLike) -> ServedLog:
        """The log with these battles only: positions in order, or a mask of shape (m,); accounts keep their codes."""
        kept = np.asarray(rows)
        clusters, vouched = self.clusters, self.vouched
        if vouched is None and not clusters:
            vouched = np.zeros(self.accounts, dtype=np.bool_)  # else the number of accounts could shrink
        return replace(
            self, a=self.a[kept], b=self.b[kept], outcome=self.outcome[kept], account=self.account[kept],
            at=self.at[kept], vouched=vouched, style=None if self.style is None else self.style[kept],
            prompt_cluster=None if self.prompt_cluster is None else self.prompt_cluster[kept],
        )  # fmt: skip

    def comparisons(self, weight: ArrayLike | None = None) -> Comparisons:
        """The voted battles as checked comparisons; `weight`, shape (m,), drops those of weight zero."""
        voted = self.voted
        mass = None if weight is None else np.asarray(weight, dtype=np.float64)[voted]
        names = () if self.style is None else tuple(f"style{i}" for i in range(self.style.shape[1]))
        return comparisons(
            self.names, self.a[voted], self.b[voted], self.outcome[voted], voter=self.account[voted], weight=mass,
            covariates=None if self.style is None else self.style[voted], covariate_names=names,
        )  # fmt: skip


def served(
    names: Sequence[str],
    a: ArrayLike,
    b: ArrayLike,
    outcome: ArrayLike,
    account: ArrayLike,
    at: ArrayLike | None = None,
    *,
    clusters: Mapping[str, ArrayLike] | None = None,
    vouched: ArrayLike | None = None,
    prompt_cluster: ArrayLike | None = None,
    clone_group: ArrayLike | None = None,
    selected_at: ArrayLike | None = None,
    style: ArrayLike | None = None,
) -> ServedLog:
    """A log from anything array-like, put into the order of serving; see `ServedLog` for what each holds.

    Without `at` the rows are taken to stand in order, a second apart.

    Raises
    ------
    BadInput
    SelfComparison

    Examples
    --------
    >>> served(["x", "y"], [0, 1], [1, 0], [0, 1], [0, 1], at=[9.0, 4.0]).account.tolist()
    [1, 0]
    """
    first = np.asarray(a)
    moment = np.arange(first.size, dtype=np.float64) if at is None else np.asarray(at, dtype=np.float64).ravel()
    log = {
        "a": _codes(a, np.int32, "a"), "b": _codes(b, np.int32, "b"), "outcome": _codes(outcome, np.int8, "outcome"),
        "account": _codes(account, np.int32, "account"), "at": moment,
        "prompt_cluster": None if prompt_cluster is None else _codes(prompt_cluster, np.int32, "prompt_cluster"),
        "style": None if style is None else np.asarray(style, dtype=np.float64),
    }  # fmt: skip
    for name, value in log.items():
        _check_length(value, moment.size, name)
    if moment.size and (np.diff(moment) < 0).any():
        order = np.argsort(moment, kind="stable")
        log = {name: None if value is None else value[order] for name, value in log.items()}
    return ServedLog(
        names=tuple(str(name) for name in names),
        clusters={kind: _codes(value, np.int32, kind) for kind, value in (clusters or {}).items()},
        vouched=None if vouched is None else np.asarray(vouched, dtype=np.bool_),
        clone_group=None if clone_group is None else _codes(clone_group, np.int32, "clone_group"),
        selected_at=None if selected_at is None else np.asarray(selected_at, dtype=np.float64),
        **log,  # type: ignore[arg-type]
    )


def voted_only(data: Comparisons) -> ServedLog:
    """A log of votes whose served battles are not known: selection says nothing there, and taste must carry all.

    Frequencies are taken apart into single votes; a vote without a voter is an account of its own.

    Raises
    ------
    BadInput
        A weight is no whole number.

    Examples
    --------
    >>> voted_only(comparisons("xy", [0], [1], [0], voter=[7], weight=[3])).battles
    3
    """
    times = data.weight.astype(np.int64)
    if (times != data.weight).any():
        row = int(np.flatnonzero(times != data.weight)[0])
        raise BadInput(f"the weight {data.weight[row]} of row {row} is no number of votes: whole numbers are needed.")
    rows = np.repeat(np.arange(times.size), times)
    who: Ints = np.arange(rows.size) if data.voter is None else np.unique(data.voter, return_inverse=True)[1][rows]
    return served(data.names, data.a[rows], data.b[rows], data.outcome[rows], who)


def _codes(values: ArrayLike, kind: Any, name: str) -> NDArray[Any]:
    """Whole numbers in the stated type, without wrapping around.

    Raises
    ------
    BadInput
    """
    given = np.asarray(values).ravel()
    if given.size == 0:
        return np.zeros(0, dtype=kind)
    found = given.astype(kind)
    same = found == given
    if not same.all():
        row = int(np.flatnonzero(~same)[0])
        raise BadInput(f"{name}[{row}] is {given[row]}, which is no code: whole numbers are needed.")
    return np.asarray(found)


def _check(log: ServedLog) -> None:
    if len(set(log.names)) != log.n:
        twice = next(name for name in log.names if log.names.count(name) > 1)
        raise BadInput(f"the name {twice!r} stands twice in the list of competitors.")
    for name in ("a", "b", "outcome", "account", "at", "prompt_cluster", "style"):
        _check_length(getattr(log, name), log.battles, name)
    for name in ("clone_group", "selected_at"):
        value = getattr(log, name)
        if value is not None and value.shape != (log.n,):
            raise BadInput(f"{name} has shape {value.shape} and must have one entry for each of {log.n} competitors.")
    v = log.accounts
    for kind, value in (*log.clusters.items(), ("vouched", log.vouched)):
        if value is not None and value.shape != (v,):
            raise BadInput(f"{kind} has shape {value.shape} and must have one entry for each of {v} accounts.")
    _check_codes(log.a, 0, log.n, "a")
    _check_codes(log.b, 0, log.n, "b")
    _check_codes(log.outcome, NEVER_VOTED, len(Outcome), "outcome")
    _check_codes(log.account, 0, v, "account")
    same = log.a == log.b
    if same.any():
        raise SelfComparison(log.names[log.a[same.argmax()]])
    _check_times(log.at)
    if log.style is not None and not np.isfinite(log.style).all():
        row = int(np.flatnonzero(~np.isfinite(log.style).all(axis=1))[0])
        raise BadInput(f"the style of battle {row} is {log.style[row].tolist()}: finite numbers are needed.")


def _check_length(value: Any, m: int, name: str) -> None:
    if value is not None and value.shape[:1] != (m,):
        raise BadInput(f"{name} has shape {value.shape} and must have one entry for each of {m} battles.")


def _check_codes(codes: NDArray[Any], least: int, size: int, name: str) -> None:
    wrong = np.flatnonzero((codes < least) | (codes >= size))
    if wrong.size:
        raise BadInput(f"{name}[{wrong[0]}] is {codes[wrong[0]]}, and only {least} to {size - 1} are known.")


def _check_times(at: Floats) -> None:
    wrong = np.flatnonzero(~np.isfinite(at))
    if wrong.size:
        raise BadInput(f"at[{wrong[0]}] is {at[wrong[0]]}: a finite number of seconds is needed.")
    back = np.flatnonzero(np.diff(at) < 0)
    if back.size:
        row = int(back[0]) + 1
        raise BadInput(f"at[{row}] is {at[row]}, before {at[row - 1]} of the battle before it: put battles in order.")
