"""Does a finite estimate exist? Ask before fitting, and say who cannot be compared with whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ratings.data import Cells, Ints
from ratings.errors import NotStronglyConnected


def components(table: Cells) -> Ints:
    """Groups that were compared with each other, directly or through others.

    Returns
    -------
    int64, shape (n,)
        A label from 0 for each competitor, numbered in the order of the competitors.

    Examples
    --------
    >>> from ratings.data import cells, comparisons
    >>> components(cells(comparisons("wxyz", [0, 1], [2, 3], [0, 0]))).tolist()
    [0, 1, 0, 1]
    """
    return _labels(table, strong=False)


def strong_components(table: Cells) -> Ints:
    """Strong components of the directed graph "i beat or drew j".

    A finite maximum-likelihood estimate exists within a component exactly when it is strongly connected: else some
    group never won against the rest, and its distance grows without bound.

    Returns
    -------
    int64, shape (n,)

    References
    ----------
    Ford, L. R. (1957). Solution of a ranking problem from binary comparisons. Amer. Math. Monthly 64(8), 28-33.

    Examples
    --------
    >>> from ratings.data import cells, comparisons
    >>> strong_components(cells(comparisons("xy", [0], [1], [0]))).tolist()
    [0, 1]
    """
    return _labels(table, strong=True)


def refuse_groups(labels: Ints, names: Sequence[str] | None = None) -> None:
    """One group is what a finite estimate needs.

    Parameters
    ----------
    labels : int64, shape (n,)
        Of `components` or `strong_components`.
    names : sequence of str, length n, optional
        Without them competitors are named by their position.

    Raises
    ------
    NotStronglyConnected
        There are several groups; all of them are named.

    Examples
    --------
    >>> refuse_groups(np.array([0, 0, 0]))
    """
    if not labels.any():
        return
    called = names or tuple(map(str, range(labels.size)))
    raise NotStronglyConnected(
        [[called[i] for i in np.flatnonzero(labels == label).tolist()] for label in np.unique(labels)]
    )


def _labels(table: Cells, *, strong: bool) -> Ints:
    if table.n == 0:
        return np.zeros(0, dtype=np.int64)
    a_scored, b_scored = table.score > 0, table.count - table.score > 0
    rows = np.concatenate([table.a[a_scored], table.b[b_scored]])
    columns = np.concatenate([table.b[a_scored], table.a[b_scored]])
    graph = coo_array((np.ones(rows.size), (rows, columns)), shape=(table.n, table.n)).tocsr()
    _count, labels = connected_components(graph, directed=True, connection="strong" if strong else "weak")
    _, first, where = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[where], dtype=np.int64)
