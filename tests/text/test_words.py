import json
import unicodedata

import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.text import WordTokenizer

TEXTS = ["Fever, cough; COUGH", "no fever 38.5", "cough & fever_fever", "Hiccups 2"]
SPANISH = "Lesión de 12 mm en el riñón derecho (T1N0). ÓRGANOS: 3,5 µg"


def words(text: str, **settings) -> list[str]:
    return WordTokenizer((), **settings).words(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BP 120/80, SpO2 98% on 2L", ["bp", "spo2", "on", "2l"]),
        (SPANISH, ["lesión", "de", "mm", "en", "el", "riñón", "derecho", "t1n0", "órganos", "µg"]),
        ("___ y/o man's X-ray", ["y", "o", "man", "s", "x", "ray"]),
        ("NOT_pneumonia", ["not", "pneumonia"]),
        ("發燒 κάταγμα Straße İleus", ["發燒", "κάταγμα", "straße", "i̇leus"]),
        ("12 ٣ ² ... _", []),
        ("", []),
    ],
)
def test_the_words_that_are_read(text, expected):
    assert words(text) == expected


def test_letters_and_their_accents_are_one_however_they_are_written():
    apart = unicodedata.normalize("NFD", SPANISH)
    assert len(apart) > len(SPANISH)
    assert words(apart) == words(SPANISH)


def test_numbers_by_falling_frequency_then_by_the_word():
    tokenizer = WordTokenizer.fit(TEXTS, min_groups=1)
    assert tokenizer.vocabulary == ("fever", "cough", "hiccups", "no")
    assert len(tokenizer) == 6
    arrays = tokenizer.tokenize(["No cough today", "fever", "38.5", ""])
    assert arrays["input_ids"].tolist() == [[5, 3, 1], [2, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert arrays["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert {array.dtype for array in arrays.values()} == {np.dtype("int32")}
    assert tokenizer.tokenize([])["input_ids"].shape == (0, 0)


def test_words_of_one_patient_are_left_out():
    texts = ["cough of miller", "cough", "fever of miller", "fever, cough", "again miller"]
    assert "miller" in WordTokenizer.fit(texts).vocabulary
    tokenizer = WordTokenizer.fit(texts, groups=[0, 1, 0, 2, 0])
    assert tokenizer.vocabulary == ("cough",)
    assert "cough" not in repr(tokenizer)


def test_the_order_of_notes_and_groups_changes_nothing():
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(list("abcdefgh"), 4)) for _ in range(60)]
    groups = random.integers(0, 12, 60)
    # Counted plainly: the groups of each word.
    expected = {w for w in "abcdefgh" if len({g for t, g in zip(texts, groups, strict=True) if w in t}) >= 11}
    assert 0 < len(expected) < 8
    vocabulary = WordTokenizer.fit(texts, groups, min_groups=11).vocabulary
    assert set(vocabulary) == expected
    order = random.permutation(60)
    assert (
        WordTokenizer.fit([texts[at] for at in order], groups[order], min_groups=11).vocabulary == vocabulary
    )


def test_a_note_is_read_up_to_its_limit():
    tokenizer = WordTokenizer.fit(["a b c"] * 3, max_length=2)
    assert tokenizer.vocabulary == ("a", "b")
    assert tokenizer.tokenize(["1 b 2 a b"])["input_ids"].tolist() == [[3, 2]]
    assert tokenizer.token_spans("1 b 2 a b") == [(2, 3), (6, 7)]
    assert tokenizer.truncated(["1 b 2 a b", "1 b 2 a", "", "x y z"]) == 2


@pytest.mark.parametrize("text", [SPANISH, unicodedata.normalize("NFD", SPANISH), "İleus: ΟΔΟΣ'Α a_b 12"])
def test_the_spans_are_those_of_the_words(text):
    spans = WordTokenizer(()).token_spans(text)
    read = [unicodedata.normalize("NFC", text[start:stop].lower()) for start, stop in spans]
    assert read == words(text)


def test_a_note_without_words_has_one_span_for_its_unknown_word():
    assert WordTokenizer(()).token_spans("12 ...") == [(0, 0)]


def test_it_survives_json():
    tokenizer = WordTokenizer.fit([SPANISH] * 3, max_length=7)
    assert WordTokenizer.from_dict(json.loads(json.dumps(tokenizer.to_dict()))) == tokenizer


def test_refusals_quote_no_word():
    with pytest.raises(InputError, match="no word is in 3 of the 4 training notes") as caught:
        WordTokenizer.fit(["cough", "fever", "12", ""])
    assert "cough" not in str(caught.value)
    with pytest.raises(InputError, match="max_length=0"):
        WordTokenizer((), max_length=0)
    with pytest.raises(InputError, match="more than once") as caught:
        WordTokenizer(("cough", "cough"))
    assert "cough" not in str(caught.value)


def test_digits_that_never_end_in_a_letter_are_read_once():
    """A pattern that searched again from each of a million digits would not come to an end."""
    assert words("9" * 1_000_000) == []
