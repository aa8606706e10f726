import numpy as np
import pytest

from icd_relevancy.encoding.token_states import RaggedStates

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
