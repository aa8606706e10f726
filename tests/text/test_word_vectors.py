import builtins
import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.text import WordTokenizer
from icd_relevancy.text.word_vectors import read_word_vectors, word_vectors

WORDS = WordTokenizer(("fever", "cough", "riñón"))
VECTORS = {"cough": [0.5, -2.0], "the": [9.0, 9.0], "riñón": [1.5, 1e-3], ". .": [7.0, 7.0]}


def notes() -> list[str]:
    """Notes of two subjects, whose words never meet."""
    random = np.random.default_rng(0)
    subjects = (["cough", "sputum", "wheeze", "lung"], ["fracture", "femur", "cast", "fall"])
    return [" ".join(random.choice(subjects[row % 2], 12)) for row in range(200)]


def text_file(header: bool) -> bytes:
    rows = [f"{word} {' '.join(map(str, values))}" for word, values in VECTORS.items()]
    return "\n".join([f"{len(rows)} 2"] * header + rows).encode() + b"\n"


def binary_file(newline: bytes) -> bytes:
    rows = [
        word.replace(" ", "").encode() + b" " + np.array(values, "<f4").tobytes() + newline
        for word, values in VECTORS.items()
    ]
    return f"{len(rows)} 2\n".encode() + b"".join(rows)


def test_words_of_one_subject_are_alike():
    tokenizer = WordTokenizer.fit(notes())
    vectors = word_vectors(tokenizer, notes(), size=16, progress=False)
    assert vectors.dtype == np.float32
    assert vectors.shape == (10, 16)
    assert not vectors[0].any()
    np.testing.assert_allclose(vectors[1], vectors[2:].mean(axis=0), rtol=1e-5)
    unit = vectors[2:] / np.linalg.norm(vectors[2:], axis=1, keepdims=True)
    chest = np.array([word in ("cough", "sputum", "wheeze", "lung") for word in tokenizer.vocabulary])
    alike = unit @ unit.T
    assert alike[chest][:, chest].min() > alike[chest][:, ~chest].max()


def test_the_seed_tells_the_vectors_in_every_process():
    code = (
        "from tests.text.test_word_vectors import *;"
        "print(word_vectors(WordTokenizer.fit(notes()), notes(), 4, 3, 2, progress=False).tobytes().hex())"
    )
    # Words have other hashes there than here.
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    settings = {"cwd": Path(__file__).parents[2], "capture_output": True, "text": True, "check": True}
    run = subprocess.run([sys.executable, "-c", code], env=environment, **settings)
    tokenizer = WordTokenizer.fit(notes())
    here = word_vectors(tokenizer, notes(), 4, 3, 2, progress=False)
    assert run.stdout.strip() == here.tobytes().hex()
    other = word_vectors(tokenizer, notes(), 4, 4, 2, progress=False)
    assert np.abs(here - other).max() > 1e-3


def test_a_word_that_no_note_has_is_small_and_not_zero():
    tokenizer = WordTokenizer((*WordTokenizer.fit(notes()).vocabulary, "unseen"))
    vectors = word_vectors(tokenizer, notes(), size=16, epochs=20, progress=False)
    assert 0 < np.linalg.norm(vectors[-1]) < np.linalg.norm(vectors[2:-1], axis=1).min()
    np.testing.assert_allclose(vectors[1], vectors[2:-1].mean(axis=0), rtol=1e-5)


def test_skip_gram_is_another_model():
    tokenizer = WordTokenizer.fit(notes())
    models = [
        word_vectors(tokenizer, notes(), 4, epochs=1, skip_gram=s, progress=False) for s in (False, True)
    ]
    assert np.abs(models[0] - models[1]).max() > 1e-3


def test_notes_without_a_known_word():
    with pytest.raises(InputError, match="the 1 notes have no word of the vocabulary"):
        word_vectors(WORDS, ["12 chills"], progress=False)


def test_without_gensim_the_extra_is_named(monkeypatch):
    original = builtins.__import__

    def without(name, *arguments, **settings):
        if name.partition(".")[0] == "gensim":
            raise ModuleNotFoundError("No module named 'gensim'", name="gensim")
        return original(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r'need gensim; run: pip install "icd_relevancy\[text\]"'):
        word_vectors(WORDS, ["fever"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", text_file(header=False)),
        ("glove.txt", text_file(header=False).replace(b"\n", b" \r\n")),
        ("word2vec.txt", text_file(header=True)),
        ("word2vec.txt.gz", gzip.compress(text_file(header=True))),
        ("word2vec.bin", binary_file(b"\n")),
        ("word2vec.bin", binary_file(b"")),
        ("word2vec.bin.gz", gzip.compress(binary_file(b"\n"))),
    ],
)
def test_every_format_gives_its_words(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    vectors = read_word_vectors(tmp_path / name, WORDS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[[0, 1, 3, 4]], [[0, 0], [1, -0.9995], [0.5, -2], [1.5, 1e-3]])
    assert 0 < np.abs(vectors[2]).max() < 0.2  # "fever", which the file lacks
    np.testing.assert_array_equal(read_word_vectors(tmp_path / name, WORDS), vectors)


def test_it_reads_what_gensim_writes(tmp_path):
    from gensim.models import KeyedVectors

    written = KeyedVectors(50)
    words = [f"w{number}" for number in range(300)]
    written.add_vectors(words, np.random.default_rng(0).normal(size=(300, 50)).astype(np.float32))
    for binary in (False, True):
        written.save_word2vec_format(tmp_path / "vectors", binary=binary)
        read = read_word_vectors(tmp_path / "vectors", WordTokenizer(words[::7]))
        np.testing.assert_allclose(read[2:], written.vectors[::7], rtol=1e-6)


def test_vectors_beyond_one_block(tmp_path, monkeypatch):
    monkeypatch.setattr("icd_relevancy.text.word_vectors._BLOCK_BYTES", 16)
    (tmp_path / "word2vec.bin").write_bytes(binary_file(b"\n"))
    np.testing.assert_allclose(read_word_vectors(tmp_path / "word2vec.bin", WORDS)[3], [0.5, -2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "none of the 3 words"),
        (b"the 1 2\n", "none of the 3 words"),
        (b"cough\n", "line 1: not a word and its numbers"),
        (b"\x80\x04\x95 pickled rubbish\n", "line 1: not a word and 2 numbers"),
        (b"the 1 2\ncough 1\n", "line 2: not a word and 2 numbers"),
        (b"the 1 2\ncough 1 x\n", "line 2: not a word and 2 numbers"),
        (b"2 2\nthe 1 2\ncough 1 nan\n", "line 3: a value is not finite"),
        (binary_file(b"\n")[:-5], "ends in or before vector 4 of 4"),
        (binary_file(b"\n").replace(b"4 2", b"9 2"), "ends in or before vector 5 of 9"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path, content, message):
    (tmp_path / "mine").write_bytes(content)
    with pytest.raises(InputError, match=f"mine: {message}") as caught:
        read_word_vectors(tmp_path / "mine", WORDS)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_badly_compressed(tmp_path):
    for name, content in (
        ("a.gz", b"cough 1 2\n"),
        ("b.gz", gzip.compress(text_file(True))[:-12]),
        ("c", None),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: word vectors cannot be read"):
            read_word_vectors(tmp_path / name, WORDS)
