import numpy as np
import pytest

from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.layers.token_states import token_states

TEXTS = ["cough fever.", "no acute chest pain, left renal pain.", "fever", "right renal pain, no cough"]


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return TransformerEncoder(encoder_folder, max_length=16, return_sequence=True)


@pytest.fixture(scope="module")
def expected(encoder):
    """Each text alone, so without padding."""
    return [np.asarray(encoder(encoder.tokenize([text])))[0] for text in TEXTS]


def test_every_tokens_vector_and_zero_for_padding(encoder, expected):
    found = token_states(TEXTS, encoder)
    assert found["states"].dtype == np.float16
    for states, mask, alone in zip(np.asarray(found["states"]), found["attention_mask"], expected, strict=True):
        assert mask.sum() == len(alone)
        np.testing.assert_allclose(states[: len(alone)], alone, atol=2e-3)
        assert not states[len(alone) :].any()


def test_a_pooling_encoder_is_refused(encoder_folder):
    with pytest.raises(ValueError, match="return_sequence=True"):
        token_states(TEXTS, TransformerEncoder(encoder_folder, max_length=16))


def test_no_texts(encoder):
    found = token_states([], encoder)
    assert found["states"].shape == (0, 0, encoder.dimension)
