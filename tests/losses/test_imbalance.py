"""Losses against imbalance: weights by hand, against loops, and inside training."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import sparse

from icd_relevancy import InputError
from icd_relevancy.losses import (
    IRNW,
    IRW,
    FocalLoss,
    FocalWeightedCrossentropy,
    WeightedCrossentropy,
    imbalance_ratios,
    label_frequencies,
    level_weights,
    weighted_crossentropy,
)
from tests.losses import hierarchy_oracles as oracles

LABELS = 5
FREQUENCIES = np.array([0.5, 0.2, 0.05, 0.9, 0.001])
LOSSES = {
    "weights": lambda **options: WeightedCrossentropy([1, 2, 3, 0, 1.5], [1, 4, 2, 1, 0.5], **options),
    "irw": lambda **options: IRW(FREQUENCIES, cap=50, **options),
    "irnw": lambda **options: IRNW(FREQUENCIES, cap=50, **options),
    "focal": lambda **options: FocalLoss(gamma=2, **options),
    "balanced focal": lambda **options: FocalLoss(gamma=1.5, alpha=0.25, **options),
    "focal and weights": lambda **options: FocalWeightedCrossentropy(
        [1, 4, 2, 1, 0.5], [1, 2, 3, 0, 1.5], gamma=3, alpha=0.4, focal_weight=2, **options
    ),
    "focal, no balance": lambda **options: FocalWeightedCrossentropy(
        [1, 4, 2, 1, 0.5], alpha=None, **options
    ),
}
PLAIN = keras.backend.backend() == "jax"


def notes():
    rng = np.random.default_rng(0)
    return (rng.random((7, LABELS)) < 0.4).astype(float), rng.uniform(0.02, 0.98, (7, LABELS))


def value(loss, *arguments, **keywords):
    return float(ops.convert_to_numpy(loss(*arguments, **keywords)))


def by_loops(name, y_true, p):
    """One value a note."""
    ratio = [min(1 / f - 1, 50) for f in FREQUENCIES]
    losses = np.zeros(y_true.shape)
    for i, j in np.ndindex(y_true.shape):
        truth, t = y_true[i, j], p[i, j] if y_true[i, j] else 1 - p[i, j]
        scale = 1 / (1 + FREQUENCIES[j] * (ratio[j] - 1))
        positive = [1, 4, 2, 1, 0.5][j] if truth else 1
        weight = [1, 2, 3, 0, 1.5][j] * positive
        factor = {
            "weights": weight,
            "irw": ratio[j] if truth else 1,
            "irnw": scale * (ratio[j] if truth else 1),
            "focal": (1 - t) ** 2,
            "balanced focal": (1 - t) ** 1.5 * (0.25 if truth else 0.75),
            "focal and weights": weight + 2 * (0.4 if truth else 0.6) * (1 - t) ** 3,
            "focal, no balance": positive + (1 - t) ** 2,
        }[name]
        losses[i, j] = -factor * np.log(t)
    return losses.mean(axis=1)


@pytest.mark.parametrize("name", LOSSES)
def test_each_note_equals_the_formula(name):
    y_true, p = notes()
    expected = by_loops(name, y_true, p)
    for options, scores in (({}, p), ({"from_logits": True}, np.log(p / (1 - p)))):
        got = ops.convert_to_numpy(LOSSES[name](reduction=None, **options)(y_true, scores))
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert value(LOSSES[name](), y_true, p) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_equal_finite_differences(name):
    y_true, p = notes()
    loss = LOSSES[name]()
    got = oracles.gradient(lambda scores: loss(y_true, scores), p)
    expected = oracles.finite_differences(lambda scores: by_loops(name, y_true, scores).mean(), p)
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("predicted", [0.0, 1.0])
def test_gradients_of_certain_predictions_are_finite(name, predicted):
    y_true, p = notes()
    p[:] = predicted
    slopes = oracles.gradient(lambda scores: LOSSES[name]()(y_true, scores), p)
    assert np.isfinite(slopes).all()


def test_frequencies_are_shares_of_the_rows():
    labels = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 0]])
    for kind in (np.asarray, sparse.csr_matrix, sparse.coo_array, lambda a: a.astype(bool)):
        assert label_frequencies(kind(labels)).tolist() == [0.75, 0, 0.25]


def test_ratios_are_negatives_for_one_positive():
    """Of 200 notes 40, 1 and 200 carry the label."""
    assert imbalance_ratios(np.array([40, 1, 200]) / 200).tolist() == pytest.approx([4, 199, 1])
    assert imbalance_ratios([0.2, 0.005, 0.0], cap=100).tolist() == pytest.approx([4, 100, 100])


def test_irw_gives_positives_and_negatives_of_a_label_the_same_weight():
    labels = np.zeros((200, 2))
    labels[:40, 0] = labels[:7, 1] = 1
    weights = imbalance_ratios(label_frequencies(labels))
    np.testing.assert_allclose((labels * weights).sum(axis=0), (1 - labels).sum(axis=0))


def test_irnw_keeps_the_mean_weight_of_every_label_at_one():
    labels = np.zeros((200, 3))
    labels[:40, 0] = labels[:1, 1] = labels[:, 2] = 1
    loss = IRNW(label_frequencies(labels), cap=30)
    weights = np.where(labels == 1, loss.positive_weights, 1) * loss.label_weights
    np.testing.assert_allclose(weights.mean(axis=0), 1)


def test_levels_weigh_the_same_and_one_on_average():
    weights = level_weights([0, 1, 1, 2, 2, 2, 2, 2])
    assert weights.mean() == pytest.approx(1)
    assert weights[0] == pytest.approx(weights[1:3].sum()) == pytest.approx(weights[3:].sum())
    assert level_weights(["a", "b", "b"]).tolist() == [1.5, 0.75, 0.75]


def test_without_weights_it_is_the_cross_entropy():
    y_true, p = notes()
    expected = value(keras.losses.BinaryCrossentropy(), y_true, p)
    for loss in (WeightedCrossentropy(), IRW([0.5] * LABELS), IRNW([0.5] * LABELS), FocalLoss(gamma=0)):
        assert value(loss, y_true, p) == pytest.approx(expected, rel=1e-6)
    each = ops.convert_to_numpy(weighted_crossentropy(y_true, p))
    assert each.mean() == pytest.approx(expected, rel=1e-6)


def test_hmhans_loss_is_irw_and_the_balanced_focal_loss():
    y_true, p = notes()
    loss = FocalWeightedCrossentropy(imbalance_ratios(FREQUENCIES, cap=50))
    parts = value(LOSSES["irw"](), y_true, p) + value(FocalLoss(gamma=2, alpha=0.25), y_true, p)
    assert value(loss, y_true, p) == pytest.approx(parts, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: label_frequencies(np.zeros((0, 3))), "has no rows"),
        (lambda: IRW([0.5, 0.0]), "label 1 has no positive example; pass a cap"),
        (lambda: IRW([0.5, 1.5]), r"shares in \[0, 1\]. Received: label 1"),
        (lambda: IRNW([0.5, np.nan], cap=2), r"shares in \[0, 1\]. Received: label 1"),
        (lambda: IRNW([[0.5]]), r"Received: shape \(1, 1\)"),
        (lambda: IRW([0.5], cap=0), "cap must be above 0"),
        (lambda: IRW([0.5], cap=np.nan), "cap must be above 0"),
        (lambda: WeightedCrossentropy([1, -1]), "label_weights must be .* Received: -1.0 for label 1"),
        (lambda: WeightedCrossentropy(None, [np.inf]), "positive_weights must be .* Received: inf"),
        (lambda: WeightedCrossentropy([[1.0]]), r"Received: shape \(1, 1\)"),
        (lambda: FocalLoss(gamma=0.5), "gamma must be 0 or at least 1"),
        (lambda: FocalLoss(gamma=-1), "gamma must be 0 or at least 1"),
        (lambda: FocalLoss(alpha=1.5), r"alpha must lie in \[0, 1\]"),
        (lambda: FocalWeightedCrossentropy(gamma=0.5), "gamma must be 0 or at least 1"),
        (lambda: FocalWeightedCrossentropy(alpha=-1), r"alpha must lie in \[0, 1\]"),
        (lambda: FocalWeightedCrossentropy(focal_weight=-1), "focal_weight must be a number from 0"),
        (lambda: FocalWeightedCrossentropy([-1]), "positive_weights must be .* Received: -1.0 for label 0"),
        (lambda: FocalWeightedCrossentropy([1])(np.ones((2, 4)), np.ones((2, 4))), "for 1 labels"),
        (lambda: level_weights([]), "one level a label"),
        (lambda: IRW([0.5] * 3)(np.ones((2, 4)), np.ones((2, 4))), "for 3 labels. Received: 4 outputs"),
    ],
)
def test_what_is_out_of_range_is_refused(make, message):
    with pytest.raises(InputError, match=message) as refusal:
        make()
    assert "\n" not in str(refusal.value)


def network(loss, jit=PLAIN):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(LABELS, "sigmoid", dtype="float32")])
    model.compile(keras.optimizers.Adam(0.05), loss=loss, jit_compile=jit)
    return model


def batches():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(33, 4)).astype("float32")
    return x, (x @ rng.normal(size=(4, LABELS)) > 1).astype("float32")


@pytest.mark.parametrize(
    ("name", "policy", "jit"),
    [
        *((name, "float32", PLAIN) for name in LOSSES),
        *((name, "mixed_float16", True) for name in ("irnw", "focal", "focal and weights")),
    ],
)
def test_training_lowers_the_loss(name, policy, jit):
    keras.config.set_dtype_policy(policy)
    history = network(LOSSES[name](), jit).fit(*batches(), batch_size=11, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


@pytest.mark.parametrize("name", LOSSES)
def test_a_saved_model_has_the_same_loss(name, tmp_path):
    model = network(LOSSES[name]())
    model.fit(*batches(), epochs=1, verbose=0)
    before = model.evaluate(*batches(), batch_size=33, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(*batches(), batch_size=33, verbose=0) == pytest.approx(before, rel=1e-6)
    assert type(loaded.loss) is type(model.loss)
    assert loaded.loss.get_config() == model.loss.get_config()
    registered = keras.saving.get_registered_name(type(model.loss))
    assert registered == f"icd_relevancy>{type(model.loss).__name__}"
