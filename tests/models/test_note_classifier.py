import keras
import numpy as np
import pytest

from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import note_classifier


def test_from_embeddings_is_one_sigmoid_layer():
    model = note_classifier(labels=4, embedding_size=3)
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    weights, bias = model.get_weights()
    assert weights.shape == (3, 4)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), 1 / (1 + np.exp(-(x @ weights + bias))), rtol=1e-5
    )


def test_from_tokens_equals_from_embeddings(miniature_encoder):
    encoder = TransformerEncoder(miniature_encoder, max_length=16)
    tokens = encoder.tokenize(["patient with cough", "fever"])
    whole = note_classifier(labels=4, encoder=encoder)
    head = note_classifier(labels=4, embedding_size=encoder.dimension)
    head.set_weights(whole.get_layer("codes").get_weights())
    np.testing.assert_allclose(
        whole.predict(tokens, verbose=0),
        head.predict(np.asarray(encoder(tokens)), verbose=0),
        rtol=1e-4,
        atol=1e-6,
    )


def test_probabilities_are_float32_under_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = note_classifier(labels=4, embedding_size=3)
        assert model.predict(np.ones((1, 3)), verbose=0).dtype == np.float32
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_save_and_load(tmp_path):
    model = note_classifier(labels=2, embedding_size=3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("given", [{}, {"embedding_size": 3, "encoder": object()}])
def test_exactly_one_input(given):
    with pytest.raises(ValueError, match="exactly one"):
        note_classifier(labels=2, **given)
