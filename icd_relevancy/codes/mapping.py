"""Mappings between two code systems."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pandas as pd

from icd_relevancy.codes.icd import PACKAGED, general_equivalence_mappings
from icd_relevancy.codes.links import CodeLinks, Nearest, TableCodes, link_labels
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.records import read_rows

_FLAGS = {"": False, "0": False, "1": True, "false": False, "true": True, "0.0": False, "1.0": True}


@dataclass(frozen=True)
class TranslationReport:
    """What `CodeMapping.translate` did.

    Attributes:
        notes: Number of notes with codes.
        emptied: Number of those that have none left.
        codes: Number of distinct codes.
        combinations: Number of distinct codes that several codes together stand for.
        merged: Number of times that a note would have had a code of the other system twice.
        resolved: Distinct codes that the mapping lacks, each with the code below or above it that was
            translated in its place.
        no_map: Codes of which the mapping says that the other system has nothing, each with the number of
            notes that carry it, the most frequent first.
        unknown: Codes that the mapping lacks with all that is below and above them, likewise.
    """

    notes: int
    emptied: int
    codes: int
    combinations: int
    merged: int
    resolved: tuple[tuple[str, str], ...]
    no_map: tuple[tuple[str, int], ...]
    unknown: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return (
            f"{self.codes} distinct codes: {len(self.resolved)} by a code below or above, {self.combinations} by "
            f"several codes together, {len(self.no_map)} mapped to nothing, {len(self.unknown)} not in the mapping; "
            f"{self.emptied} of {self.notes} notes left without codes"
        )


@dataclass(frozen=True, eq=False)
class CodeMapping:
    """Which codes of two systems mean the same, exactly or nearly.

    Made by `CodeMapping.gems` for ICD-9-CM and ICD-10-CM, by `CodeMapping.from_table` for other systems.

    Args:
        first: Name of the first code system.
        second: Name of the second.
        table: One row a mapping, with the columns `first` and `second` (codes; the other side is missing where
            `no_map` holds), `forth` (whether the row was written from the first system to the second),
            `approximate`, `no_map`, `combination` (booleans), `scenario` and `choice_list` (int), all as in
            `general_equivalence_mappings`.

    Example:

    >>> from icd_relevancy.codes import CodeMapping, icd9cm, icd10cm
    >>> links = CodeMapping.gems().links(["576.2", "749.11"], ["K83.1", "Q36.9"], icd9cm(), icd10cm())
    >>> links.edges.tolist(), links.weights.tolist()
    ([[0, 0], [1, 1]], [1.0, 0.5])

    Reference: JAMS §2.1.
    """

    first: str
    second: str
    table: pd.DataFrame

    def __repr__(self) -> str:
        return f"CodeMapping({self.first!r}, {self.second!r}, {len(self.table)} rows)"

    @classmethod
    def gems(cls, path: str | Path | None = None) -> "CodeMapping":
        """The General Equivalence Mappings: `"icd9cm"` first, `"icd10cm"` second.

        Args:
            path: A folder, as in `general_equivalence_mappings`. Defaults to None, the installed tables.

        Raises:
            InputError: As `general_equivalence_mappings`.
        """
        table = general_equivalence_mappings(path)
        forth = table["direction"] == "9to10"
        first = table["source"].where(forth, table["target"])
        second = table["target"].where(forth, table["source"])
        rest = table.drop(columns=["source", "target", "direction"])
        return cls("icd9cm", "icd10cm", rest.assign(first=first, second=second, forth=forth))

    @classmethod
    def from_table(cls, path: str | Path, first: str, second: str) -> "CodeMapping":
        """Reads a mapping by `data_schemas/code_mapping.schema.json`, such as ICD-10-CM to ICD-10-AM.

        Args:
            path: A `.csv` or `.tsv` (UTF-8), `.parquet` or JSON lines file with the columns `first` and `second`,
                one row a pair of codes, and optionally `approximate` (0 or 1; empty is 0).
            first: Name of the code system of the column `first`.
            second: Name of that of the column `second`.

        Raises:
            InputError: If the file cannot be read or lacks a column, a cell is empty or of another kind (names
                the row; the first data row is 1), or the two names are the same.

        Example:

        >>> from pathlib import Path
        >>> from icd_relevancy.codes import CodeMapping
        >>> _ = Path("results/pairs.csv").write_text("first,second,approximate\\nI10,I10,0\\nE11.65,E11.8,1\\n")
        >>> CodeMapping.from_table("results/pairs.csv", "icd10cm", "icd10am")
        CodeMapping('icd10cm', 'icd10am', 2 rows)
        """
        path = Path(path)
        if first == second:
            raise InputError(f"{path}: a mapping is between two code systems; both are {first}")
        rows = read_rows(path)
        for name in ("first", "second"):
            if not any(name in row for row in rows):
                raise InputError(f"{path}: no column {name!r}; the columns are first, second and approximate")
        table = pd.DataFrame(
            {
                "first": [_code(path, number, row, "first") for number, row in enumerate(rows, 1)],
                "second": [_code(path, number, row, "second") for number, row in enumerate(rows, 1)],
                "forth": True,
                "approximate": [_flag(path, number, row) for number, row in enumerate(rows, 1)],
                "no_map": False,
                "combination": False,
                "scenario": 0,
                "choice_list": 0,
            }
        )
        return cls(first, second, table)

    def links(
        self,
        first_labels: Sequence[str],
        second_labels: Sequence[str],
        first_system: CodeSystem,
        second_system: CodeSystem,
    ) -> CodeLinks:
        """The links between two label sets, as a graph over them needs (JAMS §2.1).

        The rows of both directions are joined: a pair is equivalent if either direction says so, or approximate.
        The parts of a combination, which only together stand for a code, are each linked to it as approximate.
        A label that the table lacks is linked as all the codes below it that the table has, or else as the
        nearest one above it, and these links are approximate.

        Args:
            first_labels: Codes of the first system.
            second_labels: Codes of the second.
            first_system: The first code system; its name is `first`, or `second` to use the mapping backwards.
            second_system: The second.

        Returns:
            A `CodeLinks`.

        Raises:
            InputError: If the mapping is not one between these systems, or links no two labels.
        """
        names = first_system.name, second_system.name
        table = self.table
        if names == (self.second, self.first):
            table = table.rename(columns={"first": "second", "second": "first"})
        elif names != (self.first, self.second):
            raise InputError(
                f"the mapping is between {self.first} and {self.second}, not {names[0]} and {names[1]}; give one "
                "between these"
            )
        return link_labels(table, (first_labels, second_labels), (first_system, second_system))

    def translate(
        self,
        code_lists: Sequence[Sequence[str]],
        to: str,
        source_system: CodeSystem | None = None,
        target_system: CodeSystem | None = None,
    ) -> tuple[tuple[tuple[str, ...], ...], TranslationReport]:
        """The codes of notes in the other system; the same codes always give the same.

        Of several alternatives one is chosen: a single code before a combination; of combinations the first
        scenario, with one code of each of its choice lists; of codes an equivalent one before an approximate,
        then one whose own rows lead back, then that with the least specific title (which says "unspecified"
        most often), then the first of the table. The rows of the other direction are read backwards for codes
        without a row of their own. A code that the table lacks is translated as the code below it with the
        least specific title, or else as the nearest one above it.

        Args:
            code_lists: For each note its codes.
            to: Name of the system to translate to, `first` or `second`.
            source_system: The code system of the codes. Defaults to None: the packaged one of that name, or,
                where there is none, codes must be spelled as in the table.
            target_system: That to translate to. Defaults to None: the packaged one of that name, or, where
                there is none, titles have no say.

        Returns:
            For each note its codes in the other system, each once, in the order of those they come from; and a
            `TranslationReport`.

        Raises:
            InputError: If `to` is neither system, or a system given is another than these.

        Example:

        >>> from icd_relevancy.codes import CodeMapping
        >>> codes, report = CodeMapping.gems().translate([("R65.21", "I10"), ("U07.1",)], to="icd9cm")
        >>> codes, report.combinations, report.emptied
        ((('785.52', '995.92', '401.9'), ()), 1, 1)
        """
        if to not in (self.first, self.second):
            raise InputError(f"to must be {self.first!r} or {self.second!r}; received {shown_word(to)}")
        forth = to == self.second
        systems = _system(self.first if forth else self.second, source_system), _system(to, target_system)
        source, target = ("first", "second") if forth else ("second", "first")
        table = self.table.rename(columns={source: "source", target: "target"})
        return _translated(table.assign(own=table["forth"] == forth), code_lists, *systems)


def _system(name: str, given: CodeSystem | None) -> CodeSystem | None:
    if given is not None and given.name != name:
        raise InputError(f"a translation needs the system {name}; received {given.name}")
    return PACKAGED[name]() if given is None and name in PACKAGED else given


def _code(path: Path, number: int, row: dict, column: str) -> str:
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        problem = f"the code is {type(value).__name__}, not text; numbers lose their leading zeros"
        raise InputError(f"{path}: row {number}, column {column!r}: {problem}")
    if not value or not value.strip():
        raise InputError(f"{path}: row {number}, column {column!r}: no code; fill it in or remove the row")
    return value.strip()


def _flag(path: Path, number: int, row: dict) -> bool:
    value = row.get("approximate")
    text = "" if value is None else str(value).strip().lower()
    if text not in _FLAGS:
        raise InputError(
            f"{path}: row {number}, column 'approximate': must be 0 (equivalent) or 1 (approximate)"
        )
    return _FLAGS[text]


def _translated(
    table: pd.DataFrame,
    code_lists: Sequence[Sequence[str]],
    source_system: CodeSystem | None,
    target_system: CodeSystem | None,
) -> tuple[tuple[tuple[str, ...], ...], TranslationReport]:
    """See `CodeMapping.translate`; the table's column `own` says whether a row was written for this direction."""
    codes = TableCodes(table["source"].dropna().unique(), source_system)
    table = table.assign(source=table["source"].map(codes.spelling))
    distinct = list(dict.fromkeys(chain.from_iterable(code_lists)))
    nearest = codes.nearest(distinct)
    sources = set(chain.from_iterable(near.codes for near in nearest.values()))
    targets = _targets(table, sources, target_system)
    chosen = {code: _chosen(near, targets, source_system) for code, near in nearest.items()}
    parts = {code: targets.get(source, ()) for code, source in chosen.items()}
    # A code that a note repeats is no merger of two.
    rows = [tuple(chain.from_iterable(parts[code] for code in dict.fromkeys(codes))) for codes in code_lists]
    translated = tuple(tuple(dict.fromkeys(row)) for row in rows)
    without = {code for code, targets_of_code in parts.items() if not targets_of_code}
    counts = Counter(code for codes in code_lists for code in without.intersection(codes)) if without else {}
    lost = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return translated, TranslationReport(
        notes=sum(map(bool, code_lists)),
        emptied=sum(bool(codes) and not row for codes, row in zip(code_lists, translated, strict=True)),
        codes=len(distinct),
        combinations=sum(len(targets_of_code) > 1 for targets_of_code in parts.values()),
        merged=sum(map(len, rows)) - sum(map(len, translated)),
        resolved=tuple((code, chosen[code]) for code in distinct if parts[code] and not nearest[code].exact),
        no_map=tuple((code, count) for code, count in lost if nearest[code].codes),
        unknown=tuple((code, count) for code, count in lost if not nearest[code].codes),
    )


def _targets(
    table: pd.DataFrame, sources: set[str], target_system: CodeSystem | None
) -> dict[str, tuple[str, ...]]:
    """For each source the codes that stand for it."""
    rows = table[table["source"].isin(sources) & ~table["no_map"]].copy()
    # What was written for the other direction counts only where this one is silent.
    rows = rows[rows["own"] | ~rows["source"].isin(rows.loc[rows["own"], "source"])]
    back = table.loc[~table["own"] & ~table["no_map"], ["source", "target"]]
    pair = ["source", "target"]
    rows["one_way"] = ~pd.MultiIndex.from_frame(rows[pair]).isin(pd.MultiIndex.from_frame(back))
    rows["specific"] = [-_vagueness(code, target_system) for code in rows["target"]]
    rows["order"] = range(len(rows))
    rank = ["combination", "scenario", "choice_list", "approximate", "one_way", "specific", "order"]
    best = rows.sort_values(rank)
    first = best.groupby("source")[["combination", "scenario"]].transform("first")
    best = best[(best[["combination", "scenario"]] == first).all(axis=1)]
    best = best.drop_duplicates(["source", "choice_list"])
    return {source: tuple(dict.fromkeys(codes)) for source, codes in best.groupby("source")["target"]}


def _chosen(near: Nearest, targets: dict[str, tuple[str, ...]], system: CodeSystem | None) -> str | None:
    """Of the codes that stand for a code the one to translate: that whose title is least specific."""
    mapped = [code for code in near.codes if code in targets]
    if len(mapped) < 2:
        return next(iter(mapped), None)
    return max(mapped, key=lambda code: _vagueness(code, system))


def _vagueness(code: str, system: CodeSystem | None) -> int:
    """How often the title says "unspecified"; 0 where there is none."""
    return system.titles.get(code, "").lower().count("unspecified") if system else 0
