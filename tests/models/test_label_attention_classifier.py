"""The head that all backbones share: what is added to its logits, and bodies that do not fit."""

import keras
import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.models import caml_body, head_of, label_attention_classifier, note_classifier
from tests.models import backbone_oracles as oracles

LABELS = oracles.LABELS


def body():
    keras.utils.set_random_seed(0)
    return caml_body(vocabulary_size=oracles.WORDS, embedding_size=oracles.SIZE, filters=5, dropout=0.0)


def logit(p):
    return np.log(p / (1 - p))


def test_words_and_lexical_scores_are_added_to_the_logits():
    rng, (x, _) = np.random.default_rng(0), oracles.notes(6)
    model = label_attention_classifier(body(), LABELS, bag_of_words_size=3, lexical_channels=2)
    words, scores = rng.random((6, 3)), rng.random((6, 2 * LABELS))
    plain = from_words(model, x, 0 * words, 0 * scores)
    np.testing.assert_allclose(from_words(model, x, words, 0 * scores), plain, atol=1e-6)
    # Both channels start from a weight of 5.
    expected = plain + 5 * (scores[:, :LABELS] + scores[:, LABELS:])
    np.testing.assert_allclose(from_words(model, x, words, scores), expected, atol=1e-4)
    kernel = rng.normal(size=(3, LABELS))
    head_of(model).get_layer("bag_of_words_logits").set_weights([kernel])
    head_of(model).get_layer("lexical_logits").set_weights([np.array([0.5, 2.0])])
    expected = plain + words @ kernel + 0.5 * scores[:, :LABELS] + 2 * scores[:, LABELS:]
    np.testing.assert_allclose(from_words(model, x, words, scores), expected, atol=1e-4)


def from_words(model, x, words, scores):
    return logit(oracles.probabilities(model, {**x, "bag_of_words": words, "lexical": scores}))


@pytest.mark.parametrize("dim", [None, 7])
def test_queries_start_from_titles(dim):
    titles = np.random.default_rng(1).normal(size=(LABELS, 5))
    layer = head_of(label_attention_classifier(body(), LABELS, dim, titles)).get_layer("attention")
    expected = titles if dim is None else np.tanh(titles @ np.asarray(layer.projection))
    np.testing.assert_allclose(np.asarray(layer.queries), expected, atol=1e-6)


def test_dropout_is_of_the_token_states():
    x, _ = oracles.notes(6)
    model = label_attention_classifier(body(), LABELS, dropout=0.5)
    first = oracles.probabilities(model, x)
    np.testing.assert_array_equal(oracles.probabilities(model, x), first)
    while_training = np.asarray(model(x, training=True))
    assert np.abs(while_training - first)[:-1].max() > 1e-3
    # A note without words has no states to drop.
    np.testing.assert_array_equal(while_training[-1], first[-1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: label_attention_classifier(body(), 0), "labels must be at least 1"),
        (lambda: label_attention_classifier(body(), 3, 0), "attention_dim must be at least 1"),
        (lambda: label_attention_classifier(body(), 3, lexical_channels=0), "lexical_channels must be at"),
        (lambda: label_attention_classifier(body(), 3, bag_of_words_size=0), "bag_of_words_size must be at"),
        (lambda: label_attention_classifier(body(), 3, dropout=-0.1), r"dropout must be in \[0, 1\)"),
        (lambda: label_attention_classifier(body(), 3, None, np.ones((2, 5))), "must be 3 finite rows"),
        (
            lambda: label_attention_classifier(body(), 3, 4, np.ones((3, 6))),
            "6 dimensions, the token states 5",
        ),
        (lambda: label_attention_classifier(note_classifier(3, 4), 3), "note_classifier is no body"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InputError, match=message) as refusal:
        make()
    assert "\n" not in str(refusal.value)
