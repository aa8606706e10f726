import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.encoding.token_states import token_states
from icd_relevancy.fitting.batches import feature_rows, note_batches
from icd_relevancy.layers import TransformerEncoder

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
    for states, mask, alone in zip(
        np.asarray(found["states"]), found["attention_mask"], expected, strict=True
    ):
        assert mask.sum() == len(alone)
        np.testing.assert_allclose(states[: len(alone)], alone, atol=2e-3)
        assert not states[len(alone) :].any()


def test_a_pooling_encoder_is_refused(encoder_folder):
    with pytest.raises(ValueError, match="return_sequence=True"):
        token_states(TEXTS, TransformerEncoder(encoder_folder, max_length=16))


def test_no_texts(encoder):
    found = token_states([], encoder)
    assert found["states"].shape == (0, 0, encoder.dimension)


def test_long_texts_in_chunks_without_their_padding(encoder_folder):
    layer = TransformerEncoder(encoder_folder, max_length=100, chunk_length=16, return_sequence=True)
    texts = ["right renal pain, no cough. " * 12, *TEXTS]
    found = token_states(texts, layer)
    lengths = found["attention_mask"].sum(axis=1)
    assert lengths[0] == found["states"].shape[1] == 86
    assert found["states"].nbytes == lengths.sum() * layer.dimension * 2
    for row, text in enumerate(texts):
        alone = np.asarray(layer(layer.tokenize([text])))[0]
        np.testing.assert_allclose(found["states"][[row], : lengths[row]][0], alone, atol=2e-3)


def test_a_batch_is_cut_to_its_longest_text(encoder, expected):
    found = token_states(TEXTS, encoder)
    taken = feature_rows(found, [2, 0])
    assert taken["states"].shape == (2, len(expected[0]), 8)
    np.testing.assert_allclose(taken["states"][0, : len(expected[2])], expected[2], atol=2e-3)
    np.testing.assert_allclose(taken["states"][1], expected[0], atol=2e-3)
    np.testing.assert_array_equal(taken["attention_mask"].sum(axis=1), [len(expected[2]), len(expected[0])])


def test_a_model_trains_on_them_as_on_the_padded_array(encoder):
    labels = sparse.csr_matrix([[1], [0], [1], [0]])
    found = token_states(TEXTS, encoder)
    padded = {name: np.asarray(array) for name, array in found.items()}
    for one, other in zip(note_batches(found, labels, 2, 0), note_batches(padded, labels, 2, 0), strict=True):
        for name in padded:
            np.testing.assert_array_equal(one[0][name], other[0][name])
