"""The network from medication to codes, and its outputs for more stays than memory holds."""

import keras
import numpy as np
import pytest
from scipy import sparse

from icd_relevancy import InputError
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.losses import HierL2, MCLoss, WeightedCrossentropy, level_weights
from icd_relevancy.models.medication import medication_network, predict_blocks, predict_streamed
from tests.losses import hierarchy_oracles as oracles

PARENTS = oracles.FORESTS["random"]
LABELS, INPUTS = len(PARENTS), 9


@pytest.fixture
def hierarchy():
    return Hierarchy(PARENTS)


@pytest.fixture(autouse=True)
def float32_policy():
    yield
    keras.config.set_dtype_policy("float32")


def network(**options):
    keras.utils.set_random_seed(0)
    return medication_network(INPUTS, LABELS, **{"units": 6, **options})


def stays(count=40, kind=sparse.csr_matrix):
    """Drugs, a scaled age and a sex."""
    rng = np.random.default_rng(0)
    drugs = rng.random((count, INPUTS - 2)) < 0.3
    return kind(np.column_stack([drugs, rng.random(count), rng.random(count) < 0.5]).astype("float32"))


def dense_widths(model):
    return [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)]


def test_without_dropout_it_is_the_written_out_network():
    model = network(hidden_layers=2, units=[4, 3], dropout=0)
    x = stays().toarray()
    first, b1, second, b2, last, b3 = model.get_weights()
    hidden = np.maximum(np.maximum(x @ first + b1, 0) @ second + b2, 0)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), 1 / (1 + np.exp(-(hidden @ last + b3))), rtol=1e-4, atol=1e-6
    )


def test_layers_and_units_are_as_asked():
    assert dense_widths(network(hidden_layers=8)) == [6] * 8 + [LABELS]
    assert dense_widths(network(hidden_layers=3, units=(7, 5, 3))) == [7, 5, 3, LABELS]
    kinds = [type(layer).__name__ for layer in network(hidden_layers=1, batch_norm=True, dropout=0.6).layers]
    assert kinds == ["InputLayer", "Dense", "BatchNormalization", "ReLU", "Dropout", "Dense"]


def test_age_stays_a_number():
    model = network()
    x = np.zeros((2, INPUTS), "float32")
    x[:, -2] = 0.25, 0.75
    young, old = model.predict(x, verbose=0)
    assert keras.backend.standardize_dtype(model.inputs[0].dtype) == "float32"
    assert not np.allclose(young, old)


@pytest.mark.parametrize(
    ("constraint", "oracle"),
    [
        ("roll_up", oracles.roll_up),
        ("roll_down", oracles.roll_down),
        ("mean_of_children", oracles.mean_of_children),
    ],
)
def test_a_constraint_changes_the_outputs_alone(hierarchy, constraint, oracle):
    plain, constrained = network(), network(constraint=constraint, hierarchy=hierarchy)
    constrained.set_weights(plain.get_weights())
    x = stays().toarray()
    np.testing.assert_allclose(
        constrained.predict(x, verbose=0), oracle(PARENTS, plain.predict(x, verbose=0)), rtol=1e-5
    )


def test_penalties_are_on_the_output_layer(hierarchy):
    flat, along = network(output_l2=0.5), network(hier_l2=0.5, hierarchy=hierarchy)
    kernel, bias = flat.get_layer("codes").get_weights()
    assert float(sum(flat.losses)) == pytest.approx(0.5 * (kernel**2).sum(), rel=1e-5)
    bias += np.random.default_rng(0).normal(size=bias.shape)
    along.get_layer("codes").set_weights([kernel, bias])
    expected = oracles.hier_l2(PARENTS, np.vstack([kernel, bias]), 0.5)
    assert float(sum(along.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("constraint", [None, "roll_up"])
def test_probabilities_are_float32_under_mixed_precision(hierarchy, constraint):
    keras.config.set_dtype_policy("mixed_float16")
    model = network(constraint=constraint, hierarchy=hierarchy)
    assert model.layers[1].compute_dtype == "float16"
    assert model.predict(stays().toarray(), verbose=0).dtype == np.float32


@pytest.mark.parametrize(
    "strategy",
    [
        {"loss": lambda hierarchy: "binary_crossentropy", "network": {"batch_norm": True}},
        {"loss": lambda hierarchy: WeightedCrossentropy(level_weights(hierarchy.levels)), "network": {}},
        {"loss": MCLoss, "network": {"hier_l2": 1e-6, "constraint": "roll_up"}},
    ],
    ids=["naive multitask", "re-weighted multitask", "hierarchical"],
)
def test_it_learns_and_is_saved(hierarchy, strategy, tmp_path):
    x = stays(64).toarray()
    leaves = (x @ np.random.default_rng(1).normal(size=(INPUTS, LABELS)) > 1.5).astype(int)
    y = hierarchy.roll_up_labels(leaves).toarray().astype("float32")
    model = network(units=16, hidden_layers=1, dropout=0.1, hierarchy=hierarchy, **strategy["network"])
    model.compile(keras.optimizers.Adam(0.02), loss=strategy["loss"](hierarchy), jit_compile=False)
    history = model.fit(x, y, batch_size=32, epochs=10, verbose=0).history["loss"]
    assert history[-1] < 0.95 * history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    penalty = loaded.get_layer("codes").kernel_regularizer
    assert penalty is None or (isinstance(penalty, HierL2) and penalty.hierarchy == hierarchy)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_layers": 0}, "hidden_layers must be at least 1"),
        ({"units": 0}, "units must be at least 1"),
        ({"units": [4, 4, 4]}, "units must be one number, or 2 of them"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"output_l2": -1.0}, "output_l2 must be from 0"),
        ({"hier_l2": 1.0}, "need the hierarchy"),
        ({"constraint": "roll_up"}, "need the hierarchy"),
        ({"constraint": "roll_over"}, "constraint must be in"),
        ({"hierarchy": Hierarchy([-1, 0])}, "hierarchy has 2 labels; the network 14"),
        ({"hierarchy": Hierarchy(PARENTS), "hier_l2": 1.0, "output_l2": 1.0}, "two penalties"),
    ],
)
def test_what_is_out_of_range_is_refused(options, message):
    with pytest.raises(InputError, match=message) as refusal:
        network(**options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.coo_array, sparse.csc_matrix, np.asarray])
@pytest.mark.parametrize("batch_size", [7, 40, 64])
def test_streamed_outputs_equal_those_of_predict(kind, batch_size):
    model = network()
    expected = model.predict(stays().toarray(), verbose=0)
    got = predict_streamed(model, stays(kind=kind), batch_size=batch_size, progress=False)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_blocks_cover_all_rows_in_order():
    blocks = list(predict_blocks(network(), stays(20), batch_size=8))
    assert [(rows.start, rows.stop) for rows, _ in blocks] == [(0, 8), (8, 16), (16, 20)]
    assert [block.shape for _, block in blocks] == [(8, LABELS), (8, LABELS), (4, LABELS)]


def test_outputs_go_to_a_memory_map_or_to_half_precision(tmp_path):
    model = network()
    expected = model.predict(stays().toarray(), verbose=0)
    out = np.lib.format.open_memmap(tmp_path / "p.npy", "w+", np.float16, (40, LABELS))
    assert predict_streamed(model, stays(), batch_size=16, out=out) is out
    out.flush()
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), expected, atol=1e-3)
    half = predict_streamed(model, stays(), dtype="float16")
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, expected, atol=1e-3)


def test_no_stays_give_no_outputs():
    assert predict_streamed(network(), stays(40)[:0]).shape == (0, LABELS)


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (stays().astype(bool), {}, "boolean, so a scaled age is 0 or 1"),
        (stays()[:, :4], {}, r"shape \(40, 4\); the model takes \(n, 9\)"),
        (stays(), {"batch_size": 0}, "batch_size must be at least 1"),
        (stays(), {"out": np.zeros((40, 3))}, r"out has shape \(40, 3\); the outputs are \(40, 14\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, options, message):
    with pytest.raises(InputError, match=message):
        predict_streamed(network(), inputs, **options)


def test_blocks_refuse_wrong_inputs_before_the_first_is_asked_for():
    with pytest.raises(InputError, match="boolean"):
        predict_blocks(network(), stays().astype(bool))
