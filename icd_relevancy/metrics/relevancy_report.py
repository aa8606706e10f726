"""Exact relevancy precision, recall and F1 of whole data sets, on sparse label sets (NNBSVR §3.2)."""

from dataclasses import dataclass

import numpy as np

from icd_relevancy.errors import InputError
from icd_relevancy.metrics.label_sets import LabelSets, label_matrices
from icd_relevancy.relevance.graph import RelevanceGraph

_ROWS_AT_ONCE = 16384
_PAIRS_AT_MOST = 2**20
_SIGNATURE_BYTES = 256


@dataclass(frozen=True, eq=False)
class RelevancyReport:
    """Relevancy scores of a set of predictions; see `relevancy_report`.

    Attributes:
        micro_precision, micro_recall, micro_f1: From the counts of all labels together.
        macro_f1: Mean F1 over the labels with support (at least one true use).
        weighted_f1: Mean F1 over the labels, weighed by their support.
        true_positives, false_positives, false_negatives: int64 `(m,)`. True positives and false negatives are
            counted on the true labels, false positives on the predicted ones.
        codes: The codes of the labels, where the graph, a DataFrame or lists of codes name them, else None.
    """

    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_f1: float
    weighted_f1: float
    true_positives: np.ndarray
    false_positives: np.ndarray
    false_negatives: np.ndarray
    codes: tuple[str, ...] | None = None

    @property
    def support(self) -> np.ndarray:
        """True uses of each label, int64 `(m,)`."""
        return self.true_positives + self.false_negatives

    @property
    def f1(self) -> np.ndarray:
        """F1 of each label, float64 `(m,)`; 0 for a label neither true nor predicted."""
        return _ratio(2 * self.true_positives, self.support + self.true_positives + self.false_positives)

    def scores(self) -> dict[str, float]:
        """The five scores by name."""
        names = ("micro_precision", "micro_recall", "micro_f1", "macro_f1", "weighted_f1")
        return {name: getattr(self, name) for name in names}


def relevancy_report(
    y_true: LabelSets, y_pred: LabelSets, relevance: RelevanceGraph | None = None
) -> RelevancyReport:
    """Precision, recall and F1 where a predicted code counts as right when it matches a true one.

    For note i with true set `y_i` and predicted set `ŷ_i`:
    `TP_i = Σ_{j∈y_i} max_{k∈ŷ_i} δ_jk`, `FN_i = |y_i| − TP_i`, `FP_i = Σ_{k∈ŷ_i} (1 − max_{j∈y_i} δ_jk)`.

    Only pairs of a true and a predicted label of one note are looked up, so a million notes with
    thousands of labels take about as long as scikit-learn's F1.

    Args:
        y_true: The true labels, `(n, m)` of 0 and 1: a SciPy sparse matrix or a dense array; a DataFrame, whose
            columns are taken by their names, the codes of the graph, and whose rows by the index where both have
            one; or n lists of codes.
        y_pred: The predicted labels, likewise.
        relevance: A `RelevanceGraph` of the m labels. Defaults to None: exact matching, which gives
            scikit-learn's micro and weighted F1, and its macro F1 over the labels with support.

    Returns:
        A frozen `RelevancyReport`.

    Raises:
        InputError: If the shapes, columns or notes disagree, a code is not in the graph, or a value is neither 0
            nor 1; NaN is neither.

    Example:

    >>> from icd_relevancy import RelevanceGraph, relevancy_report
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> relevancy_report([[1, 0, 1]], [[0, 1, 0]], graph).micro_f1
    0.6666666666666666
    >>> relevancy_report([["A", "C"]], [["B"]], graph).micro_f1
    0.6666666666666666

    Reference: NNBSVR §3.2.
    """
    if relevance is not None and not isinstance(relevance, RelevanceGraph):
        raise InputError(f"relevance must be a RelevanceGraph or None. Received: {type(relevance).__name__}")
    y_true, y_pred, codes = label_matrices(y_true, y_pred, None if relevance is None else relevance.codes)
    if relevance is not None and len(relevance) != y_true.shape[1]:
        raise InputError(f"{y_true.shape[1]} labels do not fit a relevance graph of {len(relevance)} codes")
    hits, justified = _match_pairs(y_true, y_pred, relevance)

    labels = y_true.shape[1]
    support = np.bincount(y_true.indices, minlength=labels)
    predicted = np.bincount(y_pred.indices, minlength=labels)
    true_positives = np.bincount(y_true.indices[hits], minlength=labels)
    false_positives = predicted - np.bincount(y_pred.indices[justified], minlength=labels)
    return _report(true_positives, false_positives, support - true_positives, codes)


def _report(true_positives, false_positives, false_negatives, codes) -> RelevancyReport:
    hits, wrong, missed = true_positives.sum(), false_positives.sum(), false_negatives.sum()
    support = true_positives + false_negatives
    f1 = _ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives)
    return RelevancyReport(
        micro_precision=float(_ratio(hits, hits + wrong)),
        micro_recall=float(_ratio(hits, hits + missed)),
        micro_f1=float(_ratio(2 * hits, 2 * hits + wrong + missed)),
        macro_f1=float(f1[support > 0].mean()) if support.any() else 0.0,
        weighted_f1=float(_ratio(f1 @ support, support.sum())),
        true_positives=true_positives,
        false_positives=false_positives,
        false_negatives=false_negatives,
        codes=codes,
    )


def _ratio(numerator, denominator):
    return np.divide(
        numerator, denominator, out=np.zeros(np.shape(numerator)), where=np.asarray(denominator) > 0
    )


def _match_pairs(y_true, y_pred, relevance):
    """Which true labels are hit and which predicted ones justified, as masks over the CSR indices."""
    hits = np.zeros(y_true.nnz, bool)
    justified = np.zeros(y_pred.nnz, bool)
    if not y_true.nnz or not y_pred.nnz:
        return hits, justified
    if relevance is None:
        relevance = RelevanceGraph.identity([str(label) for label in range(y_true.shape[1])])
    lookup = _PairLookup(relevance)
    true_counts, predicted_counts = np.diff(y_true.indptr), np.diff(y_pred.indptr)
    # Notes with equally many true and equally many predicted labels form a rectangle of pairs.
    width = predicted_counts.max(initial=0) + 1
    shape_of_note = true_counts.astype(np.int64) * width + predicted_counts
    order = np.argsort(shape_of_note, kind="stable")
    shapes, starts = np.unique(shape_of_note[order], return_index=True)
    for shape, rows in zip(shapes, np.split(order, starts[1:]), strict=True):
        true_count, predicted_count = divmod(int(shape), int(width))
        if true_count == 0 or predicted_count == 0:
            continue
        pairs = true_count * predicted_count
        at_once = max(_ROWS_AT_ONCE // pairs, min(64, _PAIRS_AT_MOST // pairs), 1)
        for begin in range(0, len(rows), at_once):
            part = rows[begin : begin + at_once]
            true_places = y_true.indptr[part] + np.arange(true_count)[:, None]
            predicted_places = y_pred.indptr[part] + np.arange(predicted_count)[:, None]
            match = lookup(y_true.indices[true_places], y_pred.indices[predicted_places])
            hits[true_places] = match.any(axis=1)
            justified[predicted_places] = match.any(axis=0)
    return hits, justified


class _PairLookup:
    """Looks up many pairs of labels in the graph."""

    # Each label has a signature with one bit set for every neighbour; it fits the processor's cache and refuses
    # nearly every pair that does not match. The few that pass are searched among the graph's sorted edges.
    def __init__(self, relevance: RelevanceGraph):
        matrix = relevance.matrix
        labels = matrix.shape[0]
        rows = np.repeat(np.arange(labels, dtype=np.int64), np.diff(matrix.indptr))
        self.labels = labels
        self.edges = rows * labels + matrix.indices
        column = np.arange(labels) % (8 * _SIGNATURE_BYTES)
        self.byte_of, self.bit_of = column // 8, (1 << column % 8).astype(np.uint8)
        self.is_exact = labels <= 8 * _SIGNATURE_BYTES
        bits = np.zeros((labels, 8 * _SIGNATURE_BYTES), bool)
        bits[rows, column[matrix.indices]] = True
        self.signatures = np.packbits(bits, axis=1, bitorder="little").reshape(-1)

    def __call__(self, true, predicted):
        """Whether `true[a, r]` and `predicted[b, r]` match, as a mask `[a, b, r]`."""
        place = (true.astype(np.intp) * _SIGNATURE_BYTES)[:, None] + self.byte_of[predicted]
        match = (self.signatures.take(place) & self.bit_of[predicted]) != 0
        if not self.is_exact:
            self._refuse_false_matches(match, true, predicted)
        return match

    def _refuse_false_matches(self, match, true, predicted):
        """Clears the places of `match` whose signature bit another neighbour had set."""
        notes = true.shape[1]
        doubtful = np.flatnonzero(match & (true[:, None] != predicted))
        first, second = np.divmod(doubtful, predicted.size)
        pairs = true.reshape(-1)[first * notes + second % notes].astype(np.int64) * self.labels
        pairs += predicted.reshape(-1)[second]
        position = np.minimum(np.searchsorted(self.edges, pairs), len(self.edges) - 1)
        match.reshape(-1)[doubtful] = self.edges[position] == pairs
