"""What holds for a group of codes, given what holds for each code."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from icd_relevancy.codes.system import CodeSystem


@dataclass(frozen=True, eq=False)
class LeafValues:
    """Spreads values of the leaves of a system over all of its nodes; a leaf keeps its own value."""

    system: CodeSystem

    @cached_property
    def _below(self) -> sparse.csr_matrix:
        """Nodes x leaves: 1 where the leaf is the node or lies below it."""
        position = {code: number for number, code in enumerate(self.system.codes)}
        paths = self.system.paths
        rows, columns = [], []
        for number, leaf in enumerate(self.system.leaves):
            for node in paths[leaf]:
                rows.append(position[node])
                columns.append(number)
        shape = (len(self.system.codes), len(self.system.leaves))
        return sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape)

    @cached_property
    def _leaves_below(self) -> np.ndarray:
        return np.asarray(self._below.sum(axis=1)).ravel()

    def all_of(self, values: np.ndarray) -> np.ndarray:
        """Of booleans: what holds for all leaves below."""
        counts = self._below @ values.astype(np.int32)
        return (counts == self._leaves_below) & (counts > 0)

    def most_of(self, values: np.ndarray) -> np.ndarray:
        """Of booleans: what holds for more than half of the leaves below."""
        return 2 * (self._below @ values.astype(np.int32)) > self._leaves_below

    def shared(self, values: np.ndarray) -> np.ndarray:
        """Of single values (None where missing): the value of more than half of the leaves below, else None."""
        column = np.full(len(self.system.codes), None, dtype=object)
        codes, distinct = pd.factorize(values)
        node, value = self._frequent(np.arange(len(values))[codes >= 0], codes[codes >= 0], len(distinct))
        column[node] = np.asarray(distinct, dtype=object)[value]
        return column

    def shared_of_several(self, values: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Of tuples: the entries that more than half of the leaves below have, in alphabetical order."""
        distinct = sorted({entry for entries in values for entry in entries})
        number = {entry: index for index, entry in enumerate(distinct)}
        leaf = np.repeat(np.arange(len(values)), [len(entries) for entries in values])
        entry = np.array([number[entry] for entries in values for entry in entries], dtype=int)
        column: list[list[str]] = [[] for _ in self.system.codes]
        for node, value in zip(*self._frequent(leaf, entry, len(distinct)), strict=True):
            column[node].append(distinct[value])
        return [tuple(sorted(entries)) for entries in column]

    def _frequent(self, leaf: np.ndarray, value: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        ones = np.ones(len(leaf), np.int32)
        of_leaves = sparse.csr_matrix((ones, (leaf, value)), (self._below.shape[1], size))
        counts = (self._below @ of_leaves).tocoo()
        frequent = 2 * counts.data > self._leaves_below[counts.row]
        return counts.row[frequent], counts.col[frequent]


def values_of_all_codes(system: CodeSystem, kind: str, listed: dict[str, object]) -> list[object]:
    """Values of a feature for every code: its own, else of the nearest code above, else what most leaves below have."""
    missing = {"boolean": False, "ordinal": None, "categorical": None, "multiple": (), "text": ""}[kind]
    known: dict[str, object] = {}
    for code in system.codes:
        parent = system.parents[code]
        if code in listed:
            known[code] = missing if listed[code] is None else listed[code]
        elif parent in known:
            known[code] = known[parent]
    if len(known) < len(system.codes):
        leaves = [known.get(leaf, missing) for leaf in system.leaves]
        known = dict(zip(system.codes, _over_groups(system, kind, leaves), strict=True)) | known
    return [known[code] for code in system.codes]


def _over_groups(system: CodeSystem, kind: str, leaves: list[object]) -> list[object]:
    spread = LeafValues(system)
    if kind == "multiple":
        return spread.shared_of_several(leaves)
    if kind == "boolean":
        return spread.most_of(np.array(leaves)).tolist()
    values = np.array([None if value == "" else value for value in leaves], dtype=object)
    shared = spread.shared(values).tolist()
    return ["" if value is None else value for value in shared] if kind == "text" else shared
