"""The columns that tables of notes and of stays share, each checked and as a tuple; `Records.check` raises."""

import re
import sys
from collections.abc import Iterable
from itertools import chain

import pandas as pd

from icd_relevancy.errors import shown_code, shown_note
from icd_relevancy.files.records import Records

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


def identifiers(records: Records, what: str) -> tuple[str, ...]:
    """The identifiers of the rows, which are unique.

    Args:
        records: A table.
        what: What a row is, `"note"` or `"stay"`.
    """
    name = f"{what}_id"
    problem = f"each {what} needs an identifier, text or a whole number"
    values = records.column(name, lambda value: _is_identifier(value) and bool(str(value).strip()), problem)
    found = [None if value is None else _identifier(value) for value in values]
    named = pd.Series(found, dtype=object)
    first: dict[str, int] = {}
    for row in named.index[named.duplicated(keep=False) & named.notna()]:
        if first.setdefault(found[row], row) != row:
            told = shown_note(found[row], row + 1, what)
            place = records.place(first[found[row]])
            records.report(row, name, f"the {name} of {told} is also that of {place}; make it unique")
    return tuple(found)


def optional_identifiers(records: Records) -> tuple[str | None, ...]:
    """The patients of the rows."""
    problem = "a patient's identifier must be text or a whole number, or empty"
    values = records.column("patient_id", lambda value: value is None or _is_identifier(value), problem)
    return tuple([None if value is None else _identifier(value) or None for value in values])


def optional_texts(records: Records, name: str, problem: str) -> tuple[str | None, ...]:
    """A column of short texts without white space around them."""
    values = records.column(name, lambda value: value is None or isinstance(value, str), problem)
    return tuple([value and (value.strip() or None) for value in values])


def ages(records: Records, schema: dict, hint: str = "") -> tuple[float | None, ...]:
    """The ages of the patients.

    Args:
        records: A table.
        schema: What the schema says of an age.
        hint: What else a message should say. Defaults to nothing.
    """
    lowest, highest = schema["minimum"], schema["maximum"]
    problem = f"the age must be a number of years from {lowest} to {highest}{hint}, or empty"

    def is_age(value) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value is None or (is_number and lowest <= value <= highest)

    values = records.column("age", is_age, problem)
    return tuple([None if value is None else float(value) for value in values])


def sexes(records: Records, allowed: list) -> tuple[str | None, ...]:
    """The sexes of the patients, each one of those allowed."""
    problem = f"the sex must be one of {', '.join(filter(None, allowed))}, or empty"
    values = records.column("sex", lambda value: value is None or value in allowed, problem)
    return tuple([SEX_NAMES.get(value, value) for value in values])


def code_lists(records: Records, schema: dict) -> tuple[tuple[str, ...], ...]:
    """The codes of the rows, each code once and as it was written, but for white space around it.

    Args:
        records: A table with the column `codes`.
        schema: The schema, which says what a code looks like.
    """
    rows = []
    for row, value in enumerate(records.frame["codes"].tolist()):
        codes = _codes_in(value) if value is None or isinstance(value, str) else value
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            records.report(row, "codes", _NUMBERS)
            codes = []
        rows.append([code.strip() for code in codes])
    codes = distinct_lists(rows)
    pattern = re.compile(schema["$defs"]["code"]["pattern"])
    malformed = {code for code in set(chain.from_iterable(codes)) if not pattern.fullmatch(code)}
    for row, of_row in enumerate(codes if malformed else ()):
        if wrong := [code for code in of_row if code in malformed]:
            told = f"{shown_code(wrong[0])}; a code has letters, digits, '.' and '-' only, codes are separated by ';'"
            records.report(row, "codes", f"malformed: {told}")
    return codes


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
        lambda found: "".join(filter(None, found.groups())) + (":" if found["system"] else ""), cell
    )
    return [code for part in _SEPARATORS.split(joined) if (code := part.strip("'\"")) not in missing]


def distinct_lists(rows: Iterable[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Lists without repeats and empty texts; equal texts share one string, which a million rows need.

    Example:

    >>> distinct_lists([["I10", "", "I10"]])
    (('I10',),)
    """
    return tuple([tuple(dict.fromkeys(sys.intern(value) for value in row if value)) for row in rows])


def _is_identifier(value) -> bool:
    # Parquet files written from pandas hold whole numbers as floats where some are missing.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _identifier(value) -> str:
    return value.strip() if isinstance(value, str) else str(int(value))
