"""Label sets as people have them: matrices, data frames with a column a code, or a list of codes a note."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from icd_relevancy._arguments import named_codes
from icd_relevancy.errors import InputError

LabelSets = ArrayLike | sparse.spmatrix | sparse.sparray | pd.DataFrame | pd.Series | Sequence[Iterable[str]]
_COLLECTIONS = (list, tuple, set, frozenset, np.ndarray)


def label_matrices(
    y_true: LabelSets, y_pred: LabelSets, codes: Sequence[str] | None
) -> tuple[sparse.csr_matrix, sparse.csr_matrix, tuple[str, ...] | None]:
    """Both as matrices of ones with the same notes and columns, and the codes of the columns.

    The columns are those of `codes`, else of a DataFrame, else the codes of the lists in alphabetical order.
    """
    given = {"y_true": y_true, "y_pred": _in_order_of(y_true, y_pred)}
    with_codes = [name for name, sets in given.items() if _holds_codes(name, sets)]
    lists = [name for name, sets in given.items() if name in with_codes or (with_codes and _is_empty(sets))]
    frames = [name for name, sets in given.items() if isinstance(sets, pd.DataFrame)]
    if codes is None and frames:
        codes = [*given[frames[0]].columns]
    elif codes is None and len(lists) == 2:
        codes = sorted({code for name in lists for note in given[name] for code in note})
    elif codes is None and lists:
        raise InputError(
            "codes in one of y_true and y_pred, and columns in the other: pass the relevance graph"
        )
    for name in frames:
        given[name] = _columns_of(name, given[name], codes)
    for name in lists:
        given[name] = _multi_hot(name, given[name], codes)
    true, predicted = (_ones(name, sets) for name, sets in given.items())
    if true.shape != predicted.shape:
        raise InputError(f"y_true has the shape {true.shape} and y_pred {predicted.shape}; they must agree")
    return true, predicted, tuple(codes) if codes is not None else None


def _in_order_of(y_true, y_pred):
    """The second with its notes in the order of the first, where both name them; NumPy goes by position."""
    first, second = (
        sets.index if isinstance(sets, (pd.DataFrame, pd.Series)) else None for sets in (y_true, y_pred)
    )
    if first is None or second is None or first.equals(second):
        return y_pred
    if not (first.is_unique and second.is_unique and len(first) == len(second) and second.isin(first).all()):
        raise InputError("y_true and y_pred name other notes in their index; give both the same, or reset it")
    return y_pred.reindex(first)


def _holds_codes(name: str, sets) -> bool:
    if sparse.issparse(sets) or isinstance(sets, pd.DataFrame) or getattr(sets, "ndim", 1) != 1:
        return False
    notes = list(sets)
    if any(isinstance(note, str) for note in notes):
        raise InputError(f"{name} must hold a list of codes for each note; put the codes of each into a list")
    kinds = {isinstance(code, str) for note in notes if isinstance(note, _COLLECTIONS) for code in note}
    if kinds == {True, False}:
        raise InputError(f"{name} holds codes that are no text; read the codes as text")
    return kinds == {True}


def _is_empty(sets) -> bool:
    return not sparse.issparse(sets) and all(
        isinstance(note, _COLLECTIONS) and len(note) == 0 for note in sets
    )


def _columns_of(name: str, frame: pd.DataFrame, codes: Sequence[str]) -> np.ndarray:
    """The columns of a frame in the order of the codes."""
    if not frame.columns.is_unique:
        raise InputError(f"{name} has two columns of one name; keep one for each code")
    known = set(codes)
    missing = [code for code in codes if code not in frame.columns]
    others = [str(column) for column in frame.columns if column not in known]
    if missing or others:
        raise InputError(
            f"{name} must have a column for each code. It lacks {len(missing)} ({named_codes(map(str, missing))}) and "
            f"has {len(others)} others ({named_codes(others)}); name the columns by the codes"
        )
    return frame[list(codes)].to_numpy()


def _multi_hot(name: str, notes, codes: Sequence[str]) -> sparse.csr_matrix:
    column = {code: place for place, code in enumerate(codes)}
    unknown = sorted({code for note in notes for code in note if code not in column})
    if unknown:
        raise InputError(
            f"{name} has {len(unknown)} codes that are no labels: {named_codes(unknown)}; spell them as the graph "
            "does, or build it of them too (RelevanceGraph.from_codes)"
        )
    places = [sorted({column[code] for code in note}) for note in notes]
    starts = np.cumsum([0, *map(len, places)])
    indices = np.array([place for note in places for place in note], np.int64)
    return sparse.csr_matrix((np.ones(len(indices)), indices, starts), shape=(len(places), len(codes)))


def _ones(name: str, matrix) -> sparse.csr_matrix:
    try:
        matrix = matrix if sparse.issparse(matrix) else np.asarray(matrix)
        # Columns of several types, or of pandas' own, come as objects.
        matrix = matrix.astype(float) if matrix.dtype == object else matrix
        shape, lists = matrix.shape, sparse.csr_matrix(matrix) if matrix.ndim == 2 else None
    except (ValueError, TypeError):
        raise InputError(
            f"{name} must be a matrix of 0 and 1, or hold a list of codes for each note"
        ) from None
    if lists is None:
        raise InputError(f"{name} must have the shape (notes, labels). Received: {shape}")
    if lists.has_canonical_format and (lists.data == 1).all():
        return lists
    lists = lists.copy()
    lists.sum_duplicates()
    lists.eliminate_zeros()
    if not (lists.data == 1).all():
        raise InputError(
            f"{name} must hold 0 and 1 alone; apply the decision threshold first (NaN is neither)"
        )
    return lists
