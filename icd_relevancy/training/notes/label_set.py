"""The labels of one code system, and what the notes say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from icd_relevancy.codes import CodeLinks, CodeSystem
from icd_relevancy.data import Notes, encode_labels
from icd_relevancy.data.labels import label_names
from icd_relevancy.errors import InputError
from icd_relevancy.layers.hierarchical_attention import category_membership
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.text import CarriedLabels
from icd_relevancy.vectors.code_vectors import graph_of_labels

# From this probability on, what a note calls a code of the other system is taken as a name of the label too.
_LIKELY = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class LabelSet:
    """The labels of one code system, and the notes that are coded in it.

    Attributes:
        system, labels, titles, relevance: The code system, its m codes, their titles and their `RelevanceGraph`.
        y: Labels of all n notes, CSR `(n, m)`.
        coded: Which of the notes are coded in the system, bool `(n,)`.
        linked: For each linked label of the other system of a joint model those of this one, with their probabilities.
    """

    system: CodeSystem
    labels: tuple[str, ...]
    titles: tuple[str, ...]
    relevance: RelevanceGraph
    y: sparse.csr_matrix
    coded: np.ndarray
    linked: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def from_codes(
        cls,
        codes,
        coded,
        system: CodeSystem,
        min_count: int = 1,
        vectors: str | None = None,
        threshold: float = 0.76,
    ) -> "LabelSet":
        """The labels of notes, each with its codes in the system, or none; `coded` tells which are coded in it."""
        labels = label_names(codes, min_count)
        if not labels:
            raise InputError(
                f"there are no labels: no code of {system.name} is in min_count={min_count} notes; give more "
                "coded notes, or lower it"
            )
        return cls(
            system,
            labels,
            _titles(labels, system),
            graph_of_labels(labels, system, vectors, threshold),
            encode_labels(codes, labels),
            coded,
        )

    @property
    def name(self) -> str:
        """The name of the code system."""
        return self.system.name

    def rows(self, part: np.ndarray) -> np.ndarray:
        """Those of the rows of a part whose notes are coded in the system."""
        return part[self.coded[part]]

    def categories(self) -> tuple[str, ...]:
        """What the categories of `category_membership` are called."""
        _, names = category_membership(self.system, self.labels)
        return tuple(f"{name} {self.system.title(name)}" if name in self.system else name for name in names)

    def notes_to_learn(self, notes: Notes, part: np.ndarray) -> tuple[Notes, CarriedLabels, np.ndarray]:
        """The notes of a part that say which words go with the labels: with their labels, and their rows.

        Where labels are linked these include notes of the other system, which tell of the linked labels alone.
        """
        rows = part if self.linked else self.rows(part)
        notes, own = notes.select(rows), self.coded[rows]
        codes = [
            dict.fromkeys(row, 1.0) if here else self._through_links(row)
            for row, here in zip(notes.codes, own.tolist(), strict=True)
        ]
        mentions = notes.mentions and [
            row if here or row is None else self._mentions_through_links(row)
            for row, here in zip(notes.mentions, own.tolist(), strict=True)
        ]
        linked = {label for shares in self.linked.values() for label in shares}
        is_linked = np.array([label in linked for label in self.labels], bool)
        note_labels = CarriedLabels.weighed(codes, self.labels, ~own, is_linked)
        return replace(notes, mentions=mentions), note_labels, rows

    def _through_links(self, codes) -> dict[str, float]:
        shares: dict[str, float] = {}
        for code in codes:
            for label, share in self.linked.get(code, {}).items():
                shares[label] = max(share, shares.get(label, 0.0))
        return shares

    def _mentions_through_links(self, mentions) -> tuple[tuple[str, str], ...]:
        """The mentions of the labels that codes most likely stand for."""
        return tuple(
            (label, text)
            for code, text in mentions
            for label, share in self.linked.get(code, {}).items()
            if share >= _LIKELY
        )


def with_links(label_sets: Sequence[LabelSet], links: CodeLinks) -> tuple[LabelSet, ...]:
    """The two label sets of a joint model, each with its links to the other.

    A code linked to several labels is each of them with a probability that grows with the link's weight and its notes.
    """
    with_shares = []
    for side, labels in enumerate(label_sets):
        other, counts = label_sets[1 - side].labels, np.asarray(labels.y.sum(axis=0)).ravel()
        linked: dict[str, dict[str, float]] = {}
        for edge, weight in zip(links.edges.tolist(), links.weights.tolist(), strict=True):
            own = edge[side]
            linked.setdefault(other[edge[1 - side]], {})[labels.labels[own]] = weight * float(counts[own])
        shares = {
            code: {label: value / sum(of_code.values()) for label, value in of_code.items()}
            for code, of_code in linked.items()
        }
        with_shares.append(replace(labels, linked=shares))
    return tuple(with_shares)


def _titles(labels, system: CodeSystem) -> tuple[str, ...]:
    """The labels' titles; a code of another edition has that of its nearest ancestor, and says so."""
    known = [system.normalise(label) for label in labels]
    return tuple(
        system.title(code) if code == label else f"{system.title(code)} (title of {code})"
        for label, code in zip(labels, known, strict=True)
    )
