"""Who matches whom: the graph that every loss, metric and table asks."""

import base64
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from icd_relevancy.atomic import replacing
from icd_relevancy.errors import InputError, shown_code

# Vectors are float32, so their cosines err by about 1e-7; a pair that reaches the threshold up to this matches.
ROUNDING = 2e-7


class RelevanceGraph:
    """The pairs of codes whose vectors are close enough to count as a match.

    Two codes match when the cosine of their vectors reaches the threshold τ
    (`δ_jk = 1 if cos(v_j, v_k) >= τ else 0`); a code always matches itself. Build one with
    `from_vectors`, `from_similarity` or `identity`.

    Args:
        codes: The codes, in the order of a model's outputs.
        matrix: Sparse symmetric matrix, `(m, m)`: the similarity of each matching pair.
        threshold: τ, between 0 and 1.

    Attributes:
        codes: tuple of str.
        threshold: float.
        matrix: `scipy.sparse.csr_matrix` `(m, m)`, float32: the similarity where it reaches the threshold,
            1 on the diagonal. At τ = 0 stored zeros are matches too: what is stored matches.

    Raises:
        InputError: On a repeated code, a threshold outside [0, 1], or a matrix of another shape.

    Example:

    >>> from icd_relevancy import CodeVectors, RelevanceGraph
    >>> vectors = CodeVectors(["J18.9", "J15.9", "S52.5"], [[1.0, 0.1], [1.0, 0.2], [0.0, 1.0]])
    >>> graph = RelevanceGraph.from_vectors(vectors, threshold=0.76)
    >>> list(graph.neighbours("J18.9"))
    ['J15.9']

    Reference: LOSSES §3.2.
    """

    def __init__(self, codes: Iterable[str], matrix: sparse.spmatrix, threshold: float):
        self.codes = tuple(codes)
        self.threshold = check_threshold(threshold)
        if matrix.shape != (len(self.codes), len(self.codes)):
            raise InputError(
                f"a relevance matrix of shape {matrix.shape} does not fit {len(self.codes)} codes"
            )
        self._position = {code: position for position, code in enumerate(self.codes)}
        if len(self._position) < len(self.codes):
            repeated = next(c for i, c in enumerate(self.codes) if self._position[c] != i)
            raise InputError(
                f"code {shown_code(repeated)} stands more than once in the relevance graph; keep one of each"
            )
        self.matrix = _with_unit_diagonal(sparse.coo_matrix(matrix))

    @classmethod
    def from_vectors(cls, vectors, codes: Sequence[str] | None = None, threshold: float = 0.76):
        """Matches the codes whose vectors' cosine reaches the threshold.

        The neighbours are searched in blocks on unit vectors, so 74,000 codes fit in 4 GB. A zero vector
        has no direction: its cosine with every other code counts as 0, and a warning names it.

        Args:
            vectors: A `CodeVectors`.
            codes: The codes to keep, in this order. Defaults to all codes of `vectors`.
            threshold: τ in [0, 1]. Defaults to 0.76, the best of LOSSES figure 2.

        Raises:
            InputError: If a code has no vector, a vector is not finite, or τ lies outside [0, 1].
        """
        threshold = check_threshold(threshold)
        if codes is not None:
            vectors = vectors.select(codes)
        values = np.asarray(vectors.vectors, dtype=np.float64)
        _check_finite(values, vectors.codes)
        norms = np.linalg.norm(values, axis=1)
        if not norms.all():
            zero = [code for code, norm in zip(vectors.codes, norms, strict=True) if norm == 0]
            warnings.warn(
                f"vectors of zeros, whose cosine with every other code counts as 0: {', '.join(zero[:10])}",
                stacklevel=2,
            )
        unit = values / np.where(norms > 0, norms, 1.0)[:, None]
        graph = cls(vectors.codes, sparse.coo_matrix((len(unit), len(unit))), threshold)
        # Not through the constructor: the copy that it makes would not fit in beside it.
        graph.matrix = _cosine_neighbours(unit, threshold)
        return graph

    @classmethod
    def from_similarity(cls, matrix, codes: Sequence[str], threshold: float):
        """Matches the pairs whose similarity in a given symmetric matrix reaches the threshold.

        Args:
            matrix: Dense or sparse, `(m, m)`; what a sparse matrix does not store is a similarity of 0.
            codes: The m codes of its rows.
            threshold: τ in [0, 1].

        Raises:
            InputError: If the matrix is not square, symmetric and finite, a similarity of two codes exceeds 1,
                or τ lies outside [0, 1].
        """
        threshold = check_threshold(threshold)
        is_sparse = sparse.issparse(matrix)
        matrix = sparse.csr_matrix(matrix, dtype=np.float64) if is_sparse else np.asarray(matrix, np.float64)
        if matrix.shape != (len(codes), len(codes)):
            raise InputError(f"a similarity matrix of shape {matrix.shape} does not fit {len(codes)} codes")
        # The sum over a row is finite only where all its entries are.
        _check_finite(np.asarray(abs(matrix).sum(axis=1)).reshape(-1, 1), codes)
        if len(codes) and abs(matrix - matrix.T).max() > 1e-5:
            raise InputError("the similarity matrix is not symmetric; pass (matrix + matrix.T) / 2")
        # The larger of the two, so that rounding at the threshold leaves no pair that matches one way alone.
        matrix = matrix.maximum(matrix.T) if is_sparse else np.maximum(matrix, matrix.T)
        if is_sparse and threshold > 0:
            kept = matrix.tocoo()
            near = kept.data >= threshold - ROUNDING
            row, column, value = kept.row[near], kept.col[near], kept.data[near]
        else:
            dense = matrix.toarray() if is_sparse else matrix
            row, column = np.nonzero(dense >= threshold - ROUNDING)
            value = dense[row, column]
        if value[row != column].max(initial=0) > 1 + 1e-5:
            raise InputError("a similarity of two codes exceeds 1; scale the matrix into [-1, 1]")
        return cls(codes, sparse.coo_matrix((value, (row, column)), shape=matrix.shape), threshold)

    @classmethod
    def identity(cls, codes: Sequence[str]):
        """A graph in which every code matches itself alone: the equality metrics ("EM" in the tables)."""
        return cls(codes, sparse.eye(len(codes), format="csr", dtype=np.float32), 1.0)

    @property
    def is_identity(self) -> bool:
        """Whether every code matches itself alone."""
        return self.matrix.nnz == len(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        neighbours = self.matrix.nnz / max(len(self.codes), 1) - 1
        return (
            f"RelevanceGraph({len(self.codes)} codes, threshold={self.threshold}, "
            f"{neighbours:.1f} neighbours a code)"
        )

    def neighbours(self, code: str) -> dict[str, float]:
        """The other codes that match `code`, with their similarity, the most similar first.

        Raises:
            InputError: If the graph does not know the code.
        """
        if code not in self._position:
            raise InputError(
                f"code {shown_code(code)} is not in the relevance graph of {len(self.codes)} codes"
            )
        row = self._position[code]
        span = slice(*self.matrix.indptr[row : row + 2])
        columns, similarities = self.matrix.indices[span], self.matrix.data[span]
        order = np.argsort(-similarities, kind="stable")
        return {self.codes[columns[i]]: float(similarities[i]) for i in order if columns[i] != row}

    def select(self, codes: Sequence[str]):
        """The graph of some of its codes, in the order given.

        Raises:
            InputError: If the graph lacks one of them.
        """
        missing = [code for code in codes if code not in self._position]
        if missing:
            raise InputError(
                f"the relevance graph lacks {len(missing)} of the labels, first {shown_code(missing[0])}"
            )
        rows = np.array([self._position[code] for code in codes], dtype=np.int64)
        return RelevanceGraph(codes, self.matrix[rows][:, rows], self.threshold)

    def save(self, path) -> None:
        """Writes the graph into one file (NumPy's `.npz`), all of it or nothing."""
        with replacing(path) as temporary, open(temporary, "wb") as file:
            file.write(self._to_bytes())

    @classmethod
    def load(cls, path):
        """Reads a graph that `save` wrote.

        Raises:
            InputError: If the file is missing, truncated or no relevance graph.
        """
        try:
            return cls._from_bytes(Path(path).read_bytes())
        except FileNotFoundError:
            raise InputError(f"{path}: no such relevance graph") from None
        except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(
                f"{path}: not a relevance graph, or truncated ({error}); build it again"
            ) from error

    def get_config(self) -> dict:
        """The graph as JSON values, for Keras' saved models."""
        return {"npz": base64.b64encode(self._to_bytes()).decode("ascii")}

    @classmethod
    def from_config(cls, config: dict):
        """The graph back from `get_config`."""
        return cls._from_bytes(base64.b64decode(config["npz"]))

    def _to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            codes=np.array(self.codes, dtype=np.str_),
            threshold=self.threshold,
            indptr=self.matrix.indptr,
            indices=self.matrix.indices,
            data=self.matrix.data,
        )
        return buffer.getvalue()

    @classmethod
    def _from_bytes(cls, content: bytes):
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            codes = arrays["codes"].tolist()
            matrix = sparse.csr_matrix(
                (arrays["data"], arrays["indices"], arrays["indptr"]), shape=(len(codes), len(codes))
            )
            return cls(codes, matrix, float(arrays["threshold"]))


_default_relevance: RelevanceGraph | None = None


def set_relevance(graph: RelevanceGraph | None) -> None:
    """Sets the graph that losses and metrics use when they are given none (`relevance=None`).

    Args:
        graph: A `RelevanceGraph`, or None to go back to exact matching.

    Example:

    >>> import icd_relevancy
    >>> icd_relevancy.set_relevance(icd_relevancy.RelevanceGraph.identity(["J18.9", "I10"]))
    >>> icd_relevancy.set_relevance(None)
    """
    global _default_relevance
    _default_relevance = graph


def get_relevance() -> RelevanceGraph | None:
    """The graph set by `set_relevance`, or None."""
    return _default_relevance


def check_threshold(threshold: float) -> float:
    """Returns τ as a float, or raises an `InputError` if it lies outside [0, 1]."""
    if not 0 <= threshold <= 1:
        raise InputError(f"the similarity threshold must lie in [0, 1]. Received: threshold={threshold}")
    return float(threshold)


def _check_finite(rows: np.ndarray, codes: Sequence[str]) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise InputError(
            f"code {shown_code(codes[int(np.argmin(finite))])} has a value that is not finite (NaN or infinity)"
        )


def _with_unit_diagonal(matrix: sparse.coo_matrix) -> sparse.csr_matrix:
    off = matrix.row != matrix.col
    everyone = np.arange(matrix.shape[0])
    data = np.concatenate([matrix.data[off], np.ones(len(everyone))])
    rows = np.concatenate([matrix.row[off], everyone])
    columns = np.concatenate([matrix.col[off], everyone])
    finished = sparse.csr_matrix((data.astype(np.float32), (rows, columns)), shape=matrix.shape)
    finished.sort_indices()
    return finished


def _cosine_neighbours(unit: np.ndarray, threshold: float, block: int = 512) -> sparse.csr_matrix:
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
            taken = slice(half.indptr[row], half.indptr[min(row + block, upper.shape[0])])
            shift = np.repeat(first[rows] - half.indptr[:-1][rows], lengths[rows])
            target = np.arange(taken.start, taken.stop) + shift
            indices[target], data[target] = half.indices[taken], half.data[taken]
    return sparse.csr_matrix((data, indices, starts), shape=upper.shape)
