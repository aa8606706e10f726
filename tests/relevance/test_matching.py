"""The block walk over the graph's edges: against loops, with blocks of a few edges."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import sparse

from icd_relevancy import RelevanceGraph
from icd_relevancy.relevance import matching


def random_graph(labels, degree, seed=0):
    """A symmetric graph of about `degree` neighbours a label, weights with ties."""
    rng = np.random.default_rng(seed)
    weights = np.round(rng.uniform(0.5, 1, (labels, labels)), 1)
    weights = np.triu(weights * (rng.random((labels, labels)) < degree / labels), 1)
    return RelevanceGraph.from_similarity(weights + weights.T, [str(j) for j in range(labels)], 0.5)


def hub_graph(labels):
    """Label 1 matches everyone, nobody else matches another."""
    weights = np.zeros((labels, labels))
    weights[1] = weights[:, 1] = np.linspace(0.5, 0.9, labels)
    return RelevanceGraph.from_similarity(weights, [str(j) for j in range(labels)], 0.5)


def label_sets(notes, labels, share, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((notes, labels)) < share).astype("float32")


def expected_coefficients(y_true, y_pred, graph):
    """`found` and `justified` by loops; of equal winners the first label counts."""
    graph = graph.astype(np.float32)
    found, justified = np.zeros_like(y_pred), np.zeros_like(y_pred)
    for i, j in np.argwhere(y_true):
        scores = np.where(graph[j] > 0, graph[j] * y_pred[i], -1)
        winner = int(np.argmax(scores))
        found[i, winner] += graph[j, winner]
        justified[i] = np.maximum(justified[i], graph[j])
    return found, justified


def compiled(function):
    """One trace in place of an eager loop over the blocks."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)


def check(y_true, y_pred, graph, kind="graded"):
    """Both questions of one batch, against the loops."""
    dense = graph.matrix.toarray()
    graded, binary = matching.edges_of(graph, kind), matching.edges_of(graph, "binary")
    predicted = (y_pred > 0.5).astype("float32")

    @compiled
    def ask(y_true, y_pred, predicted):
        coefficients = matching.matching_coefficients(y_true, y_pred, graded)
        return (*coefficients, *matching.matched(y_true, predicted, binary))

    answer = ask(*map(ops.convert_to_tensor, (y_true, y_pred, predicted)))
    found, justified, is_found, is_justified = map(ops.convert_to_numpy, answer)
    weights = (dense > 0).astype(float) if kind == "binary" else dense
    expected_found, expected_justified = expected_coefficients(y_true, y_pred, weights)
    np.testing.assert_allclose(found, expected_found, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(justified, expected_justified, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(is_found, y_true * ((predicted @ dense) > 0))
    np.testing.assert_array_equal(is_justified, (y_true @ dense) > 0)


@pytest.fixture(params=[1, 8])
def smallest_block(request, monkeypatch):
    """1 makes the blocks as wide as the most connected label, the tightest that works."""
    monkeypatch.setattr(matching, "_SMALLEST_BLOCK", request.param)
    monkeypatch.setattr(matching, "_LABELS_A_BLOCK", 1)
    return request.param


@pytest.mark.parametrize("labels", [2, 63, 64, 65, 130])
def test_small_blocks_equal_the_loops(smallest_block, labels):
    """Degrees from 1 to about 9 leave labels on, before and after each block's edge."""
    graph = random_graph(labels, 4, seed=labels)
    y_true = np.concatenate([label_sets(4, labels, share, seed=labels) for share in (0.05, 0.5)])
    y_true[[2, -1]] = 0
    y_pred = np.random.default_rng(labels).random((8, labels)).astype("float32")
    check(y_true, y_pred, graph)
    if labels == 65:
        check(y_true, y_pred, graph, kind="binary")


def test_every_label_true_walks_many_blocks(smallest_block):
    graph = random_graph(40, 6, seed=9)
    y_true = np.ones((3, 40), "float32")
    y_pred = np.random.default_rng(9).random((3, 40)).astype("float32")
    check(y_true, y_pred, graph)


def test_ties_go_to_the_first_winner(smallest_block):
    graph = random_graph(30, 5, seed=2)
    y_true = label_sets(6, 30, 0.3, seed=2)
    y_pred = np.random.default_rng(2).integers(0, 3, (6, 30)).astype("float32") / 2
    check(y_true, y_pred, graph)


@pytest.mark.parametrize("first", [0, 1])
def test_a_label_wider_than_the_block_makes_the_block_wider(smallest_block, first):
    graph = hub_graph(100)
    y_true = np.zeros((4, 100), "float32")
    y_true[0, [first, 5, 99]] = 1
    y_true[1, 1] = 1
    y_true[3] = 1
    y_pred = np.random.default_rng(1).random((4, 100)).astype("float32")
    check(y_true, y_pred, graph)


def test_edges_that_fill_blocks_exactly(smallest_block):
    """Pairs of labels: two edges a label, so that every block ends where a label does."""
    weights = np.kron(np.eye(16), np.full((2, 2), 0.9))
    graph = RelevanceGraph.from_similarity(weights, [str(j) for j in range(32)], 0.5)
    counts = [1, 0, 2, 3, 4, 5, 8, 9, 31, 32]
    y_true = (np.arange(32) < np.array(counts)[:, None]).astype("float32")
    y_pred = np.random.default_rng(0).random(y_true.shape).astype("float32")
    check(y_true, y_pred, graph)


@pytest.mark.parametrize("place", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_one_true_label_in_each_corner_of_the_batch(place):
    graph = random_graph(65, 6, seed=5)
    y_true = np.zeros((3, 65), "float32")
    y_true[place] = 1
    check(y_true, np.random.default_rng(5).random((3, 65)).astype("float32"), graph)


@pytest.mark.parametrize(("true", "predicted"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_all_or_nothing(true, predicted):
    check(np.full((3, 20), true, "float32"), np.full((3, 20), predicted, "float32"), random_graph(20, 4))


def test_the_default_block_walks_a_batch_of_many_edges():
    """600 labels, all true in two of the notes: more edges than a few blocks."""
    graph = random_graph(600, 30, seed=7)
    y_true = label_sets(3, 600, 0.02, seed=7)
    y_true[[0, 2]] = 1
    block = matching._block_size(3 * 600, matching.edges_of(graph, "binary").smallest_block)
    assert y_true.sum() * 30 > 3 * block
    check(y_true, np.random.default_rng(7).random((3, 600)).astype("float32"), graph)


def test_the_block_grows_with_the_batch(monkeypatch):
    monkeypatch.setattr(matching, "_SMALLEST_BLOCK", 2)
    monkeypatch.setattr(matching, "_LABELS_A_BLOCK", 1)
    graph = random_graph(100, 4, seed=8)
    y_true = label_sets(64, 100, 0.1, seed=8)
    assert matching._block_size(64 * 100, 9) == 100
    check(y_true, np.random.default_rng(8).random((64, 100)).astype("float32"), graph)


def test_a_label_without_any_edge_is_never_found():
    """A matrix given by hand may lack the diagonal's entry of a label."""
    matrix = sparse.csr_matrix(np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 0]]))
    edges = matching.edges_of(RelevanceGraph(["A", "B", "C"], matrix, 0.5), "binary")
    found, _ = matching.matched(np.ones((2, 3)), ops.ones((2, 3)), edges)
    assert ops.convert_to_numpy(found)[:, :2].min() == 1


def test_exact_matching_needs_no_edges():
    assert matching.edges_of(None, "graded") is None
    assert matching.edges_of(RelevanceGraph.identity(["A", "B"]), "graded") is None
    y_true = np.array([[1.0, 0.0], [1.0, 1.0]], "float32")
    y_pred = ops.convert_to_tensor([[0.0, 1.0], [1.0, 0.0]])
    found, justified = matching.matched(y_true, y_pred, None)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [[0, 0], [1, 0]])
    np.testing.assert_array_equal(ops.convert_to_numpy(justified), y_true)


def test_running_edges_and_places_are_exact():
    """Each edge number of the batch leads back to its note and label, whatever the degrees."""
    rng = np.random.default_rng(4)
    for labels in (1, 2, 64, 65, 200):
        degrees = rng.integers(0, 5, (4, labels)) * (rng.random((4, labels)) < 0.4)
        degrees[0, 0] = 1
        ends = matching._running_edges(ops.convert_to_tensor(degrees.astype("int32")), 4, 4, labels)
        np.testing.assert_array_equal(
            ops.convert_to_numpy(ends)[:, :labels], degrees.reshape(-1).cumsum().reshape(4, labels)
        )
        number = ops.arange(int(degrees.sum()), dtype="int32")
        note, label, end = map(ops.convert_to_numpy, matching._place_of(number, ends, 4, labels))
        expected = np.repeat(np.arange(4 * labels), degrees.reshape(-1))
        np.testing.assert_array_equal(note * labels + label, expected)
        np.testing.assert_array_equal(end, degrees.reshape(-1).cumsum()[expected])


def test_large_degrees_are_counted_exactly():
    degrees = np.full((2, 130), 74_001, "int32")
    degrees[:, ::3] = 1
    ends = matching._running_edges(ops.convert_to_tensor(degrees), 74_001, 2, 130)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ends)[:, :130], degrees.reshape(-1).cumsum().reshape(2, 130)
    )


def test_no_gradient_flows_through_the_coefficients():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the tape is TensorFlow's")
    import tensorflow as tf

    y_pred = tf.Variable(np.random.default_rng(0).random((2, 20)).astype("float32"))
    edges = matching.edges_of(random_graph(20, 4), "graded")
    with tf.GradientTape() as tape:
        found, justified = matching.matching_coefficients(label_sets(2, 20, 0.3), y_pred, edges)
        total = tf.reduce_sum(found) + tf.reduce_sum(justified)
    assert tape.gradient(total, y_pred) is None
