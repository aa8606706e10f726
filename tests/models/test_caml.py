"""CAML against its equations."""

import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.models import caml_body
from tests.models import backbone_oracles as oracles


@pytest.mark.parametrize("width", [1, 4, 5])
def test_it_equals_its_equations(width):
    model = oracles.made("caml", width=width)
    x, _ = oracles.notes(6)
    body = model.get_layer("caml_body")
    (embeddings,) = body.get_layer("embedding").get_weights()
    kernel, bias = body.get_layer("convolution").get_weights()
    states = np.array(
        [
            np.tanh(oracles.convolution(embeddings[ids], mask, kernel, bias))
            for ids, mask in zip(x["input_ids"], x["attention_mask"], strict=True)
        ]
    )
    mask = x["attention_mask"]
    np.testing.assert_allclose(oracles.states_of(model, x), states * mask[..., None], atol=1e-5)
    np.testing.assert_allclose(
        oracles.probabilities(model, x), oracles.from_states(model, states, mask), atol=1e-5
    )


def test_a_convolution_by_hand():
    """One word vector a word: tanh of the sum over a word and its neighbours."""
    body = caml_body(embeddings=[[0.0], [0.1], [0.2], [0.4]], filters=1, width=3, dropout=0.0)
    body.get_layer("convolution").set_weights([np.ones((3, 1, 1)), np.zeros(1)])
    x = {"input_ids": np.array([[1, 2, 3, 3]]), "attention_mask": np.array([[1, 1, 1, 0]])}
    np.testing.assert_allclose(np.asarray(body(x))[0, :3, 0], np.tanh([0.3, 0.7, 0.6]), rtol=1e-6)


@pytest.mark.parametrize("size", ["filters", "width"])
def test_a_size_of_zero_is_refused(size):
    with pytest.raises(InputError, match=f"{size} must be at least 1"):
        caml_body(vocabulary_size=9, embedding_size=4, **{size: 0})
