"""Codes with all that stand above them: the label space of a whole hierarchy."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from scipy import sparse

from icd_relevancy.codes import CodeSystem
from icd_relevancy.data.labels import encode_labels
from icd_relevancy.errors import InputError, shown_code

_ROOT = -1


@dataclass(frozen=True, eq=False)
class RolledUp:
    """Nodes of a hierarchy, and which of them each stay carries.

    Attributes:
        names: The m nodes, each after its parent (hierarchy order) unless `select` gave another order.
        level: int64 array `(m,)`: depth of each node in the code system, 0 for a chapter.
        parent: int64 array `(m,)`: position of the nearest node above, -1 for a root.
        labels: CSR matrix `(n, m)` of 0 and 1, int64: a stay carries a node if it carries a code below it.
        assigned: CSR matrix `(n, m)` of 0 and 1, int64: the codes themselves, without what stands above them;
            a code without a node of its own is left out.
        unknown_codes: Codes that are not of the system, each with the number of stays that carry it, the most
            frequent first.
        code_system: The hierarchy.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.data import roll_up
    >>> rolled = roll_up([("428.21",), ("428",)], icd9cm())
    >>> rolled.names, rolled.parent.tolist()
    (('390-459', '428', '428.2', '428.21'), [-1, 0, 1, 2])
    """

    names: tuple[str, ...]
    level: np.ndarray
    parent: np.ndarray
    labels: sparse.csr_matrix
    assigned: sparse.csr_matrix
    unknown_codes: tuple[tuple[str, int], ...]
    code_system: CodeSystem

    def __repr__(self) -> str:
        return f"RolledUp({self.labels.shape[0]} stays, {len(self.names)} nodes)"

    def ancestors(self) -> tuple[np.ndarray, np.ndarray]:
        """The nodes above each node, nearest first, as one ragged list.

        Returns:
            int64 arrays `(m + 1,)` of starts and `(k,)` of positions: the nodes above node i are
            `positions[starts[i]:starts[i + 1]]`.

        Example:

        >>> from icd_relevancy.codes import icd9cm
        >>> from icd_relevancy.data import roll_up
        >>> starts, positions = roll_up([("428.0",)], icd9cm()).ancestors()
        >>> starts.tolist(), positions.tolist()
        ([0, 0, 1, 3], [0, 1, 0])
        """
        at = {name: position for position, name in enumerate(self.names)}
        above = [[at[a] for a in self.code_system.ancestors(name) if a in at] for name in self.names]
        starts = np.cumsum([0, *map(len, above)], dtype=np.int64)
        return starts, np.fromiter(chain.from_iterable(above), np.int64, starts[-1])

    def depth(self, level: str) -> int:
        """The number of a level by its name.

        Args:
            level: `"chapter"`, `"block"` (the level above the categories, where that is not the chapters) or
                `"category"`.

        Raises:
            InputError: If the code system has no such level.

        Example:

        >>> from icd_relevancy.codes import icd9cm
        >>> from icd_relevancy.data import roll_up
        >>> roll_up([("428.0",)], icd9cm()).depth("category")
        1
        """
        category = self.code_system.category_level
        depths = {"chapter": 0, "block": category - 1, "category": category}
        # ICD-9-CM has no blocks, and a plain table neither chapters nor blocks.
        absent = {1: ("block",), 0: ("chapter", "block")}.get(category, ())
        known = [name for name in depths if name not in absent]
        if level not in known:
            raise InputError(f"{self.code_system.name} has the levels {', '.join(known)}; received {level!r}")
        return depths[level]

    def select(self, nodes) -> "RolledUp":
        """The nodes at `nodes`, in that order; the parent of a node is then the nearest of them above it.

        Args:
            nodes: Integer positions, or a boolean mask with one value a node.

        Example:

        >>> from icd_relevancy.codes import icd9cm
        >>> from icd_relevancy.data import roll_up
        >>> kept = roll_up([("428.0",)], icd9cm()).select([0, 2])
        >>> kept.names, kept.parent.tolist()
        (('390-459', '428.0'), [-1, 0])
        """
        nodes = np.asarray(nodes)
        positions = np.flatnonzero(nodes) if nodes.dtype == bool else nodes.astype(int)
        names = tuple(self.names[position] for position in positions.tolist())
        return replace(
            self,
            names=names,
            level=self.level[positions],
            parent=_parents(names, self.code_system),
            labels=self.labels[:, positions],
            assigned=self.assigned[:, positions],
        )

    def encode(
        self, code_lists: Sequence[Sequence[str]], unknown: str = "error", source: str = "stays"
    ) -> "RolledUp":
        """Other stays on the same nodes, as for a test part.

        Args:
            code_lists: For each stay its codes.
            unknown, source: As in `roll_up`. A known code without a node of its own counts for the nodes above
                it.

        Raises:
            InputError: As `roll_up`.

        Example:

        >>> from icd_relevancy.codes import icd9cm
        >>> from icd_relevancy.data import roll_up
        >>> rolled = roll_up([("428.0",)], icd9cm()).encode([("428.1",), ("250.00",)])
        >>> rolled.names, rolled.labels.toarray().tolist()
        (('390-459', '428', '428.0'), [[1, 1, 0], [0, 0, 0]])
        """
        node_of = _resolved(code_lists, self.code_system, unknown, source)
        return _onto(self.names, self.level, self.parent, code_lists, node_of, self.code_system)


def roll_up(
    code_lists: Sequence[Sequence[str]],
    code_system: CodeSystem,
    levels: Collection[int] | None = None,
    unknown: str = "error",
    groups: bool = False,
    source: str = "stays",
) -> RolledUp:
    """Completes the codes of each stay by all their ancestors (CAC §2.1.3).

    The nodes are the codes that occur and all that stand above them. Codes are normalised, so a code of
    another edition counts as the nearest code that the system knows.

    Args:
        code_lists: For each stay its codes, as `Stays.codes` or `Notes.codes`.
        code_system: The hierarchy.
        levels: Levels to keep, 0 for chapters; the parent of a node is then the nearest kept one. Defaults to
            None: all.
        unknown: `"error"`, or `"drop"` to leave out the codes that are not of the system and count them in
            `RolledUp.unknown_codes`. Defaults to `"error"`.
        groups: Whether chapters and blocks count as codes, as where the names of nodes are given; no stay is
            coded by them. Defaults to False.
        source: Where the stays come from, for a message. Defaults to `"stays"`.

    Returns:
        A `RolledUp`.

    Raises:
        InputError: If a code is not of the system (names it and its stay), the hierarchy has a cycle or an
            unknown parent, no node is left, or `unknown` is another word.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.data import roll_up
    >>> roll_up([("428.21", "428.0"), ("4019",)], icd9cm(), levels=[0, 1]).labels.toarray().tolist()
    [[1, 0, 1], [1, 1, 0]]
    """
    level_of = {code: len(path) - 1 for code, path in code_system.paths.items()}
    node_of = _resolved(code_lists, code_system, unknown, source, groups)
    known = dict.fromkeys(filter(None, node_of.values()))
    nodes = {node for code in known for node in (code, *code_system.ancestors(code))}
    position = {code: number for number, code in enumerate(code_system.codes)}
    names = tuple(
        code for code in sorted(nodes, key=position.get) if levels is None or level_of[code] in levels
    )
    if not names:
        raise InputError("roll_up: no code of a level to keep is left; check the codes and levels")
    level = np.array([level_of[name] for name in names], np.int64)
    return _onto(names, level, _parents(names, code_system), code_lists, node_of, code_system)


def _parents(names: tuple[str, ...], code_system: CodeSystem) -> np.ndarray:
    """For each node the position of the nearest one above it."""
    at = {name: position for position, name in enumerate(names)}
    above = ((at[code] for code in code_system.ancestors(name) if code in at) for name in names)
    return np.fromiter((next(positions, _ROOT) for positions in above), np.int64, len(names))


def _resolved(
    code_lists, code_system: CodeSystem, unknown: str, source: str, groups: bool = False
) -> dict[str, str | None]:
    """The code of the system that each distinct code stands for."""
    if unknown not in ("error", "drop"):
        raise InputError(f'unknown must be "error" or "drop"; received {unknown!r}')
    distinct = list(dict.fromkeys(chain.from_iterable(code_lists)))
    canonical, report = code_system.normalise_all(distinct, groups=groups)
    if report.unknown_codes and unknown == "error":
        first, others = report.unknown_codes[0], len(report.unknown_codes) - 1
        stay = 1 + next(number for number, codes in enumerate(code_lists) if first in codes)
        problem = f"{source}, stay {stay}: code {shown_code(first)} is not {code_system.name}"
        more = f", nor are {others} others" if others > 1 else ", nor is 1 other" if others else ""
        raise InputError(
            f'{problem}{more}; correct them, or drop them (unknown="drop", unknown_codes: drop in a configuration)'
        )
    return dict(zip(distinct, canonical, strict=True))


def _onto(names, level, parent, code_lists, node_of: dict[str, str | None], code_system) -> RolledUp:
    above = [() if code is None else (code, *code_system.ancestors(code)) for code in node_of.values()]
    own = [() if code is None else (code,) for code in node_of.values()]
    # Stays by distinct codes times distinct codes by nodes: each row of the second is one path upwards.
    codes_of_stays = encode_labels(code_lists, list(node_of))
    labels, assigned = (codes_of_stays @ encode_labels(rows, names) for rows in (above, own))
    for matrix in (labels, assigned):
        matrix.data[:] = 1
        matrix.sort_indices()
    dropped = {code for code, node in node_of.items() if node is None}
    counts = Counter(code for codes in code_lists for code in dropped.intersection(codes)) if dropped else {}
    unknown_codes = tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return RolledUp(names, level, parent, labels, assigned, unknown_codes, code_system)
