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
from icd_relevancy.relevance import RelevanceGraph
from icd_relevancy.training.config import TrainingConfig
from icd_relevancy.training.label_graph import graph_of_labels


@dataclass(frozen=True, eq=False, repr=False)
class LabelSet:
    """The labels of one code system, and the notes that are coded in it.

    Attributes:
        system: The code system.
        labels: The m codes.
        titles: Their titles.
        relevance: Their `RelevanceGraph`.
        y: Labels of all n notes, CSR `(n, m)`.
        coded: Which of the notes are coded in the system, bool `(n,)`.
        linked: For labels of the other code system of a joint model those of this one that are linked to them;
            empty without links.
    """

    system: CodeSystem
    labels: tuple[str, ...]
    titles: tuple[str, ...]
    relevance: RelevanceGraph
    y: sparse.csr_matrix
    coded: np.ndarray
    linked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, codes, coded, system: CodeSystem, config: TrainingConfig) -> "LabelSet":
        """The labels of notes, each with its codes in the system, or none.

        Raises:
            InputError: If there are none, or they have no vectors.
        """
        labels = label_names(codes, config.min_count)
        if not labels:
            raise InputError(
                f"there are no labels: no code of {system.name} is in min_count={config.min_count} notes; give more "
                "coded notes, or lower it"
            )
        return cls(
            system,
            labels,
            _titles(labels, system),
            graph_of_labels(labels, config, system),
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

    def taught(self, notes: Notes, part: np.ndarray) -> tuple[Notes, np.ndarray]:
        """The notes of a part that say which words go with the labels, in the codes of this system.

        Those that are coded in it and, where labels are linked, those of the other system: each with the labels
        that are linked to its codes.

        Args:
            notes: All n notes.
            part: Rows of the part.

        Returns:
            The notes, and their rows.
        """
        rows = part if self.linked else self.rows(part)
        notes, own = notes.select(rows), self.coded[rows].tolist()
        codes = [
            row if here else self._through_links(row) for row, here in zip(notes.codes, own, strict=True)
        ]
        mentions = notes.mentions and [
            row if here or row is None else self._mentions_through_links(row)
            for row, here in zip(notes.mentions, own, strict=True)
        ]
        return replace(notes, codes=codes, mentions=mentions), rows

    def _through_links(self, codes) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label for code in codes for label in self.linked.get(code, ())))

    def _mentions_through_links(self, mentions) -> tuple[tuple[str, str], ...]:
        return tuple((label, text) for code, text in mentions for label in self.linked.get(code, ()))


def with_links(label_sets: Sequence[LabelSet], links: CodeLinks) -> tuple[LabelSet, LabelSet]:
    """The two label sets of a joint model, each with its links to the other.

    Args:
        label_sets: The two.
        links: The links between their labels.
    """
    one, other = label_sets
    of_one, of_other = {}, {}
    for first, second in links.edges.tolist():
        of_one.setdefault(other.labels[second], []).append(one.labels[first])
        of_other.setdefault(one.labels[first], []).append(other.labels[second])
    return tuple(
        replace(labels, linked={code: tuple(found) for code, found in linked.items()})
        for labels, linked in ((one, of_one), (other, of_other))
    )


def _titles(labels, system: CodeSystem) -> tuple[str, ...]:
    """The labels' titles; a code of another edition has that of its nearest ancestor, and says so."""
    known = [system.normalise(label) for label in labels]
    return tuple(
        system.title(code) if code == label else f"{system.title(code)} (title of {code})"
        for label, code in zip(labels, known, strict=True)
    )
