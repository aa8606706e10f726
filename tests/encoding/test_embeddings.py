import errno

import numpy as np
import pytest

from icd_relevancy.encoding import embeddings as embedding_cache
from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder

TEXTS = [
    "cough fever.",
    "no acute chest pain, left renal pain.",
    "cough fever.",
    "fever",
    "right renal pain, no cough",
    "fever",
]


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return TransformerEncoder(encoder_folder, max_length=32)


@pytest.fixture(scope="module")
def expected(encoder):
    return np.stack([np.asarray(encoder(encoder.tokenize([text])))[0] for text in TEXTS])


@pytest.fixture
def encoded(encoder, monkeypatch):
    """The number of texts of each batch that the encoder was asked for."""
    counts = []
    encode = TransformerEncoder.encode

    def counting(self, input_ids, attention_mask):
        counts.append(int((attention_mask.sum(axis=1) > 0).sum()))
        return encode(self, input_ids, attention_mask)

    monkeypatch.setattr(TransformerEncoder, "encode", counting)
    return counts


def test_vectors_in_order_and_a_repeated_text_encoded_once(encoder, expected, encoded):
    vectors = embed(TEXTS, encoder, progress=False)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert sum(encoded) == 4


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["cough", None], r"row 1 \(counted from 0\): a NoneType, not a str"),
        ([1.5], r"row 0 \(counted from 0\): a float, not a str"),
        (["a", "b", "renal \ud800"], r"row 2 \(counted from 0\): not valid Unicode .* at character 6"),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_a_bad_text_is_named_by_its_row_and_not_quoted(encoder, tmp_path, texts, message, cached):
    with pytest.raises(InputError, match=message) as caught:
        embed(texts, encoder, cache=tmp_path if cached else None, progress=False)
    assert "renal" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(InputError, match=message):
        encoder.tokenize(texts)


def test_one_str_is_no_list_of_texts(encoder):
    for call in (lambda: embed("abc", encoder), lambda: encoder.tokenize("abc")):
        with pytest.raises(ValueError, match="Received a str"):
            call()


def test_no_texts(encoder):
    assert embed([], encoder, progress=False).shape == (0, 8)


def test_many_lengths_and_shards(encoder, monkeypatch, tmp_path):
    monkeypatch.setattr(embedding_cache, "_SHARD_TEXTS", 16)
    monkeypatch.setattr(embedding_cache, "_BATCH_TOKENS", 64)
    words = ["cough", "fever", "renal", "pain", "left"]
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(words, random.integers(1, 40))) for _ in range(50)]
    tokens = encoder.tokenize(texts)
    np.testing.assert_allclose(
        embed(texts, encoder, cache=tmp_path, progress=False), encoder(tokens), atol=1e-5
    )
    assert len(list(tmp_path.rglob("*.npz"))) == 4
    order = random.permutation(50)
    again = embed([texts[row] for row in order], encoder, cache=tmp_path, progress=False)
    np.testing.assert_allclose(again, np.asarray(encoder(tokens))[order], atol=1e-5)


def test_second_call_reads_the_cache_and_a_third_adds_to_it(encoder, expected, encoded, tmp_path):
    embed(TEXTS[:2], encoder, cache=tmp_path, progress=False)
    assert sum(encoded) == 2
    np.testing.assert_allclose(embed(TEXTS[1::-1], encoder, cache=tmp_path), expected[1::-1], atol=1e-5)
    assert sum(encoded) == 2
    np.testing.assert_allclose(embed(TEXTS, encoder, cache=tmp_path, progress=False), expected, atol=1e-5)
    assert sum(encoded) == 4


def test_full_cache_needs_no_encoder(encoder, expected, tmp_path, monkeypatch):
    folder = encoder.name_or_path
    embed(TEXTS, folder, max_length=32, cache=tmp_path, progress=False)
    monkeypatch.setattr(TransformerEncoder, "__init__", lambda *_, **__: pytest.fail("loaded the encoder"))
    vectors = embed(TEXTS, folder, max_length=32, cache=tmp_path, progress=False)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_texts_are_not_stored(encoder, tmp_path):
    embed(["cough fever left renal"], encoder, cache=tmp_path, progress=False)
    for file in tmp_path.rglob("*.npz"):
        assert b"renal" not in file.read_bytes()


def test_settings_and_weights_have_folders_of_their_own(encoder, tmp_path):
    folder = encoder.name_or_path
    for changed in ({}, {"pooling": "cls"}, {"max_length": 16}, {"lowercase": False}):
        embed(["Cough"], folder, **{"max_length": 32} | changed, cache=tmp_path, progress=False)
    assert len(list(tmp_path.iterdir())) == 4
    other = TransformerEncoder(folder, max_length=32)
    before = embed(["Cough"], other, cache=tmp_path, progress=False)
    other.variables[0].assign(other.variables[0].value + 1.0 * np.arange(8))
    after = embed(["Cough"], other, cache=tmp_path, progress=False)
    assert np.abs(after - before).max() > 1e-3
    assert len(list(tmp_path.iterdir())) == 6


def test_chunks_of_other_lengths_have_folders_of_their_own(encoder, expected, tmp_path):
    embed(TEXTS, encoder, cache=tmp_path)
    for length in (4, 5):
        chunked = TransformerEncoder(encoder.name_or_path, max_length=32, chunk_length=length)
        alone = np.stack([np.asarray(chunked(chunked.tokenize([text])))[0] for text in TEXTS])
        assert np.abs(alone - expected).max() > 1e-3
        np.testing.assert_allclose(embed(TEXTS, chunked, cache=tmp_path), alone, atol=1e-5)
    assert len(list(tmp_path.iterdir())) == 3


def test_resumes_after_a_kill(encoder, expected, encoded, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_cache, "_SHARD_TEXTS", 1)
    write = embedding_cache._write_shard
    written = []

    def killed_at_the_third(store, keys, vectors):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(keys)
        write(store, keys, vectors)

    monkeypatch.setattr(embedding_cache, "_write_shard", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        embed(TEXTS, encoder, cache=tmp_path, progress=False)
    assert sum(encoded) == 3
    monkeypatch.setattr(embedding_cache, "_write_shard", write)
    np.testing.assert_allclose(embed(TEXTS, encoder, cache=tmp_path, progress=False), expected, atol=1e-5)
    assert sum(encoded) == 5


def flipped(content):
    place = content.index(b"vectors.npy") + 200
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda c: c[:0], lambda c: c[:40], lambda c: c[: len(c) // 2], lambda c: c[:-5], flipped]
)
def test_damaged_shard(encoder, tmp_path, damage):
    embed(TEXTS, encoder, cache=tmp_path, progress=False)
    (shard,) = tmp_path.rglob("*.npz")
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(InputError, match=r"\.npz: not a shard of embeddings, or damaged .*; delete the file"):
        embed(TEXTS, encoder, cache=tmp_path, progress=False)


def test_full_disk(encoder, tmp_path, monkeypatch):
    def full(path, **_):
        path.write_bytes(b"half a shard")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match="the disk is full"):
        embed(TEXTS, encoder, cache=tmp_path, progress=False)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_token_states_are_refused(encoder):
    states = TransformerEncoder(encoder.name_or_path, max_length=32, return_sequence=True)
    with pytest.raises(ValueError, match="return_sequence=True"):
        embed(TEXTS, states)


def test_a_shard_damaged_anywhere_is_refused_or_changes_nothing(encoder, tmp_path):
    expected = embed(TEXTS, encoder, cache=tmp_path, progress=False)
    (shard,) = tmp_path.rglob("*.npz")
    content, lines = shard.read_bytes(), []
    for place in range(0, len(content), max(len(content) // 60, 1)):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        shard.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(embed(TEXTS, encoder, cache=tmp_path, progress=False), expected)
        except InputError as error:
            lines.append(str(error))
    assert len(lines) > 30
    assert all("\n" not in line and line.endswith("delete the file and run again") for line in lines)


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((1, 8), np.float32),
        np.full((5, 8), np.nan, np.float32),
        np.zeros(5, np.float32),
        np.zeros((5, 8)),
    ],
)
def test_vectors_that_do_not_fit_are_refused(encoder, tmp_path, vectors):
    embed(TEXTS, encoder, cache=tmp_path, progress=False)
    (shard,) = tmp_path.rglob("*.npz")
    with np.load(shard) as arrays:
        keys = arrays["keys"]
    np.savez(shard, keys=keys, vectors=vectors)
    with pytest.raises(InputError, match="not a shard of embeddings"):
        embed(TEXTS, encoder, cache=tmp_path, progress=False)


def test_a_cache_is_for_its_owner_alone(encoder, tmp_path):
    embed(TEXTS, encoder, cache=tmp_path / "mine" / "embeddings", progress=False)
    for path in (tmp_path / "mine").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700
