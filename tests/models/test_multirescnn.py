"""MultiResCNN against its equations, and its batch normalisation over words alone."""

import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.models import multirescnn_body
from tests.models import backbone_oracles as oracles


def block(body, number, words, mask):
    """The states of one width, by loops; without batch normalisation the convolutions have a bias."""

    def convolved(states, name):
        weights = body.get_layer(f"{name}_{number}").get_weights()
        outputs = oracles.convolution(states, mask, *weights)
        if len(weights) == 2:
            return outputs
        return oracles.normalized(outputs, *body.get_layer(f"{name}_normalization_{number}").get_weights())

    states = np.tanh(convolved(words, "convolution"))
    return np.tanh(convolved(np.tanh(convolved(states, "inner")), "outer") + convolved(states, "shortcut"))


@pytest.mark.parametrize("options", [{}, {"batch_normalization": False}, {"inner_filters": 3}])
def test_it_equals_its_equations(options):
    model = oracles.made("multirescnn", **options)
    body, rng = model.get_layer("multirescnn_body"), np.random.default_rng(2)
    for layer in body.layers:
        if "normalization" in layer.name:
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    x, _ = oracles.notes(6)
    (embeddings,) = body.get_layer("embedding").get_weights()
    states = np.array(
        [
            np.hstack([block(body, number, embeddings[ids], mask) for number in (1, 2)])
            for ids, mask in zip(x["input_ids"], x["attention_mask"], strict=True)
        ]
    )
    mask = x["attention_mask"]
    np.testing.assert_allclose(oracles.states_of(model, x), states * mask[..., None], atol=1e-5)
    np.testing.assert_allclose(
        oracles.probabilities(model, x), oracles.from_states(model, states, mask), atol=1e-5
    )
    inner = body.get_layer("convolution_2").filters
    assert inner == options.get("inner_filters", oracles.SIZE)


def test_padding_changes_nothing_while_training():
    """The statistics of a batch are those of its words."""
    x, _ = oracles.notes()
    found = []
    for batch in (x, oracles.padded(x)):
        body = oracles.made("multirescnn").get_layer("multirescnn_body")
        states = np.asarray(body(batch, training=True))[:, : oracles.LENGTH]
        moving = [w for layer in body.layers if "normalization" in layer.name for w in layer.get_weights()]
        found.append([states * x["attention_mask"][..., None], *moving])
    for before, after in zip(*found, strict=True):
        np.testing.assert_allclose(after, before, atol=2e-6)


def test_the_moving_mean_is_that_of_the_words():
    body, (x, _) = oracles.made("multirescnn").get_layer("multirescnn_body"), oracles.notes()
    (embeddings,) = body.get_layer("embedding").get_weights()
    first = body.get_layer("convolution_1").get_weights()
    (shortcut,) = body.get_layer("shortcut_1").get_weights()
    words = []
    for ids, mask in zip(x["input_ids"], x["attention_mask"], strict=True):
        states = np.tanh(oracles.convolution(embeddings[ids], mask, *first))
        words.extend(oracles.convolution(states, mask, shortcut)[mask == 1])
    body(x, training=True)
    moving = body.get_layer("shortcut_normalization_1").moving_mean
    np.testing.assert_allclose(np.asarray(moving), 0.1 * np.mean(words, axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": ()}, r"widths must be one or more numbers from 1. Received: widths=\(\)"),
        ({"widths": (3, 0)}, r"Received: widths=\(3, 0\)"),
        ({"filters": 0}, "filters must be at least 1"),
        ({"inner_filters": 0}, "inner_filters must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        multirescnn_body(vocabulary_size=9, embedding_size=4, **options)
