"""Who matches whom: the graph that every loss, metric and table asks."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from icd_relevancy._arguments import is_number, named_codes, received, warn_caller
from icd_relevancy.errors import InputError, shown_code
from icd_relevancy.files.disk import replacing
from icd_relevancy.files.safe_reading import ALWAYS_ALLOWED, checked_csr, read_arrays, reading
from icd_relevancy.relevance.graph_matrix import (
    ROUNDING,
    check_matches,
    cosine_neighbours,
    with_unit_diagonal,
)

# By name, as vectors stand on this module.
_KNOWN_CODES = "icd_relevancy.vectors.code_vectors"

if TYPE_CHECKING:
    # What a graph needs to know of them; their classes are in rooms that stand beside or above this one.
    CodeSystem = NormalisationReport = Any

    class CodeVectors(Protocol):
        @property
        def codes(self) -> tuple[str, ...]: ...
        @property
        def vectors(self) -> np.ndarray: ...
        def select(self, codes: Sequence[str]) -> CodeVectors: ...


class RelevanceGraph:
    """The pairs of codes whose vectors are close enough to count as a match.

    Two codes match when the cosine of their vectors reaches the threshold τ
    (`δ_jk = 1 if cos(v_j, v_k) >= τ else 0`); a code always matches itself. Build one with
    `from_codes`, `from_vectors`, `from_similarity` or `identity`.

    Args:
        codes: The codes, in the order of a model's outputs.
        matrix: Sparse symmetric matrix, `(m, m)`: the similarity of each matching pair.
        threshold: τ, between 0 and 1.

    Attributes:
        codes: tuple of str.
        threshold: float.
        matrix: `scipy.sparse.csr_matrix` `(m, m)`, float32: the similarity where it reaches the threshold,
            1 on the diagonal. At τ = 0 stored zeros are matches too: what is stored matches.
        report: `NormalisationReport` of a graph made by `from_codes`, else None.

    Raises:
        InputError: If there are no codes, one is no text or repeated, the threshold lies outside [0, 1], or the
            matrix is of another shape, not symmetric, or has a similarity of two codes outside [τ, 1].

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
        self.report: NormalisationReport | None = None
        if not self.codes:
            raise InputError(
                "a relevance graph needs at least one code; give the codes of the model's labels"
            )
        matrix = sparse.coo_matrix(matrix)
        if matrix.shape != (len(self.codes), len(self.codes)):
            raise InputError(
                f"a relevance matrix of shape {matrix.shape} does not fit {len(self.codes)} codes"
            )
        for code in self.codes:
            if not isinstance(code, str):
                raise InputError(
                    f"a code of the relevance graph is of type {type(code).__name__}, not str; read the codes as text"
                )
        self._position = {code: position for position, code in enumerate(self.codes)}
        if len(self._position) < len(self.codes):
            repeated = (code for i, code in enumerate(self.codes) if self._position[code] != i)
            raise InputError(
                f"code {named_codes(repeated)} stands more than once in the relevance graph; keep one of each"
            )
        self.matrix = with_unit_diagonal(matrix)
        check_matches(self.matrix, self.threshold)

    @classmethod
    def from_codes(
        cls,
        codes: Iterable[str],
        vectors: CodeVectors | str | None = None,
        threshold: float = 0.76,
        code_system: CodeSystem | str | None = None,
    ) -> RelevanceGraph:
        """A graph of the labels of a data set, spelled as they are there.

        Codes are resolved by `CodeSystem.normalise_all`: other spellings become canonical, codes of another
        edition their nearest ancestor. Several spellings of one code are one label. Unknown codes are left out,
        with a warning that names them. What became of each is in the graph's `report`, and `codes` are the
        labels to train on.

        Args:
            codes: The codes in any order and spelling.
            vectors: A `CodeVectors`, or a name or folder for `CodeVectors.load`. Defaults to None: those of the
                code system.
            threshold: τ in [0, 1]. Defaults to 0.76, the best of LOSSES figure 2.
            code_system: A `CodeSystem`, or a name or table for `icd_relevancy.codes.code_system`. Defaults to
                None: that of the vectors, else ICD-10-CM.

        Returns:
            The graph of the distinct known codes, in the order of their first appearance.

        Raises:
            InputError: If a code is no text, none is known, or some have neither a vector nor an ancestor with one.

        Example:

        >>> from icd_relevancy import CodeVectors, RelevanceGraph
        >>> vectors = CodeVectors(["J18.9", "J15.9"], [[1.0, 0.1], [1.0, 0.2]])
        >>> graph = RelevanceGraph.from_codes(["j189", "J18.9", "J15.9"], vectors)
        >>> graph.codes, graph.report.reformatted_codes
        (('J18.9', 'J15.9'), (('j189', 'J18.9'),))
        """
        vectors_of_labels, report = import_module(_KNOWN_CODES).known_codes(codes, vectors, code_system)
        graph = cls.from_vectors(vectors_of_labels, threshold=threshold)
        graph.report = report
        return graph

    @classmethod
    def from_vectors(
        cls, vectors: CodeVectors, codes: Sequence[str] | None = None, threshold: float = 0.76
    ) -> RelevanceGraph:
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
        if not hasattr(vectors, "vectors"):
            raise InputError(f"vectors must be a CodeVectors. Received: {type(vectors).__name__}")
        if codes is not None:
            vectors = vectors.select(codes)
        values = np.asarray(vectors.vectors, dtype=np.float64)
        _check_finite(values, vectors.codes)
        norms = np.linalg.norm(values, axis=1)
        if not norms.all():
            zero = [code for code, norm in zip(vectors.codes, norms, strict=True) if norm == 0]
            warn_caller(
                f"vectors of zeros, whose cosine with every other code counts as 0: {named_codes(zero)}"
            )
        unit = values / np.where(norms > 0, norms, 1.0)[:, None]
        graph = cls(vectors.codes, sparse.coo_matrix((len(unit), len(unit))), threshold)
        # Not through the constructor: the copy that it makes would not fit in beside it.
        graph.matrix = cosine_neighbours(unit, threshold)
        return graph

    @classmethod
    def from_similarity(
        cls, matrix: ArrayLike | sparse.spmatrix | sparse.sparray, codes: Sequence[str], threshold: float
    ) -> RelevanceGraph:
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
    def identity(cls, codes: Sequence[str]) -> RelevanceGraph:
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

    def select(self, codes: Sequence[str]) -> RelevanceGraph:
        """The graph of some of its codes, in the order given.

        Raises:
            InputError: If the graph lacks some of them, or none is given.
        """
        missing = [code for code in codes if code not in self._position]
        if missing:
            raise InputError(
                f"the relevance graph lacks {len(missing)} of the labels: {named_codes(missing)}; "
                "spell them as the graph does, or build it of them too (RelevanceGraph.from_codes)"
            )
        rows = np.array([self._position[code] for code in codes], dtype=np.int64)
        return RelevanceGraph(codes, self.matrix[rows][:, rows], self.threshold)

    def save(self, path: str | Path) -> None:
        """Writes the graph into one file (NumPy's `.npz`), all of it or nothing."""
        with replacing(path) as temporary, open(temporary, "wb") as file:
            file.write(self._to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> RelevanceGraph:
        """Reads a graph that `save` wrote.

        Raises:
            InputError: If the file is missing, damaged, or no relevance graph.
        """
        if not Path(path).is_file():
            raise InputError(f"{path}: no such relevance graph")
        with reading(path, "a relevance graph", "build it again"):
            return cls._from_bytes(Path(path).read_bytes())

    def get_config(self) -> dict:
        """The graph as JSON values, for Keras' saved models."""
        return {"npz": base64.b64encode(self._to_bytes()).decode("ascii")}

    @classmethod
    def from_config(cls, config: dict) -> RelevanceGraph:
        """The graph back from `get_config`.

        Raises:
            InputError: If it is damaged.
        """
        with reading(
            "the relevance graph of a saved model", "one that get_config wrote", "copy or train it again"
        ):
            return cls._from_bytes(base64.b64decode(config["npz"], validate=True))

    def _to_bytes(self) -> bytes:
        codes = np.array(self.codes, dtype=np.str_)
        parts = {name: getattr(self.matrix, name) for name in ("indptr", "indices", "data")}
        # What packs too well, such as blocks of ones, would be taken for a file that only claims to be large.
        is_large = sum(part.nbytes for part in parts.values()) > ALWAYS_ALLOWED // 2
        buffer = io.BytesIO()
        write = np.savez if is_large else np.savez_compressed
        write(buffer, codes=codes, threshold=self.threshold, **parts)
        return buffer.getvalue()

    @classmethod
    def _from_bytes(cls, content: bytes) -> RelevanceGraph:
        arrays = read_arrays(content, ("codes", "threshold", "indptr", "indices", "data"))
        codes, threshold = arrays["codes"], arrays["threshold"]
        if codes.dtype.kind != "U" or codes.ndim != 1 or threshold.dtype.kind != "f" or threshold.ndim:
            raise ValueError("the codes are no list of text, or the threshold is no number")
        matrix = checked_csr(arrays["data"], arrays["indices"], arrays["indptr"], (len(codes), len(codes)))
        if not (matrix.diagonal() == 1).all():
            raise ValueError("a code does not match itself")
        try:
            return cls(codes.tolist(), matrix, float(threshold))
        except InputError as error:
            # What a file holds is nothing that its user has given, so the file is what to name.
            raise ValueError(str(error)) from None


_default_relevance: RelevanceGraph | None = None


def set_relevance(graph: RelevanceGraph | None) -> None:
    """Sets the graph that losses and metrics use when they are given none (`relevance=None`).

    Args:
        graph: A `RelevanceGraph`, or None to go back to exact matching.

    Raises:
        InputError: If it is something else.

    Example:

    >>> import icd_relevancy
    >>> icd_relevancy.set_relevance(icd_relevancy.RelevanceGraph.identity(["J18.9", "I10"]))
    >>> icd_relevancy.set_relevance(None)
    """
    global _default_relevance
    if graph is not None and not isinstance(graph, RelevanceGraph):
        raise InputError(f"graph must be a RelevanceGraph or None. Received: {type(graph).__name__}")
    _default_relevance = graph


def get_relevance() -> RelevanceGraph | None:
    """The graph set by `set_relevance`, or None."""
    return _default_relevance


def check_threshold(threshold: float) -> float:
    """Returns τ as a float, or raises an `InputError` if it lies outside [0, 1]."""
    if not is_number(threshold, 0, 1):
        raise InputError(
            f"the similarity threshold must be a number in [0, 1]. {received('threshold', threshold)}"
        )
    return float(threshold)


def _check_finite(rows: np.ndarray, codes: Sequence[str]) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise InputError(
            f"code {shown_code(codes[int(np.argmin(finite))])} has a value that is not finite (NaN or infinity)"
        )
