"""Label attention for two systems: against loops, with and without the graph, trained, saved, and refused."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import InputError
from icd_relevancy.layers.joint_label_attention import JointLabelAttention
from tests.layers import attention_oracles, code_graph_oracles

SIZES, SIZE = (4, 3), 4
EDGES, WEIGHTS = [[0, 0], [1, 0], [3, 2]], [1.0, 0.5, 0.5]
KINDS = {
    "caml": {},
    "laat": {"attention_dim": 6},
    "caml, no graph": {"graph": False},
    "laat, no graph": {"attention_dim": 6, "graph": False},
    "laat, one table": {"attention_dim": 6, "share_table": True},
}


def notes():
    return attention_oracles.notes(SIZE)


def made(kind, **options):
    layer = JointLabelAttention(SIZES, EDGES, WEIGHTS, **KINDS[kind], **options)
    layer.build((None, None, SIZE))
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def numbers(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in keras.tree.flatten(tensors)]


def queries_of(layer):
    if not layer.graph:
        return [ops.convert_to_numpy(table) for table in layer.tables]
    table = ops.convert_to_numpy(layer.code_graph.table)
    if layer.share_table:  # label 0 of each system is one code
        table = np.concatenate([table[:4], table[:1], table[4:]])
    attention = ops.convert_to_numpy(layer.code_graph.attention)[:, 0]
    return code_graph_oracles.code_graph_attention(*np.split(table, [SIZES[0]]), attention, EDGES, WEIGHTS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_equals_the_loops(kind):
    layer = made(kind)
    projection = None if layer.attention_dim is None else ops.convert_to_numpy(layer.projection)
    contexts, weights = layer(*notes(), return_attention_scores=True)
    for system, queries in enumerate(queries_of(layer)):
        expected = attention_oracles.label_attention(*notes(), queries, projection)
        for found, wanted in zip(numbers([contexts[system], weights[system]]), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        alone = layer.read(system, *notes())
        for found, wanted in zip(numbers(alone), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(*numbers([alone[0], contexts[system]]))
    for found, wanted in zip(numbers(layer(*notes())), numbers(contexts), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind):
    layer = made(kind)
    before = numbers(layer(*notes()))
    for found, wanted in zip(numbers(layer(*attention_oracles.longer(*notes()))), before, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
        assert not found[2].any()  # the note without tokens


def test_a_loss_of_one_system_moves_the_other_table_along_the_edges():
    layer = made("caml")
    gradients = code_graph_oracles.gradients(
        layer, lambda contexts: ops.sum(ops.square(contexts[1][:, 2])), *notes()
    )
    of_table = gradients[[weight.name for weight in layer.trainable_variables].index("table")]
    moved = np.abs(of_table).sum(axis=1) > 1e-6
    assert np.flatnonzero(moved).tolist() == [3, SIZES[0] + 2]


def test_without_the_graph_systems_share_the_tokens_alone():
    layer = made("laat, no graph")
    before = numbers(layer.read(1, *notes()))
    layer.tables[0].assign(5 + layer.tables[0].value)
    for found, wanted in zip(numbers(layer.read(1, *notes())), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_queries_start_as_given_or_projected():
    rng = np.random.default_rng(0)
    of_tokens = [rng.normal(size=(rows, SIZE)).astype("float32") for rows in SIZES]
    projected = [rng.normal(size=(rows, 6)).astype("float32") for rows in SIZES]
    for graph in (True, False):
        for options, given in (({}, of_tokens), ({"attention_dim": 6}, projected)):
            layer = JointLabelAttention(SIZES, EDGES, WEIGHTS, initial_queries=given, graph=graph, **options)
            layer.build((None, None, SIZE))
            start = ops.convert_to_numpy(layer.code_graph.table if graph else ops.concatenate(layer.tables))
            np.testing.assert_array_equal(start, np.concatenate(given))
        layer = JointLabelAttention(SIZES, EDGES, initial_queries=of_tokens, attention_dim=6, graph=graph)
        layer.build((None, None, SIZE))
        start = ops.convert_to_numpy(layer.code_graph.table if graph else ops.concatenate(layer.tables))
        wanted = np.tanh(np.concatenate(of_tokens) @ ops.convert_to_numpy(layer.projection))
        np.testing.assert_allclose(start, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_stays_close(kind, policy):
    exact = numbers(made(kind)(*notes(), return_attention_scores=True))
    keras.config.set_dtype_policy(policy)
    contexts, weights = made(kind)(*notes(), return_attention_scores=True)
    assert keras.backend.standardize_dtype(contexts[0].dtype) == policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(weights[0].dtype) == "float32"
    found = numbers([ops.cast(tensor, "float32") for tensor in (*contexts, *weights)])
    for half, whole in zip(found, exact, strict=True):
        np.testing.assert_allclose(half, whole, atol=0.02 if policy == "mixed_float16" else 0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(kind, tmp_path):
    inputs = [keras.Input((None, SIZE)), keras.Input((None,))]
    layer = made(kind)
    model = keras.Model(inputs, layer(*inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for old, new in zip(numbers(layer(*notes())), numbers(loaded(list(notes()))), strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention_dim": 0}, "attention_dim must be at least 1"),
        ({"edges": [[4, 0]]}, "edge 0 links label 4 of 4"),
        ({"weights": [1.0]}, "weights must be 3 finite numbers"),
        ({"graph": False, "share_table": True}, "share_table=True with graph=True"),
        ({"initial_queries": [np.ones((4, 4))]}, "two initial tables"),
        ({"initial_queries": [np.ones((4, 4)), np.ones((4, 4))]}, "must be 3 finite rows"),
        ({"initial_queries": [np.ones((4, 5)), np.ones((3, 5))]}, "have 5 dimensions, the token states 4"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    settings = {"sizes": SIZES, "edges": EDGES, "weights": WEIGHTS, **options}
    with pytest.raises(InputError, match=message) as refusal:
        JointLabelAttention(**settings).build((None, None, SIZE))
    assert "\n" not in str(refusal.value)
