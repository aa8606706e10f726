import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from icd_relevancy.errors import InputError
from icd_relevancy.training.bag_of_words import BagOfWords

TEXTS = ["mild cough and fever", "no fever", "mild cough", "severe cough, mild fever"]


def test_it_is_scikit_learns_tfidf():
    expected = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(TEXTS)
    words = BagOfWords.fit(TEXTS, min_notes=2)
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
    words = BagOfWords.fit(TEXTS)
    again = BagOfWords.from_dict(json.loads(json.dumps(words.to_dict())))
    np.testing.assert_array_equal(again.transform(TEXTS).toarray(), words.transform(TEXTS).toarray())
    assert len(again) == len(words) == 4


def test_notes_without_a_common_word():
    with pytest.raises(InputError, match="no word is in 2 of the 2 training notes") as caught:
        BagOfWords.fit(["cough", "fever"])
    assert "cough" not in str(caught.value)
