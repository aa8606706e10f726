"""How much of what names a code stands in one sentence of a note."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from icd_relevancy.files.safe_reading import checked_csr
from icd_relevancy.text.lexicon.carried_labels import CarriedLabels
from icd_relevancy.text.lexicon.names import Names
from icd_relevancy.text.lexicon.sparse_best import (
    best_of_labels,
    from_triples,
    largest,
    triples,
    words_of_parts,
)
from icd_relevancy.text.words import PlainText

# Where a smaller share of the words stands together, the product with all names would fill with noise.
LEAST_COVERAGE = 0.4
_WHOLE = 1 - 1e-4


@dataclass(frozen=True, eq=False, repr=False)
class WordCoverage:
    """Names of labels as sets of words, and how much of them a sentence has.

    Attributes:
        columns: The column of each word.
        shares: Share of each word in a name's idf, CSR `(names, words)`; each row's sum is 1.
        links: How much each name says of the labels, CSR `(names, m)`.
        whole: Whether all words of a name must stand in one clause; else some of them in one sentence.
    """

    columns: Mapping[str, int]
    shares: sparse.csr_matrix
    links: sparse.csr_matrix
    whole: bool = False

    @classmethod
    def from_names(
        cls, names: Names, columns: Mapping[str, int], idf: np.ndarray, labels: int
    ) -> "WordCoverage":
        """The coverage of names, pairs of a label's number and words, each of which says 1 of its label."""
        pairs = sorted(
            {(tuple(sorted({columns[word] for word in words})), label) for label, words in names if words}
        )
        numbers = {name: number for number, name in enumerate(dict.fromkeys(name for name, _ in pairs))}
        links = [(numbers[name], label, 1.0) for name, label in pairs]
        shares = _shares(list(numbers), idf)
        return cls(columns, shares, from_triples(links, (len(numbers), labels)))

    def with_precision(self, texts: Sequence[PlainText], carried: CarriedLabels) -> "WordCoverage":
        """The same names, whole, each with its precision for its label, `carrying / (notes that have it + 1)`."""
        having = WordCoverage(self.columns, self.shares, self.links, whole=True)._names_in(texts)
        carrying = sparse.coo_matrix(self.links.multiply(having.T @ carried.shares))
        notes = carried.telling(having, carrying.row, carrying.col)
        precision = (carrying.data / (notes + 1)).astype(np.float32)
        links = sparse.csr_matrix((precision, (carrying.row, carrying.col)), shape=self.links.shape)
        return WordCoverage(self.columns, self.shares, links, whole=True)

    def transform(self, texts: Sequence[PlainText]) -> sparse.csr_matrix:
        """What the best name of each label says, in the best part of each of n notes: CSR `(n, m)`, float32.

        Of whole names that is their link; of others the square of the coverage, since the log-odds of a label grow
        faster than the share of the words that are there. A coverage below 0.4 counts as 0.
        """
        return best_of_labels(self._names_in(texts), self.links)

    def _names_in(self, texts: Sequence[PlainText]) -> sparse.csr_matrix:
        words, text_of = words_of_parts(texts, self.columns, self._part)
        covered = (words @ self._by_word).tocoo()
        kept = covered.data >= self._least
        values = np.ones(kept.sum()) if self.whole else np.minimum(covered.data[kept], 1) ** 2
        shape = (len(texts), self.shares.shape[0])
        return largest(text_of[covered.row[kept]], covered.col[kept], values, shape)

    def evidence(self, text: PlainText, label: int) -> tuple[float, list[tuple[int, int, float]]]:
        """The value of a label, and the words `(start, stop, weight)` in the best part of the note that give it."""
        own = self._by_label[:, [label]]
        if not own.nnz or not text.words:
            return 0.0, []
        parts, _ = words_of_parts([text], self.columns, self._part)
        covered = (self.shares[own.indices] @ parts.T).toarray()
        covered[covered < self._least] = 0
        values = own.data[:, None] * (covered > 0 if self.whole else np.minimum(covered, 1) ** 2)
        name, part = np.unravel_index(values.argmax(), values.shape)
        value = float(values[name, part])
        if not value:
            return 0.0, []
        row = self.shares[own.indices[name]]
        share = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
        spans = []
        for word, span, at in zip(text.words, text.spans, getattr(text, self._part), strict=True):
            column = self.columns.get(word)
            if at == part and column in share:
                spans.append((*span, value * share[column] / float(covered[name, part])))
        return value, spans

    @property
    def _part(self) -> str:
        return "clauses" if self.whole else "sentences"

    @property
    def _least(self) -> float:
        return _WHOLE if self.whole else LEAST_COVERAGE

    @cached_property
    def _by_word(self) -> sparse.csr_matrix:
        return sparse.csr_matrix(self.shares.T)

    @cached_property
    def _by_label(self) -> sparse.csc_matrix:
        return self.links.tocsc()

    def to_dict(self) -> dict:
        """The names and what they say, as JSON can hold it; the columns and the idf are kept beside."""
        indices = self.shares.indices.tolist()
        names = [indices[start:stop] for start, stop in pairwise(self.shares.indptr)]
        return {"names": names, "links": triples(self.links), "whole": self.whole}

    @classmethod
    def from_dict(
        cls, state: Mapping, columns: Mapping[str, int], idf: np.ndarray, labels: int
    ) -> "WordCoverage":
        """The names that `to_dict` gave."""
        links = from_triples(state["links"], (len(state["names"]), labels))
        if not isinstance(state["whole"], bool):
            raise ValueError("whole must be true or false")
        return cls(columns, _shares(state["names"], idf), links, state["whole"])


def _shares(names: Sequence[Sequence[int]], idf: np.ndarray) -> sparse.csr_matrix:
    pointers = np.cumsum([0, *map(len, names)])
    indices = np.array([word for words in names for word in words], np.int64)
    shares = checked_csr(idf[indices], indices, pointers, (len(names), len(idf)))
    total = np.asarray(shares.sum(axis=1)).ravel()
    if not (total > 0).all():
        raise ValueError("a name has no word that counts")
    shares.data /= np.repeat(total, np.diff(shares.indptr))
    return shares.astype(np.float32)
