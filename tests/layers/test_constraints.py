"""Roll-up, roll-down and averaged parents as layers of a model."""

import keras
import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.layers.constraints import MeanOfChildren, RollDown, RollUp
from tests.losses import hierarchy_oracles as oracles

PARENTS = oracles.FORESTS["uneven"]
LAYERS = {RollUp: oracles.roll_up, RollDown: oracles.roll_down, MeanOfChildren: oracles.mean_of_children}


@pytest.fixture(params=LAYERS)
def layer(request):
    return request.param


@pytest.fixture
def hierarchy():
    return Hierarchy(PARENTS, names=[f"C{label}" for label in range(len(PARENTS))])


def network(layer, hierarchy):
    keras.utils.set_random_seed(0)
    codes = keras.layers.Dense(len(hierarchy), activation="sigmoid")
    return keras.Sequential([keras.Input((4,)), codes, layer(hierarchy, dtype="float32")])


def data():
    rng = np.random.default_rng(0)
    labels = (rng.random((24, len(PARENTS))) < 0.2).astype(int)
    return rng.normal(size=(24, 4)).astype("float32"), oracles.roll_up(PARENTS, labels).astype("float32")


def test_it_equals_the_loops(layer, hierarchy):
    values = np.random.default_rng(1).random((5, len(PARENTS))).astype("float32")
    got = keras.ops.convert_to_numpy(layer(hierarchy)(values))
    np.testing.assert_allclose(got, LAYERS[layer](PARENTS, values), rtol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_a_network_learns_through_it(layer, hierarchy, jit):
    model = network(layer, hierarchy)
    model.compile(keras.optimizers.Adam(0.05), loss="binary_crossentropy", jit_compile=jit)
    history = model.fit(*data(), batch_size=8, epochs=10, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_it_is_saved_with_its_hierarchy(layer, hierarchy, tmp_path):
    x, _ = data()
    model = network(layer, hierarchy)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.layers[-1].hierarchy == hierarchy


def test_it_computes_in_half_precision_where_asked(layer, hierarchy):
    values = np.random.default_rng(1).random((5, len(PARENTS)))
    got = layer(hierarchy, dtype="mixed_float16")(values)
    assert keras.backend.standardize_dtype(got.dtype) == "float16"
    np.testing.assert_allclose(keras.ops.convert_to_numpy(got), LAYERS[layer](PARENTS, values), atol=2e-3)


def test_inputs_of_another_width_are_refused(layer, hierarchy):
    with pytest.raises(InputError, match="has 6 labels, the inputs 3"):
        layer(hierarchy)(np.zeros((2, 3)))
