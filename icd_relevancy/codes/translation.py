"""Codes of one system as codes of another."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import pandas as pd

from icd_relevancy.codes.nearest import Nearest, TableCodes
from icd_relevancy.codes.system import CodeSystem


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


def translate_codes(
    table: pd.DataFrame,
    code_lists: Sequence[Sequence[str]],
    source_system: CodeSystem | None,
    target_system: CodeSystem | None,
) -> tuple[tuple[tuple[str, ...], ...], TranslationReport]:
    """Translates the codes of notes; see `CodeMapping.translate`.

    Args:
        table: The rows of a `CodeMapping`, with the columns `source` and `target` and with `own`, which is
            whether a row was written for this direction.
        code_lists: For each note its codes.
        source_system: The code system of the sources, or None.
        target_system: That of the targets, or None.
    """
    codes = TableCodes(table["source"].dropna().unique(), source_system)
    table = table.assign(source=table["source"].map(codes.spelling))
    distinct = list(dict.fromkeys(chain.from_iterable(code_lists)))
    found = codes.nearest(distinct)
    sources = set(chain.from_iterable(near.codes for near in found.values()))
    targets = _targets(table, sources, target_system)
    chosen = {code: _chosen(near, targets, source_system) for code, near in found.items()}
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
        resolved=tuple((code, chosen[code]) for code in distinct if parts[code] and not found[code].exact),
        no_map=tuple((code, count) for code, count in lost if found[code].codes),
        unknown=tuple((code, count) for code, count in lost if not found[code].codes),
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
