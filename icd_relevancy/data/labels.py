"""Codes as a sparse label matrix."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError, shown_word


def encode_labels(codes: Iterable[Sequence[str]], label_names: Sequence[str]) -> sparse.csr_matrix:
    """The codes of n notes as a multi-hot matrix over m labels.

    Codes that are not in `label_names` are left out (see `unseen_share`); a repeated code counts once.

    Args:
        codes: For each note its codes.
        label_names: The label of each column, m different codes.

    Returns:
        CSR matrix `(n, m)` of 0 and 1, int64: scikit-learn permutes the columns of dense indicators in small
        integer types when there are many.

    Raises:
        InputError: If a label name repeats.

    Example:

    >>> from icd_relevancy.data import encode_labels
    >>> encode_labels([("R05",), (), ("R50.9", "R05")], ("R05", "R50.9")).toarray().tolist()
    [[1, 0], [0, 0], [1, 1]]
    """
    column_of = _columns(label_names)
    codes = list(codes)
    lengths = np.fromiter(map(len, codes), np.int64, len(codes))
    columns = _lookup(codes, column_of, lengths.sum())
    known = columns >= 0
    rows = np.repeat(np.arange(len(codes)), lengths)[known]
    shape = (len(codes), len(label_names))
    matrix = sparse.csr_matrix((np.ones(len(rows), np.int64), (rows, columns[known])), shape=shape)
    matrix.data[:] = 1  # building it has added up the repeats
    matrix.sort_indices()
    return matrix


def label_names(codes: Iterable[Sequence[str]], min_count: int = 1) -> tuple[str, ...]:
    """The codes that at least `min_count` notes carry, sorted."""
    counts = Counter(chain.from_iterable(map(set, codes)))
    return tuple(sorted(code for code, count in counts.items() if count >= min_count))


def unseen_share(codes: Iterable[Sequence[str]], label_names: Sequence[str]) -> float:
    """The share of the notes' codes that are not among the labels of a model; 0 where there are no codes."""
    codes = list(codes)
    columns = _lookup(codes, _columns(label_names), sum(map(len, codes)))
    return float((columns < 0).mean()) if len(columns) else 0.0


def _columns(label_names: Sequence[str]) -> dict[str, int]:
    column_of = {name: column for column, name in enumerate(label_names)}
    if len(column_of) < len(label_names):
        repeated = next(name for column, name in enumerate(label_names) if column_of[name] != column)
        raise InputError(f"label_names: {shown_word(repeated)} occurs more than once; make the labels unique")
    return column_of


def _lookup(codes: list[Sequence[str]], column_of: dict[str, int], count: int) -> np.ndarray:
    """The column of every code, note after note; -1 for a code that is no label."""
    return np.fromiter(map(column_of.get, chain.from_iterable(codes), repeat(-1)), np.int64, count)
