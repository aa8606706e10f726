"""Codes that a table lacks, by the codes of it that stand nearest in the hierarchy."""

from collections.abc import Iterable
from dataclasses import dataclass

from icd_relevancy.codes.system import CodeSystem


@dataclass(frozen=True)
class Nearest:
    """The codes of a table that stand for a code.

    Attributes:
        codes: The code itself where the table has it, else all the codes below it that the table has, else the
            nearest above it; empty where there is none.
        exact: Whether it is the code itself, though perhaps spelled otherwise.
    """

    codes: tuple[str, ...]
    exact: bool


class TableCodes:
    """The codes of a table by the hierarchy of their code system.

    Editions subdivide codes and add some, so a label set and a table of another year differ: what was a code
    then has children now, and the table has codes that the system has no longer. These count as children of the
    nearest code that the system has.

    Args:
        codes: The codes of the table.
        system: The hierarchy. None: there is none, and a code stands for itself only.

    Attributes:
        spelling: Each code of the table as the system spells it; one that the system lacks stays as it is.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.codes.nearest import TableCodes
    >>> found = TableCodes(["78060", "780.61", "599.7"], icd9cm()).nearest(["7806", "599.70"])
    >>> found["7806"].codes, found["599.70"].codes
    (('780.60', '780.61'), ('599.7',))
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
        """Finds codes in the table, or what is nearest to them there.

        Args:
            codes: Codes as a data set writes them.

        Returns:
            For each distinct code its `Nearest`.
        """
        distinct = list(dict.fromkeys(codes))
        if self._system is None:
            return {code: Nearest((code,) if code in self._codes else (), True) for code in distinct}
        canonical, report = self._system.normalise_all(distinct)
        shortened = {code for code, _ in report.ancestor_codes}
        found = {}
        for code, known in zip(distinct, canonical, strict=True):
            if code in self._codes:
                found[code] = Nearest((code,), True)
            elif known in self._codes:
                found[code] = Nearest((known,), code not in shortened)
            else:
                found[code] = Nearest(() if known is None else self._around(known), False)
        return found

    def _around(self, code: str) -> tuple[str, ...]:
        below = [found for node in (code, *self._system.descendants(code)) for found in self._at(node)]
        above = (found for node in self._system.ancestors(code) if (found := self._at(node)))
        return tuple(below or next(above, ()))

    def _at(self, node: str) -> list[str]:
        """The codes of the table that are this node of the hierarchy, or foreign to it and hang below."""
        return [node] if node in self._codes else self._foreign.get(node, [])
