"""Words of parts of texts, and the best of many phrases, as sparse matrices."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from icd_relevancy.files.safe_reading import checked_csr
from icd_relevancy.text.words import PlainText


def words_of_parts(
    texts: Sequence[PlainText], columns: Mapping[str, int], part: str
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Which words stand in which `"sentences"` or `"clauses"`, CSR of 0 and 1, and the text of each, `(parts,)`."""
    pairs, text_of, offset = [], [], 0
    for number, text in enumerate(texts):
        numbers = getattr(text, part)
        known = zip(text.words, numbers, strict=True)
        pairs.extend({(at + offset, columns[word]) for word, at in known if word in columns})
        count = numbers[-1] + 1 if numbers else 0
        text_of += [number] * count
        offset += count
    rows, positions = np.array(pairs, np.int64).reshape(-1, 2).T
    ones = np.ones(len(rows), np.float32)
    words = sparse.csr_matrix((ones, (rows, positions)), shape=(offset, len(columns)))
    return words, np.array(text_of, np.int64)


def largest(rows, columns, values, shape) -> sparse.csr_matrix:
    """A CSR matrix, float32, of the largest of the values that fall into each cell."""
    cells = rows.astype(np.int64) * shape[1] + columns
    order = np.argsort(cells, kind="stable")
    cells, values = cells[order], np.asarray(values, np.float32)[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    values = np.maximum.reduceat(values, first) if len(first) else values
    rows, columns = np.divmod(cells[first], max(shape[1], 1))
    return sparse.csr_matrix((values, (rows, columns)), shape=shape)


def best_of_labels(values: sparse.csr_matrix, links: sparse.csr_matrix) -> sparse.csr_matrix:
    """For each note and label the largest product of a phrase's value `(n, phrases)` and its link `(phrases, m)`."""
    values = values.tocoo()
    count = np.diff(links.indptr)[values.col]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    entry = np.repeat(links.indptr[values.col], count) + within
    products = np.repeat(values.data, count) * links.data[entry]
    shape = (values.shape[0], links.shape[1])
    return largest(np.repeat(values.row, count), links.indices[entry], products, shape)


def triples(matrix: sparse.spmatrix) -> list[list]:
    """The entries of a sparse matrix as rows of `[row, column, value]`, as JSON can hold them."""
    matrix = sparse.coo_matrix(matrix)
    entries = zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True)
    return [list(entry) for entry in entries]


def from_triples(entries: Sequence, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The matrix, float32, of `triples`; raises `ValueError` if an entry lies outside of it or is no finite number."""
    rows, columns, values = np.array(entries, np.float64).reshape(-1, 3).T
    inside = [(at >= 0).all() and (at < size).all() for at, size in zip((rows, columns), shape, strict=True)]
    if not all(inside) or (rows % 1).any() or (columns % 1).any():
        raise ValueError("an entry lies outside of the matrix")
    places = rows.astype(np.int64), columns.astype(np.int64)
    matrix = sparse.csr_matrix((values.astype(np.float32), places), shape=shape)
    return checked_csr(matrix.data, matrix.indices, matrix.indptr, shape)
