"""What reads a note without its padding: as if there were none."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy.layers import MaskedConv1D, TokenMean
from tests.layers import attention_oracles as oracles


def test_the_mean_is_that_of_the_unmasked_tokens():
    states = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]])
    expected = [note[tokens == 1].mean(axis=0) for note, tokens in zip(states, mask, strict=True)]
    np.testing.assert_allclose(ops.convert_to_numpy(TokenMean()(states, mask)), expected, rtol=1e-6)


def test_a_note_without_tokens_is_zero():
    mean = TokenMean()(np.ones((1, 4, 3)), np.zeros((1, 4), "int32"))
    assert ops.convert_to_numpy(mean).tolist() == [[0, 0, 0]]


def test_a_long_note_has_its_mean_in_half_precision():
    """The sum of 1,000 tokens of 100 is beyond float16."""
    mean = TokenMean(dtype="mixed_float16")(np.full((1, 1000, 2), 100.0), np.ones((1, 1000)))
    assert keras.backend.standardize_dtype(mean.dtype) == "float16"
    assert ops.convert_to_numpy(mean).tolist() == [[100, 100]]


def test_the_mean_is_saved(tmp_path):
    states, mask = keras.Input((None, 3)), keras.Input((None,), dtype="int32")
    model = keras.Model([states, mask], TokenMean()(states, mask))
    x = [np.random.default_rng(0).normal(size=(2, 5, 3)), np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_convolution_is_the_plain_one_of_the_words_alone(width):
    states, _ = oracles.notes(4)
    mask = (np.arange(7) < [[7], [4], [1]]).astype("int32")
    layer, plain = MaskedConv1D(3, width), keras.layers.Conv1D(3, width, padding="same")
    convolved = ops.convert_to_numpy(layer(*oracles.longer(states, mask)))
    plain.build((None, None, 4))
    plain.set_weights(layer.get_weights())
    for note, length, masked in zip(states, mask.sum(axis=1), convolved, strict=True):
        expected = ops.convert_to_numpy(plain(note[None, :length]))[0]
        np.testing.assert_allclose(masked[:length], expected, atol=1e-5)


def test_the_convolution_is_made_again_from_its_configuration():
    layer = MaskedConv1D(3, 5, activation="tanh", use_bias=False)
    again = MaskedConv1D.from_config(layer.get_config())
    assert (again.filters, again.kernel_size, again.use_bias, again.padding) == (3, (5,), False, "same")
    assert again.activation is keras.activations.tanh
