"""Which labels notes carry, as far as they tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False, repr=False)
class CarriedLabels:
    """The labels of n notes, some of which may tell of some labels only, such as notes of another code system.

    Attributes:
        shares: How likely each note carries each of m labels, CSR `(n, m)`, float32: 1 where it is known to.
        partial: Notes that tell of some labels only, bool `(n,)`.
        told: The labels of which these tell, bool `(m,)`.

    Example:

    >>> from icd_relevancy.text import CarriedLabels
    >>> CarriedLabels.of([("R05",), ("R50.9", "I10"), ()], ("R05", "R50.9")).shares.toarray()
    array([[1., 0.],
           [0., 1.],
           [0., 0.]], dtype=float32)
    """

    shares: sparse.csr_matrix
    partial: np.ndarray
    told: np.ndarray

    @classmethod
    def of(cls, codes: Sequence[Iterable[str]], labels: Sequence[str]) -> "CarriedLabels":
        """Those of notes that tell of all labels.

        Args:
            codes: The codes of each note; those that are no label are left out.
            labels: The m labels.
        """
        return cls.weighed([dict.fromkeys(row, 1.0) for row in codes], labels)

    @classmethod
    def weighed(cls, codes: Sequence[dict[str, float]], labels: Sequence[str], partial=None, told=None):
        """Those of notes whose codes are more or less likely.

        Args:
            codes: For each note the probability of each of its codes; those that are no label are left out.
            labels: The m labels.
            partial, told: As the attributes. Default to None: every note tells of every label.
        """
        place = {label: number for number, label in enumerate(labels)}
        rows = [sorted((place[code], share) for code, share in row.items() if code in place) for row in codes]
        columns = np.array([label for row in rows for label, _ in row], np.int64)
        shares = np.array([share for row in rows for _, share in row], np.float32)
        pointers = np.cumsum([0, *map(len, rows)])
        return cls(
            sparse.csr_matrix((shares, columns, pointers), shape=(len(rows), len(place))),
            np.zeros(len(rows), bool) if partial is None else np.asarray(partial, bool),
            np.ones(len(place), bool) if told is None else np.asarray(told, bool),
        )

    def __len__(self) -> int:
        return self.shares.shape[0]

    def select(self, rows) -> "CarriedLabels":
        """Those of some of the notes.

        Args:
            rows: Their positions.
        """
        return CarriedLabels(self.shares[rows], self.partial[rows], self.told)

    @property
    def prior(self) -> np.ndarray:
        """The share of the notes that carry each label, of those that tell of it, `(m,)`."""
        telling = (~self.partial).sum() + self.partial.sum() * self.told
        return np.asarray(self.shares.sum(axis=0)).ravel() / np.maximum(telling, 1)

    def telling(self, found: sparse.csr_matrix, things: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The number of notes that have a thing and tell of a label, for pairs of the two.

        Args:
            found: Which notes have which of k things, `(n, k)`, 0 and 1.
            things: Position of the thing of each pair.
            labels: Position of the label of each pair.
        """
        whole, part = (np.asarray(found[rows].sum(axis=0)).ravel() for rows in (~self.partial, self.partial))
        return whole[things] + part[things] * self.told[labels]
