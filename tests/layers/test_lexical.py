"""Lexical channels: by hand, never below zero, and saved."""

import keras
import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.layers import LexicalLogits

SCORES = np.array([[1.0, 0.0, 0.5, 0.0, 1.0, 0.5], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]])


def test_by_hand():
    """Three labels in two channels; the first counts twice, the second thrice."""
    layer = LexicalLogits(2)
    assert np.asarray(layer(SCORES)).tolist() == [[5, 5, 5], [5, 0, 0]]
    layer.channel_weights.assign([2.0, 3.0])
    assert np.asarray(layer(SCORES)).tolist() == [[2, 3, 2.5], [3, 0, 0]]


def test_the_weights_are_learned_and_stay_above_zero(tmp_path):
    """Only the first channel tells; the second speaks for the wrong codes and would become negative."""
    rng = np.random.default_rng(0)
    truth = (rng.random((64, 3)) < 0.4).astype("float32")
    scores = np.hstack([2 * truth - 1, 1 - truth])
    model = keras.Sequential([keras.Input((6,)), LexicalLogits(2, initial_weight=0.5)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss=loss, jit_compile=False)
    model.fit(scores, truth, epochs=10, batch_size=16, verbose=0)
    learned = np.asarray(model.layers[0].channel_weights)
    assert learned[0] > 1
    assert learned[1] == 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(scores)), np.asarray(model(scores)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LexicalLogits(0), "channels must be at least 1"),
        (lambda: LexicalLogits(2, initial_weight=-1.0), "initial_weight must be 0 or more"),
        (lambda: LexicalLogits(2, initial_weight=float("nan")), "initial_weight must be 0 or more"),
        (lambda: LexicalLogits(4)(SCORES), "4 channels do not divide the 6 lexical scores"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
