"""Links between the labels of two code systems."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from icd_relevancy.codes.nearest import Nearest, TableCodes
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.errors import InputError

EQUIVALENT, APPROXIMATE = 1.0, 0.5


@dataclass(frozen=True)
class LinkedSide:
    """What a mapping says of the labels of one code system.

    Attributes:
        system: Name of the code system.
        labels: Number of its labels.
        linked: Number of those with a link.
        outside: Number of pairs of the mapping, both directions joined, that lead from a label to a code for
            which the other system has no label.
        resolved: The labels that the mapping lacks, each with the codes of it that stand for the label, which
            are below it or above it.
        no_map: The labels of which the mapping says that the other system has nothing.
        unlinked: All labels without a link, those of `no_map` among them.
    """

    system: str
    labels: int
    linked: int
    outside: int
    resolved: tuple[tuple[str, tuple[str, ...]], ...]
    no_map: tuple[str, ...]
    unlinked: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.system}: {self.linked} of {self.labels} labels linked, {len(self.resolved)} not in the mapping "
            f"but near to codes of it, {len(self.no_map)} mapped to nothing, {self.outside} pairs to other codes"
        )


@dataclass(frozen=True)
class LinkReport:
    """What a mapping says of two label sets: one `LinkedSide` each."""

    first: LinkedSide
    second: LinkedSide

    def of(self, system: str) -> LinkedSide:
        """What the mapping says of the labels of a system, by its name."""
        return next(side for side in (self.first, self.second) if side.system == system)

    def __str__(self) -> str:
        return f"{self.first}; {self.second}"


@dataclass(frozen=True, eq=False)
class CodeLinks:
    """Which labels of two code systems belong together.

    Attributes:
        edges: int32 array `(k, 2)`: position in the first labels, position in the second, sorted; each pair
            once.
        weights: float32 array `(k,)`: 1 for equivalent codes, 0.5 for approximately equivalent ones.
        report: What was linked and what was not.
    """

    edges: np.ndarray
    weights: np.ndarray
    report: LinkReport

    def __repr__(self) -> str:
        return f"CodeLinks({len(self.edges)} edges; {self.report})"


def link_labels(
    table: pd.DataFrame, labels: Sequence[Sequence[str]], systems: Sequence[CodeSystem]
) -> CodeLinks:
    """The links that a mapping gives between two label sets; see `CodeMapping.links`.

    Args:
        table: The rows of a `CodeMapping`.
        labels: The first labels and the second.
        systems: The first code system and the second.

    Raises:
        InputError: If no label is linked.
    """
    sides = ("first", "second")
    table = table.copy()
    found: list[dict[str, Nearest]] = []
    for side, names, system in zip(sides, labels, systems, strict=True):
        codes = TableCodes(table[side].dropna().unique(), system)
        table[side] = table[side].map(codes.spelling)
        found.append(codes.nearest(names))
    pairs = _pairs(table)
    standing = [_standing(side, names, near) for side, names, near in zip(sides, labels, found, strict=True)]
    joined = pairs.merge(standing[0], on="first").merge(standing[1], on="second")
    joined["weight"] = joined["weight"].where(joined["exact_x"] & joined["exact_y"], APPROXIMATE)
    edges = joined.groupby(["label_x", "label_y"], sort=True)["weight"].max().reset_index()
    if edges.empty:
        raise InputError(
            f"the mapping links none of the {len(labels[0])} {systems[0].name} labels to any of the "
            f"{len(labels[1])} {systems[1].name} labels; choose a mapping between these two systems, or other labels"
        )
    told = [
        _side(side, pairs, standing, edges[column].unique(), labels[side], found[side], systems[side].name)
        for side, column in enumerate(("label_x", "label_y"))
    ]
    return CodeLinks(
        edges=edges[["label_x", "label_y"]].to_numpy(np.int32),
        weights=edges["weight"].to_numpy(np.float32),
        report=LinkReport(*told),
    )


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Each pair of codes once, with the greater of its weights.

    The parts of a combination stand for the source together only, so none is more than approximate.
    """
    rows = table.loc[~table["no_map"], ["first", "second"]].copy()
    rough = table.loc[rows.index, "approximate"] | table.loc[rows.index, "combination"]
    rows["weight"] = np.where(rough, APPROXIMATE, EQUIVALENT)
    return rows.groupby(["first", "second"], sort=False, as_index=False)["weight"].max()


def _standing(side: str, labels: Sequence[str], found: dict[str, Nearest]) -> pd.DataFrame:
    """One row for each label and each code of the mapping that stands for it."""
    rows = [
        (code, position, found[label].exact)
        for position, label in enumerate(labels)
        for code in found[label].codes
    ]
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    codes, positions, exact = columns
    return pd.DataFrame(
        {
            side: pd.Series(codes, dtype=object),
            "label": np.array(positions, np.int64),
            "exact": np.array(exact, bool),
        }
    )


def _side(side: int, pairs, standing, linked, labels, found: dict[str, Nearest], name: str) -> LinkedSide:
    own, other = ("first", "second") if side == 0 else ("second", "first")
    mine = pairs[pairs[own].isin(standing[side][own])]
    outside = ~mine[other].isin(standing[1 - side][other])
    mapped = set(mine[own])
    without = np.setdiff1d(np.arange(len(labels)), linked)
    return LinkedSide(
        system=name,
        labels=len(labels),
        linked=len(linked),
        outside=int(outside.sum()),
        resolved=tuple(
            (label, found[label].codes) for label in labels if found[label].codes and not found[label].exact
        ),
        no_map=tuple(
            label for label in labels if found[label].codes and mapped.isdisjoint(found[label].codes)
        ),
        unlinked=tuple(labels[position] for position in without),
    )
