"""The sparse matrix of a relevance graph: made from unit vectors, completed, and checked."""

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError

# Vectors are float32, so their cosines err by about 1e-7; a pair that reaches the threshold up to this matches.
ROUNDING = 2e-7


def check_matches(matrix: sparse.csr_matrix, threshold: float) -> None:
    """Refuses what is no graph of matches: pairs that match one way alone, or by a similarity outside [τ, 1]."""
    turned = matrix.T.tocsr()
    turned.sort_indices()
    is_symmetric = (
        np.array_equal(matrix.indptr, turned.indptr)
        and np.array_equal(matrix.indices, turned.indices)
        and np.allclose(matrix.data, turned.data, rtol=0, atol=1e-5)
    )
    if not is_symmetric:
        raise InputError("the relevance matrix is not symmetric; a code matches those that match it")
    # Of float32, like the similarities that are compared with it.
    if not (matrix.data.min() >= threshold - 1e-5 and matrix.data.max() <= 1 + 1e-5):
        raise InputError(
            "a similarity in the relevance matrix lies outside [threshold, 1]; RelevanceGraph.from_similarity "
            "keeps those that reach the threshold"
        )


def with_unit_diagonal(matrix: sparse.coo_matrix) -> sparse.csr_matrix:
    """The matrix in float32, sorted, with ones on the diagonal."""
    off = matrix.row != matrix.col
    everyone = np.arange(matrix.shape[0])
    data = np.concatenate([matrix.data[off], np.ones(len(everyone))])
    rows = np.concatenate([matrix.row[off], everyone])
    columns = np.concatenate([matrix.col[off], everyone])
    finished = sparse.csr_matrix((data.astype(np.float32), (rows, columns)), shape=matrix.shape)
    finished.sort_indices()
    return finished


def cosine_neighbours(unit: np.ndarray, threshold: float, block: int = 512) -> sparse.csr_matrix:
    """All pairs of rows with a dot product of at least the threshold; each block meets only those after it."""
    counts, columns, values = [np.zeros(1, int)], [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    for start in range(0, len(unit), block):
        products = unit[start : start + block] @ unit[start:].T
        flat = np.flatnonzero(products >= threshold - ROUNDING)
        row, column = np.divmod(flat, products.shape[1])
        above = column > row
        counts.append(np.bincount(row[above], minlength=len(products)))
        columns.append((column[above] + start).astype(np.int32))
        values.append(products.reshape(-1)[flat[above]].astype(np.float32))
    starts = np.cumsum(np.concatenate(counts))
    indices, data = np.concatenate(columns), np.concatenate(values)
    del columns, values
    return _mirrored(sparse.csr_matrix((data, indices, starts), shape=(len(unit), len(unit))))


def _mirrored(upper: sparse.csr_matrix, block: int = 4096) -> sparse.csr_matrix:
    """A strict upper triangle with its mirror image and ones on the diagonal; stored zeros stay stored."""
    # Read by columns, the same arrays are the lower triangle.
    lower = sparse.csc_matrix((upper.data, upper.indices, upper.indptr), shape=upper.shape).tocsr()
    before, after = np.diff(lower.indptr), np.diff(upper.indptr)
    starts = np.concatenate([[0], np.cumsum(before + 1 + after, dtype=np.int64)])
    indices, data = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    diagonal = starts[:-1] + before
    indices[diagonal], data[diagonal] = np.arange(upper.shape[0]), 1
    for half, first, lengths in ((lower, starts[:-1], before), (upper, diagonal + 1, after)):
        for row in range(0, upper.shape[0], block):
            rows = slice(row, row + block)
            entries = slice(half.indptr[row], half.indptr[min(row + block, upper.shape[0])])
            shift = np.repeat(first[rows] - half.indptr[:-1][rows], lengths[rows])
            target = np.arange(entries.start, entries.stop) + shift
            indices[target], data[target] = half.indices[entries], half.data[entries]
    return sparse.csr_matrix((data, indices, starts), shape=upper.shape)
