"""Words and word pairs of notes by TF-IDF, as a part of a trained model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from icd_relevancy.errors import InputError
from icd_relevancy.files.safe_reading import checked_words


@dataclass(frozen=True, eq=False, repr=False)
class BagOfWords:
    """The TF-IDF of the words and word pairs of training notes, each note's vector of length 1.

    The words are kept with the model, in plain text: a word is taken only where several notes that have neither
    patient nor text in common use it, so that a patient's name does not travel with the model.

    Attributes:
        vocabulary: The k words and word pairs, sorted.
        idf: The inverse document frequency of each, `(k,)`.

    Example:

    >>> words = BagOfWords.fit(["mild cough", "mild fever", "mild cough"], min_groups=2)
    >>> words.vocabulary
    ('cough', 'mild', 'mild cough')
    >>> words.transform(["cough"]).toarray()
    array([[1., 0., 0.]], dtype=float32)
    """

    vocabulary: tuple[str, ...]
    idf: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str], groups=None, min_groups: int = 3) -> "BagOfWords":
        """The words and word pairs of so many groups of notes.

        Args:
            texts: n training notes.
            groups: The group of each, such as `Notes.groups`, `(n,)`. Defaults to None: each its own.
            min_groups: Least number of groups with a word. Defaults to 3.

        Raises:
            InputError: If no word is in so many groups.
        """
        refusal = f"no word is in {min_groups} of the {len(texts)} training notes; leave bag_of_words out"
        counts = CountVectorizer(ngram_range=(1, 2), binary=True)
        try:
            used = counts.fit_transform(texts)
        except ValueError:  # an empty vocabulary
            raise InputError(refusal) from None
        groups = np.arange(len(texts)) if groups is None else np.asarray(groups)
        of_group = sparse.csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))))
        kept = np.flatnonzero(np.asarray((of_group @ used > 0).sum(axis=0)).ravel() >= min_groups)
        if not len(kept):
            raise InputError(refusal)
        vocabulary = counts.get_feature_names_out()[kept].tolist()
        fitted = _vectorizer(vocabulary=vocabulary).fit(texts)
        return cls(tuple(vocabulary), fitted.idf_.astype(np.float32))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The TF-IDF of notes, float32 CSR `(n, k)`.

        Args:
            texts: n notes.
        """
        return sparse.csr_matrix(self._fitted.transform(texts), dtype=np.float32)

    @cached_property
    def _fitted(self) -> TfidfVectorizer:
        vectorizer = _vectorizer(vocabulary={word: place for place, word in enumerate(self.vocabulary)})
        vectorizer.idf_ = self.idf
        return vectorizer

    def to_dict(self) -> dict:
        """The words and their frequencies, as JSON can hold them."""
        return {"vocabulary": list(self.vocabulary), "idf": self.idf.tolist()}

    @classmethod
    def from_dict(cls, told: Mapping) -> "BagOfWords":
        """What `to_dict` told of.

        Raises:
            ValueError: If the words are no list of text, or have no finite idf each.
        """
        words, idf = checked_words(told["vocabulary"]), np.asarray(told["idf"], np.float32)
        if not words or idf.shape != (len(words),) or not np.isfinite(idf).all():
            raise ValueError("the words need one finite idf each")
        return cls(words, idf)


def _vectorizer(**settings) -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, **settings)
