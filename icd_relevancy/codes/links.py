"""Links between the labels of two code systems, by the nearest relatives of a code among the codes of a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.errors import InputError

_EQUIVALENT, _APPROXIMATE = 1.0, 0.5
_SIDES = ("first", "second")


@dataclass(frozen=True)
class Nearest:
    """The codes of a table that stand for a code: itself however spelled, else all below it, else the nearest above."""

    codes: tuple[str, ...]
    exact: bool


class TableCodes:
    """Finds the nearest relatives of a code among the codes of a table, which may be of another year than the system.

    Codes of the table that the system lacks count as children of the nearest code that it has. Without a system (None)
    a code stands for itself only.
    """

    def __init__(self, codes: Iterable[str], system: CodeSystem | None):
        self.spelling = {code: code for code in codes}
        self._system = system
        self._foreign: dict[str, list[str]] = {}
        if system is not None:
            report = system.normalise_all(self.spelling)[1]
            self.spelling.update(report.reformatted_codes)
            for code, ancestor in report.ancestor_codes:
                self._foreign.setdefault(ancestor, []).append(code)
        self._codes = set(self.spelling.values())

    def nearest(self, codes: Iterable[str]) -> dict[str, Nearest]:
        """For each distinct code what stands for it."""
        distinct = list(dict.fromkeys(codes))
        if self._system is None:
            return {code: Nearest((code,) if code in self._codes else (), True) for code in distinct}
        canonical, report = self._system.normalise_all(distinct)
        shortened = {code for code, _ in report.ancestor_codes}
        nearest = {}
        for code, known in zip(distinct, canonical, strict=True):
            if code in self._codes:
                nearest[code] = Nearest((code,), True)
            elif known in self._codes:
                nearest[code] = Nearest((known,), code not in shortened)
            else:
                nearest[code] = Nearest(() if known is None else self._around(known), False)
        return nearest

    def _around(self, code: str) -> tuple[str, ...]:
        below = [entry for node in (code, *self._system.descendants(code)) for entry in self._at(node)]
        above = (entries for node in self._system.ancestors(code) if (entries := self._at(node)))
        return tuple(below or next(above, ()))

    def _at(self, node: str) -> list[str]:
        """The codes of the table that are this node of the hierarchy, or foreign to it and hang below."""
        return [node] if node in self._codes else self._foreign.get(node, [])


@dataclass(frozen=True)
class LinkedSide:
    """What a mapping says of the labels of one code system.

    Attributes:
        labels, linked: Number of its labels, and of those with a link.
        outside: Number of pairs, both directions joined, from a label to a code for which the other system has no
            label.
        resolved: The labels that the mapping lacks, each with the codes below or above it that stand for it.
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

    def by_system(self, system: str) -> LinkedSide:
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
    """The links between the first labels and the second that the rows of a mapping give; see `CodeMapping.links`."""
    table = table.copy()
    nearest: list[dict[str, Nearest]] = []
    for side, names, system in zip(_SIDES, labels, systems, strict=True):
        codes = TableCodes(table[side].dropna().unique(), system)
        table[side] = table[side].map(codes.spelling)
        nearest.append(codes.nearest(names))
    pairs = _pairs(table)
    stand_ins = [_stand_ins(*each) for each in zip(_SIDES, labels, nearest, strict=True)]
    joined = pairs.merge(stand_ins[0], on="first").merge(stand_ins[1], on="second")
    joined["weight"] = joined["weight"].where(joined["exact_x"] & joined["exact_y"], _APPROXIMATE)
    edges = joined.groupby(["label_x", "label_y"], sort=True)["weight"].max().reset_index()
    if edges.empty:
        raise InputError(
            f"the mapping links none of the {len(labels[0])} {systems[0].name} labels to any of the "
            f"{len(labels[1])} {systems[1].name} labels; choose a mapping between these two systems, or other labels"
        )
    report = LinkReport(
        *(
            _linked_side(number, pairs, stand_ins, edges[column].unique(), nearest[number], labels, systems)
            for number, column in enumerate(("label_x", "label_y"))
        )
    )
    return CodeLinks(
        edges=edges[["label_x", "label_y"]].to_numpy(np.int32),
        weights=edges["weight"].to_numpy(np.float32),
        report=report,
    )


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Each pair of codes once, with its greater weight; parts of a combination stand together, so are approximate."""
    rows = table.loc[~table["no_map"], ["first", "second"]].copy()
    rough = table.loc[rows.index, "approximate"] | table.loc[rows.index, "combination"]
    rows["weight"] = np.where(rough, _APPROXIMATE, _EQUIVALENT)
    return rows.groupby(["first", "second"], sort=False, as_index=False)["weight"].max()


def _stand_ins(side: str, labels: Sequence[str], nearest: dict[str, Nearest]) -> pd.DataFrame:
    """One row for each label and each code of the mapping that stands for it."""
    rows = [
        (code, position, nearest[label].exact)
        for position, label in enumerate(labels)
        for code in nearest[label].codes
    ]
    codes, positions, exact = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            side: pd.Series(codes, dtype=object),
            "label": np.array(positions, np.int64),
            "exact": np.array(exact, bool),
        }
    )


def _linked_side(number: int, pairs, stand_ins, linked, nearest: dict[str, Nearest], labels, systems):
    own, other = _SIDES if number == 0 else _SIDES[::-1]
    from_labels = pairs[pairs[own].isin(stand_ins[number][own])]
    outside = ~from_labels[other].isin(stand_ins[1 - number][other])
    mapped = set(from_labels[own])
    names = labels[number]
    without = np.setdiff1d(np.arange(len(names)), linked)
    known = [(label, nearest[label].codes) for label in names if nearest[label].codes]
    return LinkedSide(
        system=systems[number].name,
        labels=len(names),
        linked=len(linked),
        outside=int(outside.sum()),
        resolved=tuple((label, codes) for label, codes in known if not nearest[label].exact),
        no_map=tuple(label for label, codes in known if mapped.isdisjoint(codes)),
        unlinked=tuple(names[position] for position in without),
    )
