"""What tables of notes and of stays share: columns as tuples, and how each is read and checked."""

import functools
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from scipy import sparse

from icd_relevancy.data.labels import label_names
from icd_relevancy.errors import InputError, shown_code, shown_note
from icd_relevancy.files.content import Content
from icd_relevancy.files.records import Records, read_records
from icd_relevancy.files.tables import LISTS, Encoder, write_frames

SEX_NAMES = {"F": "female", "M": "male"}
_NUMBERS = "codes must be text or a list of text; numbers lose their leading zeros"
_SEPARATORS = re.compile(r"[;,|\s]+")
# A list in one cell, as Python, NumPy or JSON prints it; other brackets without quotes hold no codes.
_PRINTED_LIST = re.compile(r"""\s*(\[.*\]|\(\s*['"].*\)|\{\s*['"].*\})\s*""", re.DOTALL)
_PRINTED_NUMBER = re.compile(r"(^|[\s,])[0-9][0-9.]*(?=[\s,]|$)")
# White space within one code: "ICD-10-CM: E11.9", "E11 .9" and "E11.4 +" are no two.
_WITHIN = re.compile(
    r"(?i:\b(?P<system>icd)[\s_-]{0,3}(?P<version>9|10)[\s_-]{0,3}(?P<kind>cm)?\s{0,3}:)\s*|\s{1,3}(?=\.[0-9]|[*+†‡!](?:[\s;,|]|$))"
)


class Columns:
    """A frozen table of columns, one tuple each, of notes or of stays; its dataclass names them."""

    _row: ClassVar[str]
    _encoders: ClassVar[dict[str, Encoder]]  # the columns of anything but numbers and texts

    def __post_init__(self):
        for name in [name for name, encoder in self._encoders.items() if encoder is LISTS]:
            if any(isinstance(values, str) for values in getattr(self, name)):
                raise InputError(
                    f"{name}: each {self._row} needs a tuple of {name}, but one is a single string"
                )
            object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))
        for name, column in self._columns().items():
            object.__setattr__(self, name, tuple(column))
        lengths = {name: len(column) for name, column in self._columns().items()}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise InputError(f"{self._row}s: all columns must have the same length; received {counts}")
        identifiers = self._identifiers
        if len(set(identifiers)) < len(self):
            repeated = identifiers.index(Counter(identifiers).most_common(1)[0][0])
            problem = f"the {self._row}_id of {self._shown(repeated)} occurs more than once; make it unique"
            raise InputError(f"{self._place}: {problem}")

    @property
    def _identifiers(self) -> tuple[str, ...]:
        return getattr(self, f"{self._row}_id")

    @property
    def _place(self) -> str:
        return self.source or f"{self._row}s"

    def _shown(self, row: int) -> str:
        return shown_note(self._identifiers[row], row + 1, self._row)

    def __len__(self) -> int:
        return len(self._identifiers)

    def __repr__(self) -> str:
        # The generated one would print every row.
        return f"{type(self).__name__}({len(self)} {self._row}s, source={self.source!r})"

    def _columns(self) -> dict[str, tuple]:
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "source"}
        return {name: column for name, column in columns.items() if column is not None}

    def select(self, indices) -> Self:
        """The notes, or stays, at `indices`, in that order.

        Args:
            indices: Integer positions, or a boolean mask with one value a note.

        Example:

        >>> from icd_relevancy.data import Notes, Stays
        >>> Notes(("1", "2"), ("Cough.", "Fever."), (("R05",), ("R50.9",))).select([1]).text
        ('Fever.',)
        >>> stays = Stays(("1", "2"), (("furosemide",), ()), (("I50.9",), ("I10",)))
        >>> stays.select([len(drugs) > 0 for drugs in stays.drugs]).stay_id
        ('1',)
        """
        indices = np.asarray(indices)
        positions = np.flatnonzero(indices) if indices.dtype == bool else indices.astype(int)
        positions = positions.tolist()
        columns = {name: tuple([column[i] for i in positions]) for name, column in self._columns().items()}
        return type(self)(**columns, source=self.source)

    def label_names(self, min_count: int = 1) -> tuple[str, ...]:
        """The codes that at least `min_count` notes, or stays, carry, sorted.

        Args:
            min_count: Least number of notes. Defaults to 1.

        Example:

        >>> from icd_relevancy.data import Notes, Stays
        >>> Notes(("1",), ("Fever, cough.",), (("R50.9", "R05"),)).label_names()
        ('R05', 'R50.9')
        >>> Stays(("1", "2"), ((), ()), (("I50.9", "I10"), ("I10",))).label_names(min_count=2)
        ('I10',)
        """
        return label_names(self.codes, min_count)

    def to_frame(self) -> pd.DataFrame:
        """A data frame with one row a note, or stay, and the columns that are known; lists are tuples.

        Example:

        >>> from icd_relevancy.data import Notes, Stays
        >>> Notes(("1",), ("Cough.",), (("R05",),), age=(6.0,)).to_frame().columns.tolist()
        ['note_id', 'text', 'codes', 'age']
        >>> Stays(("1",), (("heparin",),), (("I10",),), age=(6.0,)).to_frame().columns.tolist()
        ['stay_id', 'drugs', 'codes', 'age']
        """
        types = {"age": "float64"} | dict.fromkeys(self._encoders, "object")
        columns = self._columns().items()
        return pd.DataFrame(
            {name: pd.Series(column, dtype=types.get(name, "str")) for name, column in columns}
        )

    def _write(self, path) -> None:
        write_frames([self.to_frame()], path, self._encoders)

    def _groups(self, *keys: np.ndarray) -> np.ndarray:
        """The groups of rows that share a patient or a key, directly or through other rows."""
        if self.patient_id is not None:
            keys = (*keys, np.asarray(self.patient_id, dtype=object))
        if not keys:
            return np.arange(len(self), dtype=np.int64)
        rows, columns, offset = [], [], len(self)
        for key in keys:
            number = pd.factorize(key)[0]  # -1 where the patient is not known
            known = np.flatnonzero(number >= 0)
            rows.append(known)
            columns.append(number[known] + offset)
            offset += number.max(initial=-1) + 1
        rows, columns = np.concatenate(rows), np.concatenate(columns)
        links = sparse.csr_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(offset, offset))
        component = sparse.csgraph.connected_components(links, directed=False)[1][: len(self)]
        return pd.factorize(component)[0].astype(np.int64)


@functools.cache
def schema(name: str) -> dict:
    """The JSON Schema (draft 2020-12) of one note (`"notes"`) or stay (`"stays"`), as installed with the package."""
    return json.loads((resources.files("icd_relevancy.schemas") / f"{name}.schema.json").read_text("utf-8"))


def read_columns(path, name: str, unread: Iterable[str]) -> Records:
    """The columns of a table of notes or stays that its schema knows, but those unread."""
    properties, required = schema(name)["properties"], schema(name)["required"]
    wanted = [column for column in properties if column not in unread]
    needed = [column for column in required if column in wanted]
    return read_records(path, wanted, needed, properties, f"{name.removesuffix('s')}_id")


def source_name(path) -> str:
    """The source of the notes or stays of a table."""
    return str(path) if isinstance(path, Content) else Path(path).name


def checked_columns(records: Records, readers: dict[str, Callable[[Records], tuple]]) -> dict[str, tuple]:
    """The columns that are there, each as its reader gives it; the caller must `check`."""
    return {name: read(records) for name, read in readers.items() if name in records.frame}


def identifiers(records: Records, what: str) -> tuple[str, ...]:
    """The identifiers of the notes or stays (`what` one row is), which are unique."""
    name = f"{what}_id"
    problem = f"each {what} needs an identifier, text or a whole number"
    values = records.column(name, lambda value: _is_identifier(value) and bool(str(value).strip()), problem)
    names = [None if value is None else _identifier(value) for value in values]
    column = pd.Series(names, dtype=object)
    first: dict[str, int] = {}
    for row in column.index[column.duplicated(keep=False) & column.notna()]:
        if first.setdefault(names[row], row) != row:
            place = records.place(first[names[row]])
            problem = f"the {name} of {shown_note(names[row], row + 1, what)} is also that of {place}"
            records.report(row, name, f"{problem}; make it unique")
    return tuple(names)


def patients(records: Records) -> tuple[str | None, ...]:
    """The patients of the rows."""
    problem = "a patient's identifier must be text or a whole number, or empty"
    values = records.column("patient_id", lambda value: value is None or _is_identifier(value), problem)
    return tuple([None if value is None else _identifier(value) or None for value in values])


def short_texts(records: Records, name: str) -> tuple[str | None, ...]:
    """A column of short texts without white space around them."""
    problem = f"the {name} must be text, or empty"
    values = records.column(name, lambda value: value is None or isinstance(value, str), problem)
    return tuple([value and (value.strip() or None) for value in values])


def ages(records: Records, rule: dict, hint: str = "") -> tuple[float | None, ...]:
    """The ages of the patients, within the bounds of the schema's rule."""
    lowest, highest = rule["minimum"], rule["maximum"]
    problem = f"the age must be a number of years from {lowest} to {highest}{hint}, or empty"

    def is_age(value) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value is None or (is_number and lowest <= value <= highest)

    values = records.column("age", is_age, problem)
    return tuple([None if value is None else float(value) for value in values])


def sexes(records: Records, rule: dict) -> tuple[str | None, ...]:
    """The sexes of the patients, each one of those of the schema's rule."""
    allowed = rule["enum"]
    problem = f"the sex must be one of {', '.join(filter(None, allowed))}, or empty"
    values = records.column("sex", lambda value: value is None or value in allowed, problem)
    return tuple([SEX_NAMES.get(value, value) for value in values])


def code_lists(records: Records, pattern: str) -> tuple[tuple[str, ...], ...]:
    """The codes of the rows, each code once and as it was written, but for white space around it."""
    rows = []
    for row, value in enumerate(records.frame["codes"].tolist()):
        codes = _codes_in(value) if value is None or isinstance(value, str) else value
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            records.report(row, "codes", _NUMBERS)
            codes = []
        rows.append([code.strip() for code in codes])
    rows = distinct_lists(rows)
    is_code = re.compile(pattern).fullmatch
    malformed = {code for code in set(chain.from_iterable(rows)) if not is_code(code)}
    for row, codes in enumerate(rows if malformed else ()):
        if wrong := [code for code in codes if code in malformed]:
            advice = "a code has letters, digits, '.' and '-' only, codes are separated by ';'"
            records.report(row, "codes", f"malformed: {shown_code(wrong[0])}; {advice}")
    return rows


def _codes_in(cell: str | None) -> list[str] | None:
    """The codes in one cell; None where they are numbers, as a list of numbers prints them."""
    if cell is None:
        return []
    missing = {"", "None", "nan", "null"} if (printed := _PRINTED_LIST.fullmatch(cell)) else {""}
    if printed:
        cell = printed[1][1:-1]
        if _PRINTED_NUMBER.search(cell):
            return None
    joined = _WITHIN.sub(
        lambda match: "".join(filter(None, match.groups())) + (":" if match["system"] else ""), cell
    )
    return [code for part in _SEPARATORS.split(joined) if (code := part.strip("'\"")) not in missing]


def distinct_lists(rows: Iterable[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Lists without repeats and empty texts; equal texts share one string, which a million rows need."""
    return tuple([tuple(dict.fromkeys(sys.intern(value) for value in row if value)) for row in rows])


def _is_identifier(value) -> bool:
    # Parquet files written from pandas hold whole numbers as floats where some are missing.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _identifier(value) -> str:
    return value.strip() if isinstance(value, str) else str(int(value))
