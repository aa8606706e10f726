"""The exact report: against scikit-learn and loops, on every kind of matrix."""

import tracemalloc
from dataclasses import FrozenInstanceError

import numpy as np
import oracles
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import f1_score, precision_score, recall_score

from icd_relevancy import RelevanceGraph, RelevancyReport, relevancy_report
from icd_relevancy.errors import InputError

FIELDS = ("micro_precision", "micro_recall", "micro_f1", "macro_f1", "weighted_f1")


def names(labels):
    return [f"C{label}" for label in range(labels)]


def label_sets(notes, labels, share, seed):
    rng = np.random.default_rng(seed)
    sets = rng.random((notes, labels)) < share * rng.random((notes, 1)) * 2
    sets[rng.random(notes) < 0.1] = False
    return sets.astype(np.int64)


def random_graph(labels, degree, seed=0):
    rng = np.random.default_rng(seed)
    pairs = sparse.random(labels, labels, density=min(degree / labels / 2, 1), random_state=rng, format="csr")
    pairs.data[:] = rng.uniform(0.6, 1, pairs.nnz)
    return RelevanceGraph.from_similarity(pairs.maximum(pairs.T), names(labels), 0.5)


def check(y_true, y_pred, graph):
    dense = np.eye(y_true.shape[1]) if graph is None else graph.matrix.toarray()
    counts = oracles.relevancy_counts(y_true, y_pred, dense)
    report = relevancy_report(y_true, y_pred, graph)
    np.testing.assert_array_equal(report.true_positives, counts[0])
    np.testing.assert_array_equal(report.false_positives, counts[1])
    np.testing.assert_array_equal(report.false_negatives, counts[2])
    for field in FIELDS:
        average, metric = field.split("_")
        expected = oracles.relevancy_score(counts, metric, average)
        assert getattr(report, field) == pytest.approx(expected, abs=1e-12), field
    np.testing.assert_allclose(report.f1, oracles.relevancy_score(counts, "f1", None), atol=1e-12)
    return report


@pytest.fixture(scope="module")
def sets():
    return label_sets(60, 20, 0.15, 1), label_sets(60, 20, 0.15, 2)


@pytest.mark.parametrize("labels", [1, 2, 20, 150])
def test_the_identity_is_scikit_learns_f1(labels):
    y_true, y_pred = label_sets(200, labels, 0.1, labels), label_sets(200, labels, 0.1, labels + 1)
    if labels > 2:
        y_true[:, 1] = 0
        y_pred[:, 2] = 0
    y_true[:5], y_pred[:3] = 1, 1
    with_support = np.flatnonzero(y_true.any(axis=0))
    # scikit-learn reads one column as a plain binary problem.
    one = {"average": "binary"} if labels == 1 else {"average": "micro"}
    for graph in (None, RelevanceGraph.identity(names(labels))):
        report = relevancy_report(y_true, y_pred, graph)
        for got, score in (
            (report.micro_f1, f1_score),
            (report.micro_precision, precision_score),
            (report.micro_recall, recall_score),
        ):
            assert got == pytest.approx(score(y_true, y_pred, zero_division=0, **one), abs=1e-12)
        if labels > 1:
            weighted = f1_score(y_true, y_pred, average="weighted", zero_division=0)
            macro = f1_score(y_true, y_pred, average="macro", labels=with_support, zero_division=0)
            assert report.weighted_f1 == pytest.approx(weighted, abs=1e-12)
            assert report.macro_f1 == pytest.approx(macro, abs=1e-12)
            np.testing.assert_allclose(
                report.f1, f1_score(y_true, y_pred, average=None, zero_division=0), atol=1e-12
            )
        else:
            assert report.macro_f1 == report.weighted_f1 == report.micro_f1


@pytest.mark.parametrize("seed", range(6))
def test_a_graph_equals_the_loops(seed):
    labels = [1, 2, 8, 30, 64, 129][seed]
    y_true, y_pred = label_sets(80, labels, 0.15, seed), label_sets(80, labels, 0.1, seed + 50)
    report = check(y_true, y_pred, random_graph(labels, 3, seed))
    assert report.micro_f1 >= relevancy_report(y_true, y_pred).micro_f1


@pytest.mark.parametrize("labels", [2047, 2048, 2049, 4096, 6500])
def test_many_labels_equal_the_loops(labels):
    """Beyond 2,048 labels two labels share a signature bit, and false matches must be refused."""
    rng = np.random.default_rng(labels)
    graph = random_graph(labels, 6, seed=labels)
    y_true, y_pred = np.zeros((70, labels), np.int8), np.zeros((70, labels), np.int8)
    for note in range(70):
        true = rng.choice(labels, rng.integers(0, 5), replace=False)
        y_true[note, true] = 1
        predicted = rng.choice(labels, rng.integers(0, 5))
        # Labels whose bit a true label, or a neighbour of one, has set.
        for label in true:
            neighbour = graph.matrix[label].indices[-1]
            predicted = np.append(predicted, [(neighbour + 2048) % labels, (label + 2048) % labels])
        y_pred[note, predicted] = 1
    check(y_true, y_pred, graph)
    check(y_true, y_pred, None)


def test_notes_of_every_shape_beyond_one_signature():
    """One note a shape: every number of true labels beside every number of predicted ones."""
    labels, shapes = 5000, [(t, p) for t in range(5) for p in range(5)]
    graph = random_graph(labels, 40, seed=3)
    rng = np.random.default_rng(3)
    y_true, y_pred = np.zeros((len(shapes), labels), bool), np.zeros((len(shapes), labels), bool)
    for note, (true, predicted) in enumerate(shapes):
        chosen = rng.choice(200, true, replace=False)
        y_true[note, chosen] = True
        y_pred[note, (rng.choice(200, predicted, replace=False) + 2048)] = True
    check(y_true, y_pred, graph)


def test_a_hub_with_thousands_of_neighbours():
    labels = 5000
    hub = sparse.lil_matrix((labels, labels))
    hub[7, :4000] = 0.9
    hub[:4000, 7] = 0.9
    graph = RelevanceGraph.from_similarity(hub.tocsr(), names(labels), 0.5)
    assert len(graph.neighbours("C7")) == 3999
    rng = np.random.default_rng(7)
    y_true, y_pred = np.zeros((60, labels), np.int8), np.zeros((60, labels), np.int8)
    for note in range(60):
        y_true[note, rng.choice(labels, 3)] = 1
        y_pred[note, rng.choice(labels, 3)] = 1
    y_true[::3, 7] = 1
    y_pred[1::4, 7] = 1
    check(y_true, y_pred, graph)


KINDS = {
    "list": lambda a: a.tolist(),
    "int8": lambda a: a.astype(np.int8),
    "bool": lambda a: a.astype(bool),
    "float64": lambda a: a.astype(float),
    "Fortran order": np.asfortranarray,
    "csr": sparse.csr_matrix,
    "csr bool": lambda a: sparse.csr_matrix(a.astype(bool)),
    "csr int8": lambda a: sparse.csr_matrix(a.astype(np.int8)),
    "csr float": lambda a: sparse.csr_matrix(a.astype(np.float32)),
    "csr array": sparse.csr_array,
    "csc": sparse.csc_matrix,
    "coo": sparse.coo_array,
    "lil": sparse.lil_matrix,
}


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_of_any_kind(kind, sets):
    graph = random_graph(20, 3)
    expected = relevancy_report(*sets, graph)
    got = relevancy_report(KINDS[kind](sets[0]), KINDS[kind](sets[1]), graph)
    mixed = relevancy_report(KINDS[kind](sets[0]), sets[1], graph)
    for report in (got, mixed):
        assert report.scores() == expected.scores()
        np.testing.assert_array_equal(report.true_positives, expected.true_positives)
        assert report.true_positives.dtype == report.false_positives.dtype == np.int64


def unusual(dense, rng, extra):
    """The same CSR with each row's labels shuffled, and the pairs `extra(row)` added to it."""
    rows, indptr, data = [], [0], []
    for note, labels in enumerate(map(np.flatnonzero, dense)):
        labels = rng.permutation(labels)
        values = np.ones(len(labels))
        for label, value in extra(dense[note]):
            labels, values = np.append(labels, label), np.append(values, value)
        rows.extend(labels)
        data.extend(values)
        indptr.append(len(rows))
    return sparse.csr_matrix((data, rows, indptr), shape=dense.shape)


@pytest.mark.parametrize(
    "extra",
    [
        lambda row: [],
        lambda row: [(label, 0.0) for label in (0, 5, 19)],
        lambda row: [(3, 1.0), (3, -1.0)],
        lambda row: [] if row[4] else [(4, 0.5), (4, 0.5), (4, -1)],
    ],
    ids=["unsorted", "explicit zeros", "entries that cancel", "halves that cancel"],
)
def test_csr_in_no_canonical_form(extra, sets):
    rng = np.random.default_rng(0)
    matrices = [unusual(dense, rng, extra) for dense in sets]
    before = [matrix.copy() for matrix in matrices]
    graph = random_graph(20, 3)
    assert relevancy_report(*matrices, graph).scores() == relevancy_report(*sets, graph).scores()
    for matrix, old in zip(matrices, before, strict=True):
        np.testing.assert_array_equal(matrix.indices, old.indices)
        np.testing.assert_array_equal(matrix.data, old.data)


def test_labels_listed_twice_are_refused():
    twice = sparse.csr_matrix(([1, 1], [0, 0], [0, 2]), shape=(1, 2))
    with pytest.raises(InputError, match="y_true must hold 0 and 1"):
        relevancy_report(twice, [[1, 0]])
    booleans = sparse.csr_matrix((np.array([True, True]), [0, 0], [0, 2]), shape=(1, 2))
    assert relevancy_report(booleans, [[1, 0]]).micro_f1 == 1


@pytest.mark.parametrize("value", [2, -1, 0.5, 1 + 1e-6, np.nan, np.inf])
@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix], ids=["dense", "sparse"])
def test_values_other_than_0_and_1_are_refused(make, value):
    with pytest.raises(InputError, match="y_pred must hold 0 and 1 alone; apply the decision threshold"):
        relevancy_report(make([[0, 1], [1, 0]]), make([[0, 1.0], [value, 0]]))


def test_shapes_that_disagree_are_refused():
    with pytest.raises(InputError, match=r"\(2, 3\).*\(2, 2\)"):
        relevancy_report(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(InputError, match=r"\(2, 3\).*\(3, 3\)"):
        relevancy_report(np.ones((2, 3)), np.ones((3, 3)))
    with pytest.raises(InputError, match="3 labels do not fit a relevance graph of 2"):
        relevancy_report(np.ones((2, 3)), np.ones((2, 3)), RelevanceGraph.identity(["A", "B"]))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (5, 3)])
@pytest.mark.parametrize("make", [np.zeros, sparse.csr_matrix], ids=["dense", "sparse"])
def test_nothing_at_all_scores_zero(make, shape):
    for graph in (None, RelevanceGraph.identity(names(shape[1]))) if shape[1] else (None,):
        report = relevancy_report(make(shape), make(shape), graph)
        assert set(report.scores().values()) == {0.0}
        assert len(report.true_positives) == len(report.f1) == shape[1]


@pytest.mark.parametrize(("true", "predicted"), [(0, 1), (1, 0), (1, 1)])
def test_one_side_empty(true, predicted):
    y_true, y_pred = np.full((4, 3), true), np.full((4, 3), predicted)
    check(y_true, y_pred, random_graph(3, 2))
    assert relevancy_report(y_true, y_pred).micro_f1 == float(true and predicted)


def test_hand_worked_notes():
    """True A and C against B; true B against A and C; A and B match."""
    graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    report = relevancy_report([[1, 0, 1], [0, 1, 0]], [[0, 1, 0], [1, 0, 1]], graph)
    assert report.true_positives.tolist() == [1, 1, 0]
    assert report.false_positives.tolist() == [0, 0, 1]
    assert report.false_negatives.tolist() == [0, 0, 1]
    assert report.support.tolist() == [1, 1, 1]
    assert report.f1.tolist() == [1, 1, 0]
    assert report.scores() == pytest.approx(
        {
            "micro_precision": 2 / 3,
            "micro_recall": 2 / 3,
            "micro_f1": 2 / 3,
            "macro_f1": 2 / 3,
            "weighted_f1": 2 / 3,
        }
    )


def test_stored_zeros_of_the_graph_match():
    """At τ = 0 every pair at a right angle matches."""
    graph = RelevanceGraph.from_similarity(np.eye(2), ["A", "B"], 0)
    assert relevancy_report([[1, 0]], [[0, 1]], graph).micro_f1 == 1


def test_the_order_of_labels_and_notes_does_not_matter(sets):
    graph = random_graph(20, 3)
    rng = np.random.default_rng(0)
    labels, notes = rng.permutation(20), rng.permutation(60)
    moved = graph.select([graph.codes[label] for label in labels])
    expected = relevancy_report(*sets, graph).scores()
    got = relevancy_report(*(part[notes][:, labels] for part in sets), moved).scores()
    assert got == pytest.approx(expected, abs=1e-12)


def test_many_notes_of_one_shape_are_cut_into_parts(sets, monkeypatch):
    from icd_relevancy.metrics import relevancy_report as module_or_function

    module = __import__(module_or_function.__module__, fromlist=["_ROWS_AT_ONCE"])
    graph = random_graph(20, 3)
    y_true, y_pred = (np.tile(part, (40, 1)) for part in sets)
    expected = relevancy_report(y_true, y_pred, graph).scores()
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 1)
    assert relevancy_report(y_true, y_pred, graph).scores() == expected
    assert expected == pytest.approx(relevancy_report(*sets, graph).scores(), abs=1e-12)


def test_predicting_every_label_stays_within_memory():
    """A collapsed model predicts all of 3,000 labels for each note, and the notes have 40."""
    labels = 3000
    y_true = np.zeros((64, labels), np.int8)
    y_true[:, :40] = 1
    graph = random_graph(labels, 5)
    y_true, y_pred = sparse.csr_matrix(y_true), sparse.csr_matrix(np.ones((64, labels), np.int8))
    tracemalloc.start()
    report = relevancy_report(y_true, y_pred, graph)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.micro_recall == 1
    justified = graph.matrix[:40].sum(axis=0).A1 > 0
    np.testing.assert_array_equal(report.false_positives, np.where(justified, 0, 64))
    assert peak < 64 * 2**20, f"{peak / 2**20:.0f} MiB"


def test_the_report_is_frozen():
    report = relevancy_report([[1]], [[1]])
    assert isinstance(report, RelevancyReport)
    with pytest.raises(FrozenInstanceError):
        report.micro_f1 = 0.0
    for field in FIELDS:
        assert type(getattr(report, field)) is float


def as_codes(sets):
    return [[f"C{label}" for label in np.flatnonzero(note)] for note in sets]


def same(one, other):
    for field in FIELDS:
        assert getattr(one, field) == pytest.approx(getattr(other, field), abs=1e-12)
    for counts in ("true_positives", "false_positives", "false_negatives"):
        np.testing.assert_array_equal(getattr(one, counts), getattr(other, counts))


def test_columns_of_frames_go_by_name_and_rows_by_index(sets):
    """A frame whose columns stand in another order gave other scores without a word."""
    y_true, y_pred = sets
    graph = random_graph(20, 3)
    expected = relevancy_report(y_true, y_pred, graph)
    assert expected.codes == graph.codes
    notes = [f"n{note}" for note in range(60)]
    true, predicted = (pd.DataFrame(one, notes, names(20)) for one in sets)
    mixed = predicted.sample(frac=1, axis=1, random_state=0)
    same(relevancy_report(true, mixed, graph), expected)
    same(relevancy_report(true.sample(frac=1, axis=1, random_state=1), y_pred, graph), expected)
    same(relevancy_report(true, mixed.sample(frac=1, random_state=2), graph), expected)
    same(relevancy_report(true.astype("Int8"), mixed.astype(bool).astype(object), graph), expected)
    without = relevancy_report(true, mixed)
    same(without, relevancy_report(y_true, y_pred))
    assert without.codes == tuple(names(20))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.rename(columns={"C3": "Z99", "C4": "Z98"}),
            r"lacks 2 \('C3', 'C4'\) and has 2 others",
        ),
        (
            lambda frame: frame.drop(columns="C3"),
            r"y_pred must have a column for each code. It lacks 1 \('C3'\)",
        ),
        (lambda frame: frame.set_axis(range(20), axis=1), "name the columns by the codes"),
        (lambda frame: frame.rename(columns={"C3": "C4"}), "two columns of one name"),
        (lambda frame: frame.rename(index={0: 99}), "other notes in their index"),
        (lambda frame: frame.set_axis([0, *range(59)]), "other notes in their index"),
        (lambda frame: frame.iloc[1:], "other notes in their index"),
        (lambda frame: frame.astype(float).where(frame != 1), "must hold 0 and 1 alone"),
        (
            lambda frame: frame.astype(str).replace("1", "Mrs Miller"),
            "y_pred must be a matrix of 0 and 1, or hold a list",
        ),
    ],
)
def test_frames_that_do_not_fit_are_refused(sets, change, message):
    true, predicted = (pd.DataFrame(one, columns=names(20)) for one in sets)
    with pytest.raises(InputError, match=message):
        relevancy_report(true, change(predicted), random_graph(20, 3))


@pytest.mark.parametrize("kind", [list, tuple, set, np.array, pd.Series], ids=str)
def test_lists_of_codes(sets, kind):
    graph = random_graph(20, 3)
    expected = relevancy_report(*sets, graph)
    true, predicted = (
        [kind(note) if kind is not pd.Series else note for note in as_codes(one)] for one in sets
    )
    if kind is pd.Series:
        true, predicted = pd.Series(true), pd.Series(predicted).sample(frac=1, random_state=0)
    same(relevancy_report(true, predicted, graph), expected)
    same(relevancy_report(true, sets[1], graph), expected)
    same(relevancy_report(true, pd.DataFrame(sets[1], columns=names(20)), graph), expected)
    alone = relevancy_report(true, predicted)
    assert alone.codes == tuple(sorted(names(20)))
    assert alone.micro_f1 == pytest.approx(relevancy_report(*sets).micro_f1)


def test_lists_by_hand():
    graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A01", "A02", "B01"], 0.76)
    report = relevancy_report([["A01", "B01"], [], ["B01"]], [["A02"], ["B01"], ["B01", "B01"]], graph)
    assert (report.true_positives.tolist(), report.false_positives.tolist()) == ([1, 0, 1], [0, 0, 1])
    assert report.false_negatives.tolist() == [0, 0, 1]
    nothing = relevancy_report([["A01"], ["B01"]], [[], []], graph)
    assert nothing.micro_f1 == 0
    assert relevancy_report([[], []], [["A01"], []]).false_positives.tolist() == [1]


@pytest.mark.parametrize(
    ("y_true", "y_pred", "relevance", "message"),
    [
        (["A01", "B01"], [["A01"], ["B01"]], True, "y_true must hold a list of codes for each note"),
        ([["A01"]], [["Q10", "Q11", "A01"]], True, "y_pred has 2 codes that are no labels: 'Q10', 'Q11'"),
        ([["A01"]], [["Miller"]], True, r"1 codes that are no labels: \(not shown"),
        ([["A01"], ["B01"]], [["A01"]], True, "they must agree"),
        ([["A01", 7]], [["A01"]], True, "codes that are no text"),
        ([["A01"]], [[1, 0]], False, "pass the relevance graph"),
        ([[1, 0], [1]], [[1, 0], [1, 0]], False, "y_true must be a matrix of 0 and 1"),
        ([[1, 0]], [[1, 0]], "graph", "relevance must be a RelevanceGraph or None. Received: str"),
    ],
)
def test_lists_that_do_not_fit_are_refused(y_true, y_pred, relevance, message):
    graph = {True: RelevanceGraph.identity(["A01", "B01"]), False: None}.get(relevance, relevance)
    with pytest.raises(InputError, match=message):
        relevancy_report(y_true, y_pred, graph)
