"""Runs of words that go with a code in the training notes, without annotation or title."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from icd_relevancy.text.lexicon.carried_labels import CarriedLabels
from icd_relevancy.text.lexicon.sparse_best import best_of_labels, from_triples, triples
from icd_relevancy.text.words import PlainText

LONGEST = 3
LEAST_LIFT = 0.1
_LABELS_AT_ONCE = 512
_END = ""
_LONGEST_LOADED = 16


@dataclass(frozen=True, eq=False, repr=False)
class LearnedPhrases:
    """Phrases as runs of words within a sentence, and what they say of labels: `links`, CSR `(phrases, m)`."""

    phrases: tuple[tuple[str, ...], ...]
    links: sparse.csr_matrix

    @classmethod
    def fit(
        cls, texts: Sequence[PlainText], carried: CarriedLabels, groups: np.ndarray, min_groups: int = 2
    ) -> "LearnedPhrases":
        """Runs of one to three words that go with a label and that at least `min_groups` groups of notes have.

        A run says of a label by how much it lifts its probability: `(p - q) / (1 - q)`, where q is the share of
        all notes that carry the label and p that of the notes with the run, `(carrying - 1) / (notes + 2)`: one
        less, since a run that was looked for goes with the label once by chance. It is kept from 0.1 on, and
        where no part of the run says as much. Notes that do not tell of a label do not count for it.
        """
        names = sorted({word for text in texts for word in text.words})
        runs = _Runs.from_words(texts, {word: number for number, word in enumerate(names)})
        phrases, links, best = [], [], None
        for _ in range(LONGEST):
            runs = runs.frequent(groups, min_groups)
            if not runs.examples.size:
                break
            own = _lifts(runs.having, carried)
            parts = None if best is None else best[runs.heads].maximum(best[runs.tails])
            kept = own if parts is None else own.multiply(own > parts).tocsr()
            best = own if parts is None else own.maximum(parts)
            used = np.flatnonzero(np.diff(kept.indptr))
            for place in runs.examples[used]:
                phrases.append(tuple(names[word] for word in runs.tokens[place : place + runs.length]))
            links.append(kept[used])
            runs = runs.longer()
        empty = sparse.csr_matrix((0, carried.shares.shape[1]), dtype=np.float32)
        return cls(tuple(phrases), sparse.vstack([empty, *links], format="csr", dtype=np.float32))

    def transform(self, texts: Sequence[PlainText]) -> sparse.csr_matrix:
        """What the best phrase of each label says, in each of n notes: CSR `(n, m)`, float32."""
        numbers = [sorted({number for number, _, _ in self.occurrences(text)}) for text in texts]
        pointers = np.cumsum([0, *map(len, numbers)])
        columns = np.array([number for row in numbers for number in row], np.int64)
        shape = (len(texts), len(self.phrases))
        values = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, pointers), shape=shape)
        return best_of_labels(values, self.links)

    def evidence(self, text: PlainText, label: int) -> tuple[float, list[tuple[int, int, float]]]:
        """A label's value, and the spans `(start, stop, value)` of its best phrase, of equal ones the longest."""
        places = self.occurrences(text)
        if not places:
            return 0.0, []
        said = self.links[[number for number, _, _ in places], label].toarray().ravel()
        value = float(said.max())
        if not value:
            return 0.0, []
        best = [
            (start, stop) for (_, start, stop), weight in zip(places, said, strict=True) if weight == value
        ]
        longest = max(stop - start for start, stop in best)
        kept = [(start, stop) for start, stop in best if stop - start == longest]
        return value, [(text.spans[start][0], text.spans[stop - 1][1], value) for start, stop in kept]

    def occurrences(self, text: PlainText) -> list[tuple[int, int, int]]:
        """Where the phrases stand: number of the phrase, first word, word after the last."""
        places, words, sentences = [], text.words, text.sentences
        for start in range(len(words)):
            node, stop = self._tree, start
            while stop < len(words) and sentences[stop] == sentences[start]:
                node = node.get(words[stop])
                if node is None:
                    break
                stop += 1
                if _END in node:
                    places.append((node[_END], start, stop))
        return places

    def to_dict(self) -> dict:
        """The phrases and what they say, as JSON can hold it."""
        return {"phrases": [" ".join(words) for words in self.phrases], "links": triples(self.links)}

    @classmethod
    def from_dict(cls, state: Mapping, labels: int) -> "LearnedPhrases":
        """The phrases that `to_dict` gave."""
        phrases = tuple(tuple(phrase.split(" ")) for phrase in state["phrases"])
        if not all(len(phrase) <= _LONGEST_LOADED and all(phrase) for phrase in phrases):
            raise ValueError("a phrase is no run of a few words")
        return cls(phrases, from_triples(state["links"], (len(phrases), labels)))

    @cached_property
    def _tree(self) -> dict:
        """Phrases by their first word, those by their second and so on; at its end a phrase's number."""
        tree = {}
        for number, phrase in enumerate(self.phrases):
            node = tree
            for word in phrase:
                node = node.setdefault(word, {})
            node[_END] = number
        return tree


def _lifts(having: sparse.csr_matrix, carried: CarriedLabels) -> sparse.csr_matrix:
    """What runs say of labels, a block of labels at a time: most runs are in some note with most labels."""
    prior, blocks = carried.prior, []
    for start in range(0, len(prior), _LABELS_AT_ONCE):
        together = sparse.coo_matrix(having.T @ carried.shares[:, start : start + _LABELS_AT_ONCE])
        share = prior[start + together.col]
        notes = carried.telling(having, together.row, start + together.col)
        lift = ((together.data - 1) / (notes + 2) - share) / np.maximum(1 - share, 1e-6)
        kept = lift >= LEAST_LIFT
        entries = (lift[kept].astype(np.float32), (together.row[kept], together.col[kept]))
        blocks.append(sparse.csr_matrix(entries, shape=together.shape))
    return sparse.hstack(blocks, format="csr")


@dataclass(frozen=True, eq=False)
class _Runs:
    """All runs of `length` words within the sentences of texts.

    Attributes:
        tokens, note_of: The words of all texts, by number, and the text that each place is of.
        room: For each place how many words of its sentence stand there or later.
        run_at: Number of the run that begins at each place, -1 for none.
        having: Which runs stand in which text, CSR `(n, runs)`.
        examples: A place of each run.
        heads, tails: The runs of a word less that each run begins and ends with; empty for single words.
    """

    tokens: np.ndarray
    room: np.ndarray
    note_of: np.ndarray
    length: int
    run_at: np.ndarray
    having: sparse.csr_matrix
    examples: np.ndarray
    heads: np.ndarray
    tails: np.ndarray

    @classmethod
    def from_words(cls, texts: Sequence[PlainText], numbers: Mapping[str, int]) -> "_Runs":
        tokens = np.array([numbers[word] for text in texts for word in text.words], np.int64)
        note_of = np.repeat(np.arange(len(texts)), [len(text.words) for text in texts])
        sentences = np.array([sentence for text in texts for sentence in text.sentences], np.int64)
        begins = np.flatnonzero((np.diff(sentences, prepend=-1) != 0) | (np.diff(note_of, prepend=-1) != 0))
        sizes = np.diff(np.append(begins, len(tokens)))
        room = np.repeat(begins + sizes, sizes) - np.arange(len(tokens))
        return cls._numbered(tokens, room, note_of, 1, tokens, len(texts), None)

    @classmethod
    def _numbered(
        cls, tokens, room, note_of, length, keys, texts: int, shorter: np.ndarray | None
    ) -> "_Runs":
        """Runs that are the same where their keys are the same, and not there where the key is -1."""
        at = np.flatnonzero(keys >= 0)
        _, first, numbers = np.unique(keys[at], return_index=True, return_inverse=True)
        run_at = np.full(len(keys), -1, np.int64)
        run_at[at] = numbers
        cells = np.unique(note_of[at] * max(len(first), 1) + numbers)
        rows, columns = np.divmod(cells, max(len(first), 1))
        ones = np.ones(len(cells), np.float32)
        having = sparse.csr_matrix((ones, (rows, columns)), shape=(texts, len(first)))
        examples = at[first]
        parts = (
            (examples[:0], examples[:0]) if shorter is None else (shorter[examples], shorter[examples + 1])
        )
        return cls(tokens, room, note_of, length, run_at, having, examples, *parts)

    def frequent(self, groups: np.ndarray, min_groups: int) -> "_Runs":
        """The runs that stand in so many groups of texts."""
        group = np.unique(groups, return_inverse=True)[1]
        notes = sparse.csr_matrix((np.ones(len(group), np.float32), (group, np.arange(len(group)))))
        kept = np.flatnonzero(np.asarray((notes @ self.having > 0).sum(axis=0)).ravel() >= min_groups)
        renumbered = np.full(len(self.examples) + 1, -1, np.int64)
        renumbered[kept] = np.arange(len(kept))
        parts = (self.heads[kept], self.tails[kept]) if self.length > 1 else (self.heads, self.tails)
        run_at = renumbered[self.run_at]
        return _Runs(
            self.tokens,
            self.room,
            self.note_of,
            self.length,
            run_at,
            self.having[:, kept],
            self.examples[kept],
            *parts,
        )

    def longer(self) -> "_Runs":
        """The runs of a word more of which both parts are here."""
        tail = np.append(self.run_at[1:], -1)
        whole = (self.run_at >= 0) & (tail >= 0) & (self.room > self.length)
        keys = np.where(whole, self.run_at * max(len(self.examples), 1) + tail, -1)
        texts = self.having.shape[0]
        return self._numbered(self.tokens, self.room, self.note_of, self.length + 1, keys, texts, self.run_at)
