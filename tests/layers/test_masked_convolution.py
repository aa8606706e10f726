"""A convolution over padding: as if there were none."""

import keras
import numpy as np
import pytest

from icd_relevancy.layers import MaskedConv1D
from tests.layers import attention_oracles as oracles


@pytest.mark.parametrize("width", [1, 2, 5])
def test_it_is_the_plain_convolution_of_the_words_alone(width):
    states, _ = oracles.notes(4)
    mask = (np.arange(7) < [[7], [4], [1]]).astype("int32")
    layer, plain = MaskedConv1D(3, width), keras.layers.Conv1D(3, width, padding="same")
    found = np.asarray(layer(*oracles.longer(states, mask)))
    plain.build((None, None, 4))
    plain.set_weights(layer.get_weights())
    for note, length, states_found in zip(states, mask.sum(axis=1), found, strict=True):
        expected = np.asarray(plain(note[None, :length]))[0]
        np.testing.assert_allclose(states_found[:length], expected, atol=1e-5)


def test_it_is_made_again_from_its_configuration():
    layer = MaskedConv1D(3, 5, activation="tanh", use_bias=False)
    again = MaskedConv1D.from_config(layer.get_config())
    assert (again.filters, again.kernel_size, again.use_bias, again.padding) == (3, (5,), False, "same")
    assert again.activation is keras.activations.tanh
