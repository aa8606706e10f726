import json
import shutil

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy.encoding import encoder as module
from icd_relevancy.encoding.encoder import _in_chunks, _joined
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder

TEXTS = ["cough fever.", "no acute chest pain, left renal pain."]


@pytest.fixture
def encoder(encoder_folder):
    return TransformerEncoder(encoder_folder, max_length=32)


def _classifier(encoder, dtype=None):
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
    }
    outputs = keras.layers.Dense(1, activation="sigmoid", dtype="float32")(encoder(inputs))
    return keras.Model(inputs, outputs)


def _embedding_table(encoder):
    return next(v for v in encoder.variables if v.shape == (17, 8))


def test_tracks_every_variable_but_the_poolers(encoder):
    # Embeddings 3 + 2 of layer norm; each of 2 layers 8 of attention, 4 feed-forward, 4 of layer norm.
    assert len(encoder.weights) == 5 + 2 * 16
    assert encoder.trainable_variables == []
    encoder.trainable = True
    assert len(encoder.trainable_variables) == 37
    # Word, position and token-type rows; two norms; per layer 4 projections and two feed-forward matrices.
    expected = (17 + 64 + 2) * 8 + 16 + 2 * (4 * (64 + 8) + 8 * 16 + 16 + 16 * 8 + 8 + 2 * 16)
    assert encoder.count_params() == expected


def test_variables_share_storage_with_the_transformer(encoder):
    tokens = encoder.tokenize(TEXTS)
    before = ops.convert_to_numpy(encoder(tokens))
    for variable in encoder.weights:
        variable.assign(variable.value * 0.5)
    assert np.abs(ops.convert_to_numpy(encoder(tokens)) - before).max() > 1e-3


def test_mean_pooling_is_the_mean_of_unmasked_tokens(encoder_folder):
    states_of = TransformerEncoder(encoder_folder, max_length=32, return_sequence=True)
    tokens = states_of.tokenize(TEXTS)
    states = ops.convert_to_numpy(states_of(tokens))
    assert states.shape == (*tokens["input_ids"].shape, 8)
    mean = TransformerEncoder(encoder_folder, max_length=32)
    lengths = tokens["attention_mask"].sum(axis=1)
    assert lengths[0] < lengths[1]
    expected = [state[:length].mean(axis=0) for state, length in zip(states, lengths, strict=True)]
    np.testing.assert_allclose(mean(tokens), expected, atol=1e-6)
    first = TransformerEncoder(encoder_folder, max_length=32, pooling="cls")
    np.testing.assert_allclose(first(tokens), states[:, 0], atol=1e-6)


def test_padding_changes_nothing(encoder):
    tokens = encoder.tokenize(TEXTS)
    padded = {name: np.pad(array, ((0, 0), (0, 9))) for name, array in tokens.items()}
    np.testing.assert_allclose(encoder(padded), encoder(tokens), atol=1e-6)
    np.testing.assert_allclose(encoder.encode(**padded), encoder(tokens), atol=1e-6)
    np.testing.assert_allclose(encoder((tokens["input_ids"], tokens["attention_mask"])), encoder(tokens))


def test_a_text_without_tokens_has_a_finite_vector(encoder):
    empty = np.zeros((1, 4), "int32")
    assert np.isfinite(ops.convert_to_numpy(encoder((empty, empty)))).all()


def test_tokenize_cuts_and_lowercases(encoder_folder):
    # [CLS] cough [SEP]; the vocabulary holds "cough" (5) and "Cough" (7).
    def ids(lowercase):
        layer = TransformerEncoder(encoder_folder, max_length=4, lowercase=lowercase)
        return layer.tokenize(["Cough", "cough cough cough cough"])["input_ids"].tolist()

    assert ids(None) == [[2, 5, 3, 0], [2, 5, 5, 3]]
    assert ids(True) == ids(None)
    assert ids(False) == [[2, 7, 3, 0], [2, 5, 5, 3]]


def test_padding_is_right_whatever_the_tokenizer_says(encoder_folder, encoder, tmp_path):
    shutil.copytree(encoder_folder, tmp_path / "left")
    path = tmp_path / "left" / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "padding_side": "left"}))
    left = TransformerEncoder(tmp_path / "left", max_length=32)
    for name, expected in encoder.tokenize(TEXTS).items():
        np.testing.assert_array_equal(left.tokenize(TEXTS)[name], expected)


def test_tokenize_in_blocks_equals_tokenize_at_once(encoder_folder, monkeypatch):
    layer = TransformerEncoder(encoder_folder, max_length=32)
    texts = ["cough", *TEXTS, "fever", "cough " * 40, "", "pain"]
    for count in (len(texts), 4):  # with and without a text that is cut
        monkeypatch.setattr(module, "_TOKENIZED_AT_ONCE", 4096)
        at_once = layer.tokenize(texts[:count])
        expected = layer._encoded(texts[:count], padding=True)
        monkeypatch.setattr(module, "_TOKENIZED_AT_ONCE", 2)
        in_blocks = layer.tokenize(texts[:count])
        for name in ("input_ids", "attention_mask"):
            assert in_blocks[name].dtype == at_once[name].dtype == np.int32
            assert in_blocks[name].flags.c_contiguous
            np.testing.assert_array_equal(in_blocks[name], expected[name])
            np.testing.assert_array_equal(at_once[name], expected[name])
    assert layer.tokenize([])["input_ids"].shape == (0, 0)


@pytest.mark.parametrize(
    ("file", "damage", "part"),
    [
        ("config.json", lambda _: b"{}", "configuration or weights"),
        ("config.json", lambda _: b"[]", "configuration or weights"),
        ("config.json", lambda old: old[:40], "configuration or weights"),
        ("config.json", lambda old: old.replace(b'"hidden_size": 8', b'"hidden_size": 16'), "configuration"),
        ("model.safetensors", lambda old: old[: len(old) // 2], "configuration or weights"),
        ("model.safetensors", lambda _: b"", "configuration or weights"),
        ("tokenizer.json", lambda _: b'{"version', "tokenizer"),
        ("tokenizer.json", lambda _: b"{}", "tokenizer"),
        ("tokenizer.json", lambda _: b'{"version": "1.0", "added_tokens": [], "model": 3}', "tokenizer"),
        ("tokenizer_config.json", lambda _: b"{", "tokenizer"),
    ],
)
def test_a_damaged_folder_is_named_in_one_line(encoder_folder, tmp_path, file, damage, part):
    folder = shutil.copytree(encoder_folder, tmp_path / "mine")
    old = (folder / file).read_bytes() if (folder / file).exists() else b""
    (folder / file).write_bytes(damage(old))
    with pytest.raises(
        InputError, match=rf"mine: not an encoder whose {part}.* can be read, or damaged .*; fetch"
    ) as caught:
        TransformerEncoder(folder, max_length=32)
    assert "\n" not in str(caught.value)


def test_gradients_reach_every_variable_and_the_first_embedding(encoder_folder):
    import tensorflow as tf

    encoder = TransformerEncoder(encoder_folder, max_length=32, trainable=True)
    with tf.GradientTape() as tape:
        # Not the plain sum, which layer normalisation makes constant.
        loss = ops.sum(ops.square(encoder(encoder.tokenize(TEXTS))[:, :3]))
    gradients = tape.gradient(loss, [variable.value for variable in encoder.trainable_variables])
    assert all(gradient is not None for gradient in gradients)
    table = encoder.trainable_variables.index(_embedding_table(encoder))
    assert np.abs(tf.convert_to_tensor(gradients[table]).numpy()).max() > 0


@pytest.mark.parametrize(("trainable", "jit_compile"), [(False, False), (True, False), (True, True)])
def test_fit_moves_a_trainable_encoder_and_leaves_a_frozen_one(encoder_folder, trainable, jit_compile):
    encoder = TransformerEncoder(encoder_folder, max_length=32, trainable=trainable)
    model = _classifier(encoder)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", jit_compile=jit_compile)
    before = [variable.numpy() for variable in encoder.variables]
    tokens = encoder.tokenize(TEXTS * 4)
    losses = model.fit(tokens, np.array([0.0, 1.0] * 4), epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    after = [variable.numpy() for variable in encoder.variables]
    moved = [not np.array_equal(old, new) for old, new in zip(before, after, strict=True)]
    assert any(moved) == trainable
    if trainable:
        assert moved[encoder.variables.index(_embedding_table(encoder))]
        assert sum(moved) >= len(moved) - 2  # a key's bias cancels in the softmax


def test_frozen_encoder_has_no_dropout_in_training_and_a_trainable_one_has(encoder_folder):
    frozen = TransformerEncoder(encoder_folder, max_length=32)
    tokens = frozen.tokenize(TEXTS)
    np.testing.assert_array_equal(frozen(tokens, training=True), frozen(tokens, training=True))
    trained = TransformerEncoder(encoder_folder, max_length=32, trainable=True)
    assert np.abs(trained(tokens, training=True) - trained(tokens, training=True)).max() > 1e-3
    np.testing.assert_allclose(trained(tokens), frozen(tokens), atol=1e-6)


def test_saved_model_loads_without_the_original_folder(encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    encoder = TransformerEncoder(folder, max_length=32, trainable=True, lowercase=False, pooling="cls")
    model = _classifier(encoder)
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    tokens = encoder.tokenize(TEXTS)
    model.fit(tokens, np.array([0.0, 1.0]), verbose=0)
    model.save(tmp_path / "model.keras")
    shutil.rmtree(folder)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(tokens, verbose=0), model.predict(tokens, verbose=0), atol=1e-6)
    again = next(layer for layer in loaded.layers if isinstance(layer, TransformerEncoder))
    assert again.get_config() == encoder.get_config()
    assert again.fingerprint() == encoder.fingerprint()
    assert again.tokenize(["Cough"])["input_ids"].tolist() == [[2, 7, 3]]
    loaded.fit(tokens, np.array([0.0, 1.0]), verbose=0)
    assert again.fingerprint() != encoder.fingerprint()


def test_mixed_float16(encoder_folder):
    reference = TransformerEncoder(encoder_folder, max_length=32)
    half = TransformerEncoder(encoder_folder, max_length=32, trainable=True, dtype="mixed_float16")
    tokens = half.tokenize(TEXTS)
    assert half(tokens).dtype == "float16"
    np.testing.assert_allclose(half(tokens), reference(tokens), atol=2e-2)
    model = _classifier(half)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", jit_compile=False)
    before = half.fingerprint()
    losses = model.fit(tokens, np.array([0.0, 1.0]), epochs=5, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert half.fingerprint() != before
    assert {variable.numpy().dtype for variable in half.weights} == {np.dtype("float32")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": "max"}, "Received: pooling='max'"),
        ({"max_length": 65}, "or give a chunk_length. Received: max_length=65"),
        ({"chunk_length": 65}, "to the model's 64 positions .* Received: chunk_length=65"),
        ({"chunk_length": 0}, "Received: chunk_length=0"),
        ({"chunk_length": 8, "max_length": 2}, "Received: chunk_length=8, max_length=2"),
    ],
)
def test_bad_arguments(encoder_folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        TransformerEncoder(encoder_folder, **{"max_length": 32} | arguments)


def test_too_long_input(encoder):
    ids = np.ones((1, 65), "int32")
    with pytest.raises(ValueError, match="64 positions; give a chunk_length"):
        encoder((ids, ids))


LONG = "no acute chest pain, left renal pain. " * 12  # 108 tokens and two special ones


def _chunked(folder, **settings):
    return TransformerEncoder(
        folder, **{"max_length": 200, "chunk_length": 16, "return_sequence": True} | settings
    )


def test_a_long_text_is_tokenized_beyond_the_positions(encoder_folder):
    layer = _chunked(encoder_folder)
    tokens = layer.tokenize([LONG, "cough"])
    assert tokens["attention_mask"].sum(axis=1).tolist() == [110, 3]
    spans = layer.token_spans(LONG)
    assert len(spans) == 110
    assert spans[0] == spans[-1] == (0, 0)
    assert LONG[slice(*spans[-3])] == "pain"
    shorter = _chunked(encoder_folder, max_length=109)
    assert shorter.tokenize([LONG])["input_ids"].shape == (1, 109)
    assert (layer.truncated([LONG, "cough"]), shorter.truncated([LONG, "cough"])) == (0, 1)


@pytest.mark.parametrize("dtype", [None, "mixed_bfloat16"])
def test_a_long_text_in_chunks_is_its_chunks_one_by_one(encoder_folder, dtype):
    layer = _chunked(encoder_folder, dtype=dtype)
    whole = TransformerEncoder(encoder_folder, max_length=16, return_sequence=True, dtype=dtype)
    tokens = layer.tokenize([LONG, "right renal pain " * 7, "cough"])
    ids, mask = tokens["input_ids"], tokens["attention_mask"]
    found = np.asarray(ops.cast(layer(tokens), "float32"))
    assert found.shape == (3, 110, 8)
    assert np.isfinite(found).all()  # chunks of padding too
    close = 1e-5 if dtype is None else 0.1  # bfloat16 rounds by the shape of the batch and by the processor
    for row, length in enumerate(mask.sum(axis=1)):
        for start in range(0, length, 16):
            chunk = slice(start, min(start + 16, length))
            alone = ops.cast(whole((ids[[row], chunk], mask[[row], chunk])), "float32")
            np.testing.assert_allclose(found[row, chunk], alone[0], atol=close)
    # Positions start anew in each chunk, and no token sees another chunk: equal chunks have equal vectors.
    ids = np.tile(ids[:1, 16:32], 3)
    equal = np.asarray(ops.cast(layer((ids, np.ones_like(ids))), "float32"))
    np.testing.assert_allclose(equal[:, 16:], np.tile(equal[:, :16], (1, 2, 1)), atol=close)


def test_chunks_change_nothing_in_a_text_of_one_chunk(encoder_folder):
    tokens = _chunked(encoder_folder).tokenize(TEXTS)
    whole = TransformerEncoder(encoder_folder, max_length=32, return_sequence=True)
    np.testing.assert_allclose(_chunked(encoder_folder)(tokens), whole(tokens), atol=1e-6)


def test_pooling_is_over_all_chunks(encoder_folder):
    layer, pooled = _chunked(encoder_folder), _chunked(encoder_folder, return_sequence=False)
    tokens = layer.tokenize([LONG, "cough fever"])
    states = np.asarray(layer(tokens))
    for row, length in enumerate(tokens["attention_mask"].sum(axis=1)):
        np.testing.assert_allclose(pooled(tokens)[row], states[row, :length].mean(axis=0), atol=1e-6)


def test_encode_in_chunks_of_any_shape(encoder_folder):
    layer = _chunked(encoder_folder)
    for texts in ([LONG], ["cough"], [LONG, "cough", TEXTS[1]], ["cough " * 14], ["cough " * 15]):
        tokens = layer.tokenize(texts)
        np.testing.assert_allclose(layer.encode(**tokens), layer(tokens), atol=1e-6)


def test_the_chunks_of_a_model_that_counts_positions_from_the_padding(encoder_folder):
    layer = _chunked(encoder_folder)
    layer._tokenizer.pad_token = "."  # as RoBERTa, whose padding is not 0
    calls, transformer = [], layer._transformer
    layer._transformer = lambda **inputs: calls.append(inputs) or transformer(**inputs)
    layer((np.full((1, 18), 5), np.ones((1, 18))))
    assert calls[0]["input_ids"].numpy().tolist() == [[5] * 16, [5] * 2 + [15] * 14]
    assert calls[0]["attention_mask"].numpy().tolist() == [[1] * 16, [1] * 2 + [0] * 14]


def test_a_model_of_chunks_trains_and_is_saved(encoder_folder, tmp_path):
    encoder = _chunked(encoder_folder, return_sequence=False, trainable=True)
    model = _classifier(encoder)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", jit_compile=True)
    tokens, y = encoder.tokenize([LONG, "cough fever"]), np.array([0.0, 1.0])
    before = encoder.fingerprint()
    losses = model.fit(tokens, y, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert encoder.fingerprint() != before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = next(layer for layer in loaded.layers if isinstance(layer, TransformerEncoder))
    assert again.get_config() == encoder.get_config()
    assert again.chunk_length == 16
    np.testing.assert_allclose(loaded.predict(tokens, verbose=0), model.predict(tokens, verbose=0), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_the_mean_of_many_tokens_is_taken_in_float32(dtype):
    """In bfloat16 3,001 tokens count as 3,008, and their sum has three digits."""
    states = np.arange(3001 * 2).reshape(1, -1, 2) % 7
    mask = np.ones((1, 3001), "int32")
    found = module._pool(ops.cast(states, dtype), mask, "mean")
    np.testing.assert_allclose(found, states.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("chunk_length", [1, 3, 4, 7, 8, 20])
def test_chunks_are_rows_of_each_text_in_turn(chunk_length):
    tokens = np.arange(1, 15).reshape(2, 7)
    size = min(chunk_length, 7)
    expected = []
    for row in tokens.tolist():
        for start in range(0, 7, size):
            chunk = row[start : start + size]
            expected.append(chunk + [99] * (size - len(chunk)))
    found = _in_chunks(ops.convert_to_tensor(tokens), chunk_length, padding=99)
    assert ops.convert_to_numpy(found).tolist() == expected
    back = _joined(ops.expand_dims(found, -1), 2, 7)
    np.testing.assert_array_equal(ops.convert_to_numpy(back)[..., 0], tokens)
