"""How much of what names a code stands in one sentence of a note."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from icd_relevancy.text.plain_words import PlainText

# Function words of English and Spanish, and the words by which classifications say that nothing more is known.
EMPTY_WORDS = frozenset(
    "a an and are as at be by due for from he her his in is it its no not of on or other she that the there this to"
    " was were which with without al como con de del el en es la las lo los no o para por que se sin su un una y"
    " classifi elsewher nec nos specifi specified unspecified classified elsewhere".split()
)
# Where fewer words stand together than this, their product with all phrases would fill with noise.
LEAST_COVERAGE = 0.4


def sentence_words(texts: Sequence[PlainText], words: dict[str, int]) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Which words stand in which sentence.

    Args:
        texts: n texts.
        words: The column of each word; others are left out.

    Returns:
        Matrix of 0 and 1, `(sentences, words)`, float32, and the text that each sentence is of, `(sentences,)`.
    """
    pairs, note_of, offset = [], [], 0
    for number, text in enumerate(texts):
        known = {
            (at + offset, words[word])
            for word, at in zip(text.words, text.sentences, strict=True)
            if word in words
        }
        pairs.extend(sorted(known))
        count = text.sentences[-1] + 1 if text.sentences else 0
        note_of += [number] * count
        offset += count
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    found = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(offset, len(words)))
    return found, np.array(note_of, np.int64)


def largest(rows, columns, values, shape) -> sparse.csr_matrix:
    """A CSR matrix, float32, of the largest of the values that fall into each cell.

    Args:
        rows, columns, values: One entry each, `(k,)`.
        shape: Shape of the matrix.

    Example:

    >>> import numpy as np
    >>> largest(np.array([0, 0]), np.array([1, 1]), np.array([0.5, 0.25]), (1, 2)).toarray()
    array([[0. , 0.5]], dtype=float32)
    """
    cells = rows.astype(np.int64) * shape[1] + columns
    order = np.argsort(cells, kind="stable")
    cells, values = cells[order], np.asarray(values, np.float32)[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    values = np.maximum.reduceat(values, first) if len(first) else values
    rows, columns = np.divmod(cells[first], shape[1])
    return sparse.csr_matrix((values, (rows, columns)), shape=shape)


def best_of_label(found: sparse.csr_matrix, links: sparse.csr_matrix) -> sparse.csr_matrix:
    """For each note and label the largest product of a phrase's value in the note and its link with the label.

    Args:
        found: Values of the phrases, `(n, phrases)`.
        links: Weight of each phrase for the labels, `(phrases, m)`.

    Returns:
        CSR `(n, m)`, float32.
    """
    found = found.tocoo()
    count = np.diff(links.indptr)[found.col]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    entry = np.repeat(links.indptr[found.col], count) + within
    values = np.repeat(found.data, count) * links.data[entry]
    return largest(
        np.repeat(found.row, count), links.indices[entry], values, (found.shape[0], links.shape[1])
    )


@dataclass(frozen=True, eq=False, repr=False)
class WordCoverage:
    """Phrases of labels as sets of words, and how much of them a sentence has.

    Attributes:
        phrases: Share of each word in the phrase's idf, `(phrases, words)`; each row's sum is 1.
        links: 1 where a phrase names a label, `(phrases, m)`.
    """

    phrases: sparse.csr_matrix
    links: sparse.csr_matrix

    @classmethod
    def of(
        cls, named: Iterable[tuple[int, Sequence[str]]], columns: dict[str, int], idf, labels: int
    ) -> "WordCoverage":
        """The coverage of phrases.

        Args:
            named: Pairs of a label's number and the words of a phrase that names it.
            columns: The column of each word.
            idf: The idf of each, `(words,)`.
            labels: m.
        """
        numbers, owners = {}, set()
        for label, words in named:
            known = tuple(
                sorted({columns[word] for word in words if word in columns and word not in EMPTY_WORDS})
            )
            if known:
                owners.add((numbers.setdefault(known, len(numbers)), label))
        return cls.from_lists(list(numbers), sorted(owners), idf, labels)

    @classmethod
    def from_lists(cls, phrases, links, idf, labels: int) -> "WordCoverage":
        """What `to_lists` gave."""
        rows = np.repeat(np.arange(len(phrases)), [len(words) for words in phrases])
        columns = np.array([word for words in phrases for word in words], np.int64)
        shares = sparse.csr_matrix((idf[columns], (rows, columns)), shape=(len(phrases), len(idf)))
        total = np.asarray(shares.sum(axis=1)).ravel()
        shares.data /= np.repeat(total, np.diff(shares.indptr))
        pairs = np.array(links, np.int64).reshape(-1, 2)
        linked = sparse.csr_matrix(
            (np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=(len(phrases), labels)
        )
        return cls(shares.astype(np.float32), linked)

    def to_lists(self) -> tuple[list, list]:
        """The columns of each phrase's words and the pairs of phrase and label."""
        phrases = np.split(self.phrases.indices, self.phrases.indptr[1:-1])
        links = self.links.tocoo()
        return [words.tolist() for words in phrases], np.stack([links.row, links.col], axis=1).tolist()

    def transform(self, sentences: sparse.csr_matrix, note_of: np.ndarray, notes: int) -> sparse.csr_matrix:
        """The square of the coverage of each label's best phrase in each note's best sentence.

        The square, since a label's log-odds grow faster than the share of its words that is there.

        Args:
            sentences, note_of: As `sentence_words` gives.
            notes: n.

        Returns:
            CSR `(n, m)`, float32; a coverage below 0.4 counts as 0.
        """
        covered = (sentences @ self._of_word).tocoo()
        kept = covered.data >= LEAST_COVERAGE
        values = np.minimum(covered.data[kept], 1) ** 2
        shape = (notes, self.phrases.shape[0])
        found = largest(note_of[covered.row[kept]], covered.col[kept], values, shape)
        return best_of_label(found, self.links)

    def best(self, sentences: sparse.csr_matrix, label: int) -> tuple[int, dict[int, float]] | None:
        """The best sentence of a text for a label, and the share of each of its words that the label's phrase has.

        Returns:
            The sentence's number and a mapping of columns of words to shares, None where no word is there.
        """
        own = self.links.tocsc()[:, [label]].indices
        covered = (self.phrases[own] @ sentences.T).toarray()
        if not covered.size or covered.max() < LEAST_COVERAGE:
            return None
        phrase, sentence = np.unravel_index(covered.argmax(), covered.shape)
        row = self.phrases[own[phrase]]
        there = set(sentences[sentence].indices.tolist())
        shares = zip(row.indices.tolist(), row.data.tolist(), strict=True)
        return int(sentence), {word: share for word, share in shares if word in there}

    @cached_property
    def _of_word(self) -> sparse.csr_matrix:
        return sparse.csr_matrix(self.phrases.T)
