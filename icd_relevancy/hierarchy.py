"""The hierarchy of a model's labels, and maxima and minima along it without a label x label product."""

from collections.abc import Iterable, Sequence

import numpy as np
from keras import ops
from scipy import sparse

from icd_relevancy.errors import InputError, shown_code


class Hierarchy:
    """A forest over the m labels of a model: each label is a root or has one parent.

    Labels keep their own order; a parent may stand before or after its children.

    Args:
        parents: For each label the index of its parent, −1 for a root; m integers.
        names: The label names, for messages. Defaults to None.

    Attributes:
        parents: int32 `(m,)`.
        names: tuple of str, or None.
        levels: int32 `(m,)`: 0 for a root, 1 for its children.
        order: int32 `(m,)`: the labels level after level, siblings together.

    Raises:
        InputError: If `parents` is no list of integers, an index lies outside −1 .. m − 1, the labels form a
            cycle, or the names are not m different ones.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> hierarchy = Hierarchy([-1, 0, 0, 2], names=["390-459", "401", "428", "428.0"])
    >>> hierarchy.levels.tolist()
    [0, 1, 1, 2]

    Reference: CAC §2.1.3.
    """

    def __init__(self, parents: Sequence[int], names: Iterable[str] | None = None):
        self.names = None if names is None else tuple(names)
        self.parents = _checked_parents(parents, self.names)
        self.levels = _levels(self.parents, self.names)
        self._plan_levels()

    @classmethod
    def from_code_system(cls, system, codes: Iterable[str]):
        """The hierarchy of some codes of a code system: a code's parent is its nearest ancestor among them.

        Args:
            system: A `CodeSystem`.
            codes: The m codes, in the order of the model's outputs.

        Raises:
            InputError: If a code is unknown or repeated.

        Example:

        >>> from icd_relevancy.codes import icd9cm
        >>> from icd_relevancy.hierarchy import Hierarchy
        >>> Hierarchy.from_code_system(icd9cm(), ["428.0", "390-459", "428", "250.00"]).parents.tolist()
        [2, -1, 1, -1]
        """
        codes = tuple(codes)
        position = {code: index for index, code in enumerate(codes)}
        parents = [
            next((position[above] for above in system.ancestors(code) if above in position), -1)
            for code in codes
        ]
        return cls(parents, codes)

    def __len__(self) -> int:
        return len(self.parents)

    def __eq__(self, other) -> bool:
        return (
            isinstance(other, Hierarchy)
            and self.names == other.names
            and np.array_equal(self.parents, other.parents)
        )

    def __hash__(self) -> int:
        return hash((self.parents.tobytes(), self.names))

    def __repr__(self) -> str:
        return f"Hierarchy({len(self)} labels on {self.levels.max() + 1} levels)"

    def roll_up_labels(self, labels) -> sparse.csr_matrix:
        """Adds to each row of labels all their ancestors: the complete annotation that training needs.

        Args:
            labels: 0/1 matrix `(n, m)`, dense or scipy sparse.

        Returns:
            CSR matrix `(n, m)` of 0 and 1, int64.

        Raises:
            InputError: If the matrix has not m columns.

        Example:

        >>> from icd_relevancy.hierarchy import Hierarchy
        >>> Hierarchy([-1, 0, 0]).roll_up_labels([[0, 0, 1], [0, 0, 0]]).toarray().tolist()
        [[1, 0, 1], [0, 0, 0]]

        Reference: CAC §2.1.3.
        """
        labels = sparse.csr_matrix(labels)
        if labels.shape[1] != len(self):
            raise InputError(f"the label matrix has {labels.shape[1]} columns; expected {len(self)}")
        every = np.arange(len(self))
        rows, columns, above = [every], [every], self.parents
        while (above >= 0).any():
            rows.append(np.flatnonzero(above >= 0))
            columns.append(above[above >= 0])
            above = np.where(above >= 0, self.parents[above], -1)
        rows, columns = np.concatenate(rows), np.concatenate(columns)
        closure = sparse.csr_matrix((np.ones(len(rows), np.int64), (rows, columns)), shape=(len(self),) * 2)
        rolled = (labels != 0).astype(np.int64) @ closure
        rolled.data[:] = 1
        rolled.sort_indices()
        return rolled

    def get_config(self) -> dict:
        """The parents and names as JSON can hold them, for `from_config`."""
        return {
            "parents": self.parents.tolist(),
            "names": None if self.names is None else list(self.names),
        }

    @classmethod
    def from_config(cls, config: dict):
        """The hierarchy of a `get_config`."""
        return cls(**config)

    def to_levels(self, values):
        """`(…, m)` as `(m, …)`, level after level (row i is label `order[i]`): a gather then reads contiguous rows."""
        return ops.take(ops.moveaxis(values, -1, 0), self.order, axis=0)

    def from_levels(self, rows):
        """The inverse of `to_levels`."""
        return ops.moveaxis(ops.take(rows, self._place, axis=0), 0, -1)

    def max_below(self, rows):
        """`max_over_descendants` of the rows of `to_levels`, in their order."""
        levels = self._split(rows)
        for level in range(len(levels) - 2, -1, -1):
            largest = ops.segment_max(
                levels[level + 1], self._parent_places[level + 1], num_segments=levels[level].shape[0]
            )
            levels[level] = ops.maximum(levels[level], largest)
        return ops.concatenate(levels, axis=0)

    def min_above(self, rows):
        """`min_over_ancestors` of the rows of `to_levels`, in their order."""
        levels = self._split(rows)
        for level in range(1, len(levels)):
            above = ops.take(levels[level - 1], self._parent_places[level], axis=0)
            levels[level] = ops.minimum(levels[level], above)
        return ops.concatenate(levels, axis=0)

    def mean_below(self, rows):
        """`mean_of_children` of the rows of `to_levels`, in their order."""
        levels = self._split(rows)
        for level in range(len(levels) - 2, -1, -1):
            places, labels = self._parent_places[level + 1], levels[level].shape[0]
            children = np.bincount(places, minlength=labels).reshape(-1, *[1] * (len(rows.shape) - 1))
            total = ops.segment_sum(levels[level + 1], places, num_segments=labels)
            mean = total / ops.cast(np.maximum(children, 1), total.dtype)
            levels[level] = ops.where(children > 0, mean, levels[level])
        return ops.concatenate(levels, axis=0)

    def _plan_levels(self):
        """Orders the labels level by level, siblings together, so that a level is one slice."""
        order, self._starts, self._parent_places = [], [0], []
        place = np.zeros(len(self), np.int64)
        for level in range(self.levels.max() + 1):
            members = np.flatnonzero(self.levels == level)
            if level:
                members = members[np.argsort(place[self.parents[members]], kind="stable")]
            self._parent_places.append(place[self.parents[members]].astype(np.int32) if level else None)
            place[members] = np.arange(len(members))
            order.append(members)
            self._starts.append(self._starts[-1] + len(members))
        self.order = np.concatenate(order).astype(np.int32)
        self._place = np.argsort(self.order).astype(np.int32)

    def _split(self, rows) -> list:
        return [rows[start:stop] for start, stop in zip(self._starts, self._starts[1:], strict=False)]


def max_over_descendants(values, hierarchy: Hierarchy):
    """For each label the maximum of `values` `(…, m)` over itself and all below it; equal ones share the gradient."""
    return hierarchy.from_levels(hierarchy.max_below(hierarchy.to_levels(values)))


def min_over_ancestors(values, hierarchy: Hierarchy):
    """For each label the minimum of `values` `(…, m)` over itself and all above it; equal ones share the gradient."""
    return hierarchy.from_levels(hierarchy.min_above(hierarchy.to_levels(values)))


def mean_of_children(values, hierarchy: Hierarchy):
    """For each label that has children the mean of `values` `(…, m)` over them, from the leaves upwards."""
    return hierarchy.from_levels(hierarchy.mean_below(hierarchy.to_levels(values)))


def _checked_parents(parents, names) -> np.ndarray:
    parents = np.asarray(parents)
    if parents.ndim != 1 or not parents.size or parents.dtype.kind not in "iu":
        raise InputError(
            f"parents must be a list of m integers. Received: shape {parents.shape}, {parents.dtype}"
        )
    if names is not None and (len(names) != len(parents) or len(set(names)) < len(names)):
        raise InputError(f"names must be {len(parents)} different labels, one for each parent")
    outside = np.flatnonzero((parents < -1) | (parents >= len(parents)))
    if len(outside):
        label, last = outside[0], len(parents) - 1
        raise InputError(
            f"{_label(label, names)} has parent {parents[label]}; use -1 for a root, else 0 to {last}"
        )
    return parents.astype(np.int32)


def _levels(parents: np.ndarray, names) -> np.ndarray:
    levels = np.where(parents < 0, 0, -1).astype(np.int32)
    for level in range(len(parents)):
        below = (levels < 0) & (levels[parents] == level)
        if not below.any():
            break
        levels[below] = level + 1
    if (levels < 0).any():
        # Above a label without a level there is a cycle, reached after at most m steps.
        label = int(np.flatnonzero(levels < 0)[0])
        for _ in range(len(parents)):
            label = int(parents[label])
        raise InputError(f"{_label(label, names)} is its own ancestor; give each label a path to a root")
    return levels


def _label(index: int, names) -> str:
    return f"label {index}" if names is None else f"label {shown_code(names[index])}"


def check_hierarchy(hierarchy) -> None:
    """Refuses what is no `Hierarchy`."""
    if not isinstance(hierarchy, Hierarchy):
        raise InputError(f"hierarchy must be a Hierarchy. Received: {type(hierarchy).__name__}")


def check_outputs(hierarchy: Hierarchy, outputs) -> None:
    """Refuses a tensor whose last axis is not the labels of the hierarchy."""
    if outputs.shape[-1] != len(hierarchy):
        raise InputError(
            f"the hierarchy's levels are for {len(hierarchy)} labels. Received: {outputs.shape[-1]} outputs"
        )
