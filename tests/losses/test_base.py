"""What every loss does alike: refused scores, logits, no notes, one line of settings; and steps on two replicas."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from tests.losses.every_loss import LABELS, LOSSES

REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", None]
# Those that take logits; an inner loss takes its own.
WITH_LOGITS = [name for name in LOSSES if not name.startswith("joint")]


def compiled(function):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)


def notes(count=5):
    rng = np.random.default_rng(0)
    y_true = (rng.random((count, LABELS)) < 0.5).astype("float32")
    return y_true, rng.uniform(0.05, 0.95, (count, LABELS)).astype("float32")


@pytest.mark.parametrize("wrong", [-0.01, 1.01, -5.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", LOSSES)
def test_scores_that_are_no_probabilities_are_refused(name, wrong):
    y_true, y_pred = notes()
    y_pred[3, 1] = wrong
    with pytest.raises(
        ValueError, match=r"`y_pred` must hold probabilities in \[0, 1\], or logits with from_logits"
    ):
        LOSSES[name]()(y_true, y_pred)


@pytest.mark.parametrize("wrong", [-1.0, 2.0, np.nan])
@pytest.mark.parametrize("name", LOSSES)
def test_labels_that_are_none_are_refused(name, wrong):
    y_true, y_pred = notes()
    y_true[0, 0] = wrong
    with pytest.raises(ValueError, match="`y_true` must hold the labels as 0 and 1"):
        LOSSES[name]()(y_true, y_pred)


@pytest.mark.parametrize("name", LOSSES)
def test_rounding_above_one_is_no_mistake(name):
    y_true, y_pred = notes()
    y_pred[0, 0] = np.nextafter(np.float32(1), np.float32(2))
    assert np.isfinite(float(LOSSES[name]()(y_true, y_pred)))


@pytest.mark.parametrize("name", LOSSES)
def test_compiled_code_refuses_nothing_and_hides_nothing(name):
    y_true, y_pred = notes()
    loss = LOSSES[name]()
    step = compiled(lambda y_true, y_pred: loss(y_true, y_pred))
    assert float(step(y_true, y_pred)) == pytest.approx(float(loss(y_true, y_pred)), rel=1e-5)
    y_true[0, 0], y_pred[0, 0] = 1, np.nan
    assert np.isnan(float(step(y_true, y_pred)))


@pytest.mark.parametrize("name", WITH_LOGITS)
def test_logits_cost_what_their_probabilities_do(name):
    y_true, y_pred = notes()
    logits = np.log(y_pred / (1 - y_pred))
    one = LOSSES[name](from_logits=True)
    assert float(one(y_true, logits)) == pytest.approx(float(LOSSES[name]()(y_true, y_pred)), rel=1e-5)
    again = keras.losses.deserialize(json.loads(json.dumps(keras.losses.serialize(one))))
    assert again.from_logits is True
    assert float(again(y_true, logits)) == float(one(y_true, logits))
    with pytest.raises(ValueError, match="`y_pred` must hold finite logits"):
        one(y_true, np.full_like(y_pred, np.nan))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_no_notes_cost_nothing(name, reduction):
    nothing = np.zeros((0, LABELS), "float32")
    loss = LOSSES[name]()
    loss.reduction = reduction
    for weights in (None, np.zeros(0, "float32")):
        found = ops.convert_to_numpy(loss(nothing, nothing, sample_weight=weights))
        # Without a reduction there is one value a note.
        assert found.shape == ((0,) if reduction is None and name in WITH_LOGITS else ())
        assert found.sum() == 0


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_tells_its_settings(name):
    text = repr(LOSSES[name](name="mine"))
    assert text.startswith(f"{type(LOSSES[name]()).__name__}(")
    assert "name='mine'" in text
    assert "object at" not in text
    if name == "whml":
        assert "alpha=0.25" in text
        assert "relevance=RelevanceGraph(3 codes" in text
        assert "harmonic_of='scores'" in text
        assert "from_logits=False" in text


def test_two_replicas_take_the_steps_of_one():
    """Keras adds the replicas' gradients up, so a mean over a replica's notes must be divided by their number."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.distribute is TensorFlow's")
    command = [sys.executable, "-m", "tests.losses.two_replicas"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = json.loads(done.stdout)
    assert {name.partition("/")[0] for name in steps} == {*LOSSES, "bce"}
    assert "whml/fit" in steps
    for name, (one, two) in steps.items():
        assert np.abs(one).max() > 1e-4, name
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-7, err_msg=name)
