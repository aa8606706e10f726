"""Code graph attention: against its formula, by hand, along each edge, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import InputError
from icd_relevancy.layers.code_graph_attention import CodeGraphAttention
from tests.layers import code_graph_oracles as oracles

SIZES, SIZE = (6, 5), 4
# Label 0 has many links, label 5 of the first system and label 4 of the second have none.
EDGES = [[3, 0], [0, 0], [0, 1], [0, 2], [1, 2], [0, 3], [2, 1], [4, 3]]
WEIGHTS = [1.0, 0.5, 0.5, 1.0, 1.0, 0.5, 0.25, 0.0]


def made(edges=EDGES, weights=WEIGHTS, scale=1.0, **options):
    """A layer with tables and an attention vector that make the weights of a softmax differ."""
    layer = CodeGraphAttention(SIZES, SIZE, edges, weights, **options)
    layer.build()
    rng = np.random.default_rng(0)
    layer.table.assign(scale * rng.normal(size=layer.table.shape))
    layer.attention.assign(rng.normal(size=layer.attention.shape))
    return layer


def tables(layer):
    return np.split(ops.convert_to_numpy(layer.table).astype("float64"), [SIZES[0]])


def numbers(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def expected(layer, edges=EDGES, weights=WEIGHTS):
    attention = ops.convert_to_numpy(layer.attention)[:, 0].astype("float64")
    return oracles.code_graph_attention(*tables(layer), attention, edges, weights)


@pytest.mark.parametrize("scale", [0.03, 1.0, 30.0])
def test_it_equals_the_formula(scale):
    layer = made(scale=scale)
    for found, wanted in zip(numbers(layer()), expected(layer), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * scale)


def test_two_codes_each_by_hand():
    """A code scores log 3 times the first number of whom it looks at, which is 0, -log 2, 1 or -1."""
    layer = CodeGraphAttention((2, 2), 2, [[0, 0], [0, 1]], [1.0, 0.5])
    layer.build()
    layer.table.assign([[0.0, 8.0], [-np.log(2), 0.0], [1.0, 0.0], [-1.0, 4.0]])
    # Of the vector itself nothing counts, of the other one its first number.
    layer.attention.assign([[0.0], [0.0], [np.log(3)], [0.0]])
    first, second = numbers(layer())
    # Label 0: scores 0, log 3 and LeakyReLU(-log 3), whose power is 3^-0.2; the last link weighs 0.5.
    total = 1 + 3 + 3**-0.2
    np.testing.assert_allclose(
        first[0], [(3 - 0.5 * 3**-0.2) / total, (8 + 0.5 * 4 * 3**-0.2) / total], rtol=1e-6
    )
    np.testing.assert_allclose(first[1], [-0.5, 0], rtol=1e-6)  # alone: e^(-log 2) - 1
    # Second system, label 0: itself scores log 3 and label 0 of the first scores 0: 3/4 and 1/4.
    np.testing.assert_allclose(second[0], [0.75, 2.0], rtol=1e-6)
    # Label 1: itself scores -log 3 / 5, the other 0, at weight 0.5.
    own = 3**-0.2 / (3**-0.2 + 1)
    np.testing.assert_allclose(second[1], [np.expm1(-own), 4 * own + 4 * (1 - own)], rtol=1e-6)


def test_the_order_of_the_edges_does_not_matter():
    order = np.random.default_rng(1).permutation(len(EDGES))
    moved = made(np.array(EDGES)[order], np.array(WEIGHTS)[order])
    for found, wanted in zip(numbers(moved()), numbers(made()()), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_code_without_a_link_keeps_its_vector():
    layer = made()
    first, second = numbers(layer())
    of_first, of_second = tables(layer)
    np.testing.assert_allclose(first[5], oracles.elu(of_first[5]), rtol=1e-6)
    np.testing.assert_allclose(second[4], oracles.elu(of_second[4]), rtol=1e-6)


@pytest.mark.parametrize("edges", [[], np.zeros((0, 2), int)])
def test_without_edges_codes_are_alone(edges):
    layer = made(edges, None)
    for found, table in zip(numbers(layer()), tables(layer), strict=True):
        np.testing.assert_allclose(found, oracles.elu(table), rtol=1e-6)


def test_without_weights_every_edge_weighs_one():
    ones = np.ones(len(EDGES))
    layer = made(use_weights=False)
    for other in (expected(layer, weights=ones), made(weights=None)()):
        for found, wanted in zip(numbers(layer()), other, strict=True):
            np.testing.assert_allclose(found, ops.convert_to_numpy(wanted), rtol=1e-5, atol=1e-6)


def test_one_table_for_equivalent_codes():
    """0 - 2 and 1 - 2 make one group of three codes, 3 - 0 one of two; the others have rows of their own."""
    layer = CodeGraphAttention(SIZES, SIZE, EDGES, WEIGHTS, share_table=True)
    groups = [{0, 1, 8}, {3, 6}]
    assert layer._row.max() + 1 == sum(SIZES) - 3
    for group in groups:
        assert len({layer._row[code] for code in group}) == 1
    initial = np.random.default_rng(2).normal(size=(sum(SIZES), SIZE))
    layer = made(share_table=True, initial=np.split(initial, [SIZES[0]]))
    layer.table.assign(layer._table_initializer()(None, "float32"))
    vectors = initial.copy()
    for group in groups:
        vectors[list(group)] = initial[list(group)].mean(axis=0)
    attention = ops.convert_to_numpy(layer.attention)[:, 0]
    wanted = oracles.code_graph_attention(*np.split(vectors, [SIZES[0]]), attention, EDGES, WEIGHTS)
    for found, table in zip(numbers(layer()), wanted, strict=True):
        np.testing.assert_allclose(found, table, rtol=1e-5, atol=1e-6)


def test_gradients_equal_finite_differences_of_the_formula():
    layer = made()
    rng = np.random.default_rng(3)
    pull = [rng.normal(size=(size, SIZE)) for size in SIZES]

    def loss(outputs):
        parts = [ops.sum(part * ops.cast(by, "float32")) for part, by in zip(outputs, pull, strict=True)]
        return parts[0] + parts[1]

    table, attention = (ops.convert_to_numpy(weight).astype("float64") for weight in layer.weights)

    def oracle(table, attention):
        outputs = oracles.code_graph_attention(*np.split(table, [SIZES[0]]), attention[:, 0], EDGES, WEIGHTS)
        return sum((part * by).sum() for part, by in zip(outputs, pull, strict=True))

    found = oracles.gradients(layer, loss)
    step = 1e-6
    for position, weight in enumerate((table, attention)):
        wanted = np.zeros_like(weight)
        for place in np.ndindex(weight.shape):
            ends = []
            for sign in (1, -1):
                moved = [table.copy(), attention.copy()]
                moved[position][place] += sign * step
                ends.append(oracle(*moved))
            wanted[place] = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(found[position], wanted, rtol=1e-4, atol=1e-5)


def test_a_link_carries_the_gradient_to_the_other_table():
    """The second system's output moves the rows of the first that it is linked with, and no others."""
    gradient = oracles.gradients(made(), lambda outputs: ops.sum(outputs[1][2]))[0]
    assert np.flatnonzero(np.abs(gradient[: SIZES[0]]).sum(axis=1)).tolist() == [0, 1]
    assert np.flatnonzero(np.abs(gradient[SIZES[0] :]).sum(axis=1)).tolist() == [2]


def test_tables_start_small_or_as_given():
    keras.utils.set_random_seed(0)
    layer = CodeGraphAttention((300, 200), 40, [[0, 0]])
    layer.build()
    drawn = ops.convert_to_numpy(layer.table)
    assert drawn.shape == (500, 40)
    assert drawn.std() == pytest.approx(0.03, rel=0.03)
    given = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    layer = CodeGraphAttention((3, 3), 5, [[0, 0]], initial=given)
    layer.build()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.table), given.reshape(6, 5))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_rounds_tables_and_results_alone(policy):
    half = policy.removeprefix("mixed_")

    def rounded(values):
        return ops.convert_to_numpy(ops.cast(ops.cast(values, half), "float32"))

    exact = made()
    for weight in exact.weights:
        weight.assign(rounded(weight.value))
    wanted = numbers(exact())
    keras.config.set_dtype_policy(policy)
    for found, table in zip(made()(), wanted, strict=True):
        assert keras.backend.standardize_dtype(found.dtype) == half
        np.testing.assert_array_equal(ops.convert_to_numpy(ops.cast(found, "float32")), rounded(table))


def test_the_configuration_holds_the_edges():
    layer = made(share_table=True, use_weights=False)
    again = CodeGraphAttention.from_config(layer.get_config())
    again.build()
    again.set_weights(layer.get_weights())
    for found, wanted in zip(numbers(again()), numbers(layer()), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert again.get_config() == layer.get_config()


def test_a_functional_model_may_hang_it_on_a_tensor(tmp_path):
    inputs = keras.Input((SIZE,))
    first, second = CodeGraphAttention(SIZES, SIZE, EDGES, WEIGHTS)(inputs)
    model = keras.Model(inputs, [ops.matmul(inputs, ops.transpose(table)) for table in (first, second)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, SIZE)).astype("float32")
    tables = numbers(model.layers[1]())
    for old, new, table in zip(numbers(model(x)), numbers(loaded(x)), tables, strict=True):
        np.testing.assert_array_equal(new, old)
        np.testing.assert_allclose(old, x @ table.T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (3,)}, "two numbers of labels"),
        ({"sizes": (0, 3)}, "two numbers of labels"),
        ({"dimension": 0}, "dimension must be at least 1"),
        ({"edges": [[0, 0], [1, 1], [0, 0]]}, "edge 2 repeats the link of labels 0 and 0"),
        ({"edges": [[0, 0], [0, 3]]}, "edge 1 links label 0 of 3 with label 3 of 3"),
        ({"edges": [[-1, 0]]}, "edge 0 links label -1 of 3"),
        ({"edges": [[0, 1, 1]]}, r"\(k, 2\). Received: shape \(1, 3\)"),
        ({"edges": [[0.0, 1.0]]}, "pairs of integers"),
        ({"weights": [1.0, 0.5]}, r"weights must be 1 finite numbers.*shape \(2,\)"),
        ({"weights": [-0.5]}, "finite numbers from 0"),
        ({"weights": [np.nan]}, "finite numbers from 0"),
        ({"initial": [np.ones((3, 2))]}, "two initial tables"),
        ({"initial": [np.ones((3, 2)), np.ones((4, 2))]}, "must be 3 finite rows"),
        ({"initial": [np.ones((3, 5)), np.ones((3, 5))]}, "have 5 dimensions"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(InputError, match=message) as refusal:
        CodeGraphAttention(**{"sizes": (3, 3), "dimension": 2, "edges": [[0, 0]], **options})
    assert "\n" not in str(refusal.value)
