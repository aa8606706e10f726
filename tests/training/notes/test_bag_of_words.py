import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from icd_relevancy.errors import InputError
from icd_relevancy.training.notes.bag_of_words import BagOfWords

TEXTS = ["mild cough and fever", "no fever", "mild cough", "severe cough, mild fever"]


def test_it_is_scikit_learns_tfidf():
    expected = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(TEXTS)
    words = BagOfWords.fit(TEXTS, min_groups=2)
    assert (
        words.vocabulary
        == tuple(expected.get_feature_names_out())
        == ("cough", "fever", "mild", "mild cough")
    )
    np.testing.assert_allclose(
        words.transform(["mild cough", "unknown"]).toarray(),
        expected.transform(["mild cough", "unknown"]).toarray(),
        rtol=1e-6,
    )
    assert words.transform(["mild"]).dtype == np.float32


def test_it_survives_json():
    words = BagOfWords.fit(TEXTS, min_groups=2)
    again = BagOfWords.from_dict(json.loads(json.dumps(words.to_dict())))
    np.testing.assert_array_equal(again.transform(TEXTS).toarray(), words.transform(TEXTS).toarray())
    assert len(again) == len(words) == 4


def test_notes_without_a_common_word():
    for texts in (["cough", "fever"], ["!", "?"]):
        with pytest.raises(InputError, match="no word is in 3 of the 2 training notes") as caught:
            BagOfWords.fit(texts)
        assert "cough" not in str(caught.value)


def test_words_of_one_patient_are_left_out():
    texts = ["cough of miller", "fever of miller", "cough again, miller", "cough", "high cough"]
    assert "miller" in BagOfWords.fit(texts).vocabulary
    words = BagOfWords.fit(texts, groups=[0, 0, 0, 1, 2])
    assert words.vocabulary == ("cough",)
    assert "cough" not in repr(words)
