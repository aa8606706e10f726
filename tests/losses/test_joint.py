"""The loss of two systems in one batch: against the formula, for losses that are means and others that are not."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import BHML, PLCL, TLCL, WHML, InputError, RelevanceGraph
from icd_relevancy.losses import FocalWeightedCrossentropy, JointSystemLoss
from tests.losses.hierarchy_oracles import gradient

LABELS = {"first": 4, "second": 3}
OF_FIRST = np.array([1, 0, 1, 1, 0, 1, 0, 1], "float32")
SHARES = {
    "mixed": OF_FIRST,
    "one of the second": np.array([1] * 7 + [0], "float32"),
    "first alone": np.ones(8, "float32"),
    "second alone": np.zeros(8, "float32"),
}


def graph(labels):
    near = np.eye(labels)
    near[0, 1] = near[1, 0] = 0.9
    return RelevanceGraph.from_similarity(near, [f"C{label}" for label in range(labels)], 0.76)


INNER = {
    "bce": lambda labels: keras.losses.BinaryCrossentropy(),
    "bce, summed": lambda labels: keras.losses.BinaryCrossentropy(reduction="sum"),
    "focal": lambda labels: FocalWeightedCrossentropy(np.arange(1.0, labels + 1)),
    "tlcl": lambda labels: TLCL(graph(labels)),
    "plcl": lambda labels: PLCL(graph(labels), reduction=None),
    "bhml": lambda labels: BHML(graph(labels)),
    "whml": lambda labels: WHML(0.75, graph(labels)),
    "whml of losses": lambda labels: WHML(0.25, graph(labels), harmonic_of="losses", matching="binary"),
}


def batch():
    rng = np.random.default_rng(0)
    truth = {name: (rng.random((8, m)) < 0.4).astype("float32") for name, m in LABELS.items()}
    return truth, {name: rng.random((8, m)).astype("float32") for name, m in LABELS.items()}


def weights(of_first):
    return {"first": of_first, "second": 1 - of_first}


def alone(kind, truth, predicted, of):
    """The inner loss of the notes of one system, and nothing else."""
    if not of.any():
        return 0.0
    loss = INNER[kind](truth.shape[1])
    loss.reduction = "sum_over_batch_size"
    return float(ops.convert_to_numpy(loss(truth[of > 0], predicted[of > 0])))


def joint(kind, truth, predicted, of):
    loss = JointSystemLoss(INNER[kind](truth.shape[1]))
    return float(ops.convert_to_numpy(loss(truth, predicted, sample_weight=of)))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kind", INNER)
def test_the_outputs_add_up_to_the_normalised_loss(kind, share):
    truth, predicted = batch()
    of = weights(SHARES[share])
    found = sum(joint(kind, truth[name], predicted[name], of[name]) for name in LABELS)
    sizes = {name: of[name].sum() for name in LABELS}
    expected = sum(sizes[name] * alone(kind, truth[name], predicted[name], of[name]) for name in LABELS) / 8
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_by_hand():
    """Three notes of the first system with errors 0.5, 0.75 and 0.25, one of the second with 1."""
    loss = JointSystemLoss(keras.losses.MeanAbsoluteError())
    y_true = np.ones((4, 1))
    first = loss(y_true, np.array([[0.5], [0.25], [0.0], [0.75]]), sample_weight=[1, 1, 0, 1])
    second = loss(y_true, np.array([[0.5], [0.5], [0.0], [0.5]]), sample_weight=[0, 0, 1, 0])
    assert float(first) == pytest.approx(3 * 0.5 / 4)
    assert float(second) == pytest.approx(1 * 1 / 4)


@pytest.mark.parametrize("shape", [(8,), (8, 1)])
def test_weights_of_either_shape_and_none(shape):
    truth, predicted = batch()
    for kind in INNER:
        flat = joint(kind, truth["first"], predicted["first"], OF_FIRST)
        assert joint(kind, truth["first"], predicted["first"], OF_FIRST.reshape(shape)) == flat
        assert joint(kind, truth["first"], predicted["first"], None) == pytest.approx(
            alone(kind, truth["first"], predicted["first"], np.ones(8)), rel=1e-5
        )


@pytest.mark.parametrize("kind", INNER)
def test_notes_of_the_other_system_have_no_gradient(kind):
    truth, predicted = batch()
    loss = JointSystemLoss(INNER[kind](LABELS["first"]))
    of_all = gradient(lambda p: loss(truth["first"], p, sample_weight=OF_FIRST), predicted["first"])
    assert np.isfinite(of_all).all()
    assert of_all[OF_FIRST == 1].any()
    assert not of_all[OF_FIRST == 0].any()
    nothing = gradient(lambda p: loss(truth["first"], p, sample_weight=np.zeros(8)), predicted["first"])
    np.testing.assert_array_equal(nothing, np.zeros((8, 4)))
    # Probabilities of exactly 0 and 1, where logarithms end.
    ends = np.float32(predicted["first"] > 0.5)
    value = loss(truth["first"], ends, sample_weight=np.zeros(8))
    assert float(value) == 0
    assert not gradient(lambda p: loss(truth["first"], p, sample_weight=np.zeros(8)), ends).any()


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kind", ["bce", "whml"])
def test_a_compiled_model_has_the_loss(kind, share, tmp_path):
    inputs = keras.Input((5,))
    outputs = {
        name: keras.layers.Dense(m, activation="sigmoid", name=name)(inputs) for name, m in LABELS.items()
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.0),
        loss={name: JointSystemLoss(INNER[kind](m)) for name, m in LABELS.items()},
        # Compiling by XLA takes seconds.
        jit_compile=share == "mixed" or keras.backend.backend() == "jax",
    )
    x = np.random.default_rng(1).normal(size=(8, 5)).astype("float32")
    truth, _ = batch()
    of = weights(SHARES[share])
    predicted = model.predict(x, verbose=0)
    expected = sum(
        of[name].sum() * alone(kind, truth[name], predicted[name], of[name]) for name in LABELS
    ) / 8  # fmt: skip
    trained = model.train_on_batch(x, truth, sample_weight=of)
    assert float(np.asarray(trained).reshape(-1)[0]) == pytest.approx(expected, rel=1e-5)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = loaded.evaluate(x, truth, sample_weight=of, batch_size=8, verbose=0)
    assert float(np.asarray(again).reshape(-1)[0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", INNER)
def test_settings_survive_json(kind):
    truth, predicted = batch()
    one = JointSystemLoss(INNER[kind](4), name="icd9cm_loss")
    again = keras.losses.deserialize(json.loads(json.dumps(keras.losses.serialize(one))))
    assert again.name == "icd9cm_loss"
    assert type(again.loss) is type(one.loss)
    assert again.loss.reduction == one.loss.reduction
    found = [float(loss(truth["first"], predicted["first"], sample_weight=OF_FIRST)) for loss in (one, again)]
    assert found[0] == found[1]


@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.binary_crossentropy, None])
def test_only_a_loss_is_taken(loss):
    with pytest.raises(InputError, match=r"must be a keras\.losses\.Loss. Received"):
        JointSystemLoss(loss)
