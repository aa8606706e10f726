import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.encoding.token_states import RaggedStates, token_states
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


LENGTHS = np.array([3, 0, 5, 1, 4])


@pytest.fixture(scope="module")
def padded():
    values = np.random.default_rng(0).normal(size=(5, 5, 2)).astype(np.float16)
    return values * (np.arange(5) < LENGTHS[:, None])[..., None].astype(np.float16)


@pytest.fixture(scope="module")
def ragged(padded):
    kept = [rows[:length] for rows, length in zip(padded, LENGTHS, strict=True)]
    return RaggedStates(np.concatenate(kept), LENGTHS)


@pytest.mark.parametrize(
    "rows", [slice(None), slice(1, 4), [4, 0, 0], np.array([2]), np.array([], int), -LENGTHS > -3]
)
@pytest.mark.parametrize(
    "columns", [slice(None), slice(2), slice(1, 4), slice(4, 9), slice(3, 1), slice(0, 5, 2)]
)
def test_it_is_indexed_as_the_padded_array(ragged, padded, rows, columns):
    found = ragged[rows, columns]
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, padded[rows, columns])
    np.testing.assert_array_equal(ragged[rows][:, columns], padded[rows][:, columns])


def test_rows_alone_copy_nothing_and_keep_the_length(ragged, padded):
    taken = ragged[np.array([3, 0])]
    assert taken.shape == (2, 5, 2)
    assert taken._values is ragged._values
    np.testing.assert_array_equal(np.asarray(taken), padded[[3, 0]])
    np.testing.assert_array_equal(np.asarray(taken[[1]]), padded[[0]])
    assert np.asarray(taken, np.float32).dtype == np.float32


def test_it_is_as_large_as_its_tokens(ragged, padded):
    assert (ragged.shape, ragged.dtype, len(ragged)) == (padded.shape, padded.dtype, 5)
    assert ragged.nbytes == LENGTHS.sum() * 2 * 2


def test_values_that_are_not_one_a_token():
    with pytest.raises(ValueError, match=r"each of the 13 tokens. Received: shape \(12, 2\)"):
        RaggedStates(np.zeros((12, 2)), LENGTHS)
