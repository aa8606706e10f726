"""The losses and the regulariser along the hierarchy: against loops, hand-worked notes and finite differences."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import InputError
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.losses import HierL2, MCLoss, TreeMin, level_weights, mc_loss, tree_min
from tests.losses import hierarchy_oracles as oracles

PARENTS = oracles.forest(10, seed=5)
LOSSES = {MCLoss: oracles.mc_loss, TreeMin: oracles.tree_min}
FUNCTIONS = {mc_loss: oracles.mc_loss, tree_min: oracles.tree_min}
# Keras compiles by XLA where it can; only the tests about XLA pay for that (JAX needs it for any speed).
PLAIN = keras.backend.backend() == "jax"


@pytest.fixture
def hierarchy():
    return Hierarchy(PARENTS)


@pytest.fixture(params=LOSSES)
def loss(request):
    return request.param


def notes(parents=PARENTS, count=6, seed=0, complete=True):
    """True labels, with all their ancestors where they are complete, and scores without ties."""
    rng = np.random.default_rng(seed)
    y_true = (rng.random((count, len(parents))) < 0.2).astype(float)
    y_true[0] = 0
    if complete:
        y_true = oracles.roll_up(parents, y_true)
    return y_true, oracles.distinct(y_true.shape, seed)


def value(loss, *arguments, **keywords):
    return float(ops.convert_to_numpy(loss(*arguments, **keywords)))


def logit(p):
    return np.log(p / (1 - p))


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("kind", oracles.FORESTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_note_equals_the_formula(function, kind, complete):
    parents = oracles.FORESTS[kind]
    y_true, p = notes(parents, complete=complete)
    expected = FUNCTIONS[function](parents, y_true, p)
    got = ops.convert_to_numpy(function(y_true, p.astype("float32"), Hierarchy(parents)))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    scores = logit(p).astype("float32")
    got = ops.convert_to_numpy(function(y_true, scores, Hierarchy(parents), from_logits=True))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_mc_loss_by_hand():
    """Chapter with a true and a wrong child: the wrong one's 0.9 must not speak for the true chapter."""
    loss = MCLoss(Hierarchy([-1, 0, 0]))
    expected = -(np.log(0.3) + np.log(1 - 0.9) + np.log(0.3)) / 3
    assert value(loss, [[1.0, 0.0, 1.0]], [[0.2, 0.9, 0.3]]) == pytest.approx(expected, rel=1e-6)
    # The wrong chapter is held for as probable as its most probable child.
    expected = -2 * np.log(1 - 0.9) / 3 - np.log(1 - 0.3) / 3
    assert value(loss, [[0.0, 0.0, 0.0]], [[0.2, 0.9, 0.3]]) == pytest.approx(expected, rel=1e-6)


def test_tree_min_by_hand():
    """A true child is held for no more probable than its chapter."""
    loss = TreeMin(Hierarchy([-1, 0, 0]))
    expected = -(np.log(0.2) + np.log(1 - 0.9) + np.log(0.2)) / 3
    assert value(loss, [[1.0, 0.0, 1.0]], [[0.2, 0.9, 0.3]]) == pytest.approx(expected, rel=1e-6)


def test_of_roots_alone_it_is_the_cross_entropy(loss):
    y_true, p = notes([-1] * 6)
    expected = value(keras.losses.BinaryCrossentropy(), y_true, p)
    assert value(loss(Hierarchy([-1] * 6)), y_true, p) == pytest.approx(expected, rel=1e-6)


def test_consistent_probabilities_cost_the_cross_entropy(hierarchy):
    """Where the true children already are the most probable ones, no maximum or minimum changes anything."""
    y_true, _ = notes()
    p = np.where(y_true == 1, 0.8, 0.1)
    expected = value(keras.losses.BinaryCrossentropy(), y_true, p)
    for loss in LOSSES:
        assert value(loss(hierarchy), y_true, p) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("from_logits", "complete"), [(False, True), (True, False)])
def test_gradients_equal_finite_differences(loss, hierarchy, from_logits, complete):
    y_true, p = notes(count=3, complete=complete)
    weights = level_weights(hierarchy.levels)
    at = logit(p) if from_logits else p

    def oracle(scores):
        p = 1 / (1 + np.exp(-scores)) if from_logits else scores
        y = y_true
        # Weights are outside the formula of the loops: one label after the other shows them.
        rolled = {
            MCLoss: np.where(
                y == 1, oracles.roll_up(PARENTS, np.where(y == 1, p, 0)), oracles.roll_up(PARENTS, p)
            ),
            TreeMin: np.where(y == 1, oracles.roll_down(PARENTS, p), oracles.roll_up(PARENTS, p)),
        }[loss]
        return -((y * np.log(rolled) + (1 - y) * np.log(1 - rolled)) * weights).mean()

    ours = loss(hierarchy, from_logits=from_logits, label_weights=weights)
    assert value(ours, y_true, at) == pytest.approx(oracle(at), rel=1e-5)
    got = oracles.gradient(lambda scores: ours(y_true, scores), at)
    np.testing.assert_allclose(got, oracles.finite_differences(oracle, at), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("true", ["none", "all"])
@pytest.mark.parametrize("predicted", [0.0, 1.0])
def test_losses_and_gradients_are_finite_everywhere(loss, hierarchy, true, predicted):
    y_true = np.full((2, len(PARENTS)), float(true == "all"))
    p = np.full_like(y_true, predicted)
    assert np.isfinite(value(loss(hierarchy), y_true, p))
    assert np.isfinite(oracles.gradient(lambda scores: loss(hierarchy)(y_true, scores), p)).all()
    logits = loss(hierarchy, from_logits=True)
    scores = (p - 0.5) * 200
    assert np.isfinite(value(logits, y_true, scores))
    slopes = oracles.gradient(lambda scores: logits(y_true, scores), scores)
    assert np.isfinite(slopes).all()
    if (true == "all") != (predicted > 0):
        assert abs(slopes).sum() > 0.1  # a logit that is certain and wrong still learns


def test_half_precision_is_summed_in_single(loss, hierarchy):
    y_true, p = notes()
    expected = LOSSES[loss](PARENTS, y_true, p).mean()
    got = loss(hierarchy)(y_true, ops.cast(p, "float16"))
    assert keras.backend.standardize_dtype(got.dtype) == "float32"
    assert float(got) == pytest.approx(expected, rel=2e-3)


def test_sample_weights_weigh_the_notes(loss, hierarchy):
    y_true, p = notes()
    weight = np.arange(len(p), dtype=float)
    expected = (LOSSES[loss](PARENTS, y_true, p) * weight).mean()
    assert value(loss(hierarchy), y_true, p, sample_weight=weight) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_weights": [1.0, 2.0]}, "label_weights has 2 entries; the hierarchy 10"),
        ({"label_weights": [-1.0] * 10}, "finite numbers from 0. Received: -1.0 for label 0"),
    ],
)
def test_weights_that_do_not_fit_are_refused(loss, hierarchy, options, message):
    with pytest.raises(InputError, match=message):
        loss(hierarchy, **options)


def test_predictions_of_another_width_are_refused(loss, hierarchy):
    with pytest.raises(InputError, match=r"for 10 labels\. Received: 3 outputs"):
        loss(hierarchy)(np.zeros((2, 3)), np.zeros((2, 3)))


def network(loss, regularizer=None, jit=PLAIN):
    keras.utils.set_random_seed(0)
    outputs = keras.layers.Dense(
        len(PARENTS), "sigmoid", kernel_regularizer=regularizer, bias_regularizer=regularizer, dtype="float32"
    )
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), outputs])
    model.compile(keras.optimizers.Adam(0.05), loss=loss, jit_compile=jit)
    return model


def batches():
    y_true, _ = notes(count=33)
    return np.random.default_rng(1).normal(size=(33, 5)).astype("float32"), y_true.astype("float32")


@pytest.mark.parametrize(("policy", "jit", "count"), [("float32", PLAIN, 33), ("mixed_float16", True, 32)])
def test_training_lowers_the_loss(loss, hierarchy, policy, jit, count):
    keras.config.set_dtype_policy(policy)
    model = network(loss(hierarchy), HierL2(hierarchy, 1e-4), jit)
    x, y = batches()
    history = model.fit(x[:count], y[:count], batch_size=16, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


def test_a_saved_model_has_the_same_loss_and_penalty(loss, tmp_path):
    hierarchy = Hierarchy(PARENTS, names=[f"C{label}" for label in range(len(PARENTS))])
    weights = level_weights(hierarchy.levels)
    model = network(loss(hierarchy, label_weights=weights), HierL2(hierarchy, 0.01))
    model.fit(*batches(), epochs=1, verbose=0)
    before = model.evaluate(*batches(), batch_size=33, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(*batches(), batch_size=33, verbose=0) == pytest.approx(before, rel=1e-6)
    assert type(loaded.loss) is loss
    assert loaded.loss.hierarchy == hierarchy
    assert keras.saving.get_registered_name(loss) == f"icd_relevancy>{loss.__name__}"


@pytest.mark.parametrize("kind", oracles.FORESTS)
def test_hier_l2_equals_the_sum_over_the_edges(kind):
    parents = oracles.FORESTS[kind]
    rng = np.random.default_rng(0)
    penalty = HierL2(Hierarchy(parents), strength=0.3)
    for weights in (rng.normal(size=(4, len(parents))), rng.normal(size=len(parents))):
        expected = oracles.hier_l2(parents, weights, 0.3)
        assert value(penalty, weights.astype("float32")) == pytest.approx(expected, rel=1e-5)
        got = oracles.gradient(penalty, weights)
        slopes = oracles.finite_differences(lambda w: oracles.hier_l2(parents, w, 0.3), weights)
        np.testing.assert_allclose(got, slopes, rtol=1e-3, atol=1e-5)


def test_hier_l2_counts_kernel_and_bias_of_the_output_layer(hierarchy):
    model = network("binary_crossentropy", HierL2(hierarchy, 0.5))
    kernel, bias = model.layers[-1].get_weights()
    bias = np.random.default_rng(2).normal(size=bias.shape)
    model.layers[-1].set_weights([kernel, bias])
    together = np.vstack([kernel, bias])
    assert float(sum(model.losses)) == pytest.approx(oracles.hier_l2(PARENTS, together, 0.5), rel=1e-5)


def test_a_strong_hier_l2_brings_children_to_their_parents(hierarchy):
    apart = []
    for strength in (0.0, 1.0):
        model = network("binary_crossentropy", HierL2(hierarchy, strength))
        model.fit(*batches(), batch_size=16, epochs=20, verbose=0)
        apart.append(oracles.hier_l2(PARENTS, np.vstack(model.layers[-1].get_weights()), 1.0))
    assert apart[1] < apart[0] / 10


@pytest.mark.parametrize("strength", [-1.0, np.nan, np.inf])
def test_hier_l2_refuses_a_strength_out_of_range(hierarchy, strength):
    with pytest.raises(InputError, match="strength must be a finite number from 0"):
        HierL2(hierarchy, strength)


def test_hier_l2_refuses_a_layer_of_another_width(hierarchy):
    with pytest.raises(InputError, match=r"for 10 labels\. Received: 3 outputs"):
        HierL2(hierarchy, 1.0)(np.zeros((4, 3)))
