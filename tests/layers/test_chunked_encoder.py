"""Notes longer than the encoder's positions: chunk by chunk, whatever stands behind them."""

import keras
import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.layers import ChunkedEncoder, TransformerEncoder
from tests.layers.miniature_encoder import VOCABULARY


@pytest.fixture
def encoder(encoder_folder):
    return TransformerEncoder(encoder_folder, max_length=16, return_sequence=True)


def tokens(length, lengths):
    rng = np.random.default_rng(0)
    mask = (np.arange(length) < np.array(lengths)[:, None]).astype("int32")
    return {
        "input_ids": rng.integers(5, len(VOCABULARY), mask.shape).astype("int32") * mask,
        "attention_mask": mask,
    }


@pytest.mark.parametrize("length", [100, 96, 20])
def test_each_chunk_is_read_alone(encoder, length):
    """100 tokens are beyond the miniature's 64 positions."""
    x = tokens(length, (length, 10))
    states = np.asarray(ChunkedEncoder(encoder, chunk_length=32)(x))
    assert states.shape == (2, length, 8)
    for start in range(0, length, 32):
        chunk = {name: array[:1, start : start + 32] for name, array in x.items()}
        expected = np.asarray(encoder(chunk))
        np.testing.assert_allclose(states[:1, start : start + 32], expected, atol=1e-5)


def test_padding_changes_nothing(encoder):
    layer, x = ChunkedEncoder(encoder, chunk_length=32), tokens(40, (40, 33))
    longer = {name: np.pad(array, ((0, 0), (0, 70))) for name, array in x.items()}
    before, after = np.asarray(layer(x)), np.asarray(layer(longer))
    np.testing.assert_allclose(
        after[:, :40][x["attention_mask"] == 1], before[x["attention_mask"] == 1], atol=1e-5
    )
    assert np.isfinite(after).all()


@pytest.mark.parametrize("trainable", [False, True])
def test_it_is_saved_and_trains_where_it_is_to(encoder, trainable, tmp_path):
    encoder.trainable = trainable
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
    }
    pooled = keras.layers.GlobalAveragePooling1D()(ChunkedEncoder(encoder, 32)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(pooled))
    before = encoder.fingerprint()
    model.compile(keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
    x = tokens(40, (40, 40))
    model.fit(x, np.array([[1.0], [0.0]]), verbose=0)
    assert (encoder.fingerprint() != before) == trainable
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(x)), np.asarray(model(x)))


def test_what_does_not_fit_is_refused(encoder, encoder_folder):
    for make, message in [
        (lambda: ChunkedEncoder(encoder, 0), "chunk_length must be at least 1"),
        (lambda: ChunkedEncoder(encoder, 65), "64 positions. Received: chunk_length=65"),
        (lambda: ChunkedEncoder(TransformerEncoder(encoder_folder, max_length=16)), "return_sequence=True"),
    ]:
        with pytest.raises(InputError, match=message):
            make()
