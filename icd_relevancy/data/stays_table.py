"""Reads stays from CSV, TSV, Parquet or JSON lines by the schema `data_schemas/stays.schema.json`."""

import functools
import json
import re
import sys
from importlib import resources
from itertools import chain
from pathlib import Path

from icd_relevancy.data.notes_table import SEX_NAMES
from icd_relevancy.data.records import Records, read_records
from icd_relevancy.data.stays import DRUG_SEPARATORS, Stays, shown_stay
from icd_relevancy.data.table_files import StandardInput
from icd_relevancy.errors import shown_code

_SEPARATORS = {"codes": re.compile(r"[;,|\s]+"), "drugs": re.compile(f"[{DRUG_SEPARATORS}]")}


@functools.cache
def stays_schema() -> dict:
    """The JSON Schema (draft 2020-12) of one stay, as installed with the package.

    Example:

    >>> from icd_relevancy.data.stays_table import stays_schema
    >>> stays_schema()["required"]
    ['stay_id', 'drugs', 'codes']
    """
    file = resources.files("icd_relevancy.schemas") / "stays.schema.json"
    return json.loads(file.read_text("utf-8"))


def read_stays(path, require_codes: bool = True) -> Stays:
    """Reads stays by the stays schema.

    Args:
        path: A `.csv`, `.tsv`, `.jsonl` or `.json` file (JSON lines), each also with `.gz`, or a `.parquet`
            file, or `"-"` for JSON lines from standard input, with the columns `stay_id`, `drugs`, `codes` and,
            where known, `age` (years), `sex`, `patient_id` and `ward`. Other columns are ignored. `drugs` is a
            list, or a string with drugs
            separated by `;` or `|`; `codes` a list, or a string with codes separated by `;`, `,`, `|` or white
            space. What a stay repeats counts once. `sex` F and M are read as female and male.
        require_codes: Whether the column `codes` must be there; False reads stays to be coded, and leaves a
            column `codes` unread. Defaults to True.

    Returns:
        The stays in the order of the file, drugs and codes as written there.

    Raises:
        InputError: If the file or a column is missing, or a row breaks the schema; names the row (1 for the
            first stay; for JSON lines also the line) and the column.

    Example:

    >>> from icd_relevancy.data import Stays, read_stays
    >>> Stays(("1",), (("heparin",),), (("I26.99",),)).write("results/stays.jsonl")
    >>> read_stays("results/stays.jsonl").codes
    (('I26.99',),)
    """
    schema = stays_schema()
    wanted = [name for name in schema["properties"] if require_codes or name != "codes"]
    required = [name for name in schema["required"] if name in wanted]
    path = StandardInput() if str(path) == "-" else path
    records = read_records(path, wanted, required, schema["properties"])
    stay_id = _stay_ids(records)
    drugs = _lists(records, "drugs", "drugs must be text or a list of text")
    codes = _codes(records) if require_codes else ((),) * len(records.frame)
    readers = {"age": _ages, "sex": _sexes, "patient_id": _patient_ids, "ward": _wards}
    optional = {name: read(records) for name, read in readers.items() if name in records.frame}
    return Stays(
        stay_id,
        drugs,
        codes,
        **optional,
        source=str(path) if isinstance(path, StandardInput) else Path(path).name,
    )


def _stay_ids(records: Records) -> tuple[str, ...]:
    problem = "each stay needs an identifier, text or a whole number"
    values = records.column("stay_id", lambda value: _is_identifier(value) and str(value).strip(), problem)
    stay_id = tuple(map(_identifier, values))
    rows: dict[str, int] = {}
    for row, name in enumerate(stay_id):
        if rows.setdefault(name, row) != row:
            told = f"the stay_id of {shown_stay(name, row + 1)} is also that of {records.place(rows[name])}"
            raise records.error(row, "stay_id", f"{told}; make it unique")
    return stay_id


def _lists(records: Records, name: str, problem: str) -> tuple[tuple[str, ...], ...]:
    """Each row's values without repeats; equal values share one string, which a million stays need."""
    rows = []
    for row, value in enumerate(records.frame[name].tolist()):
        if isinstance(value, str):
            value = _SEPARATORS[name].split(value)
        elif value is None:
            value = ()
        elif not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise records.error(row, name, problem)
        rows.append(tuple(dict.fromkeys(sys.intern(each.strip()) for each in value if each.strip())))
    return tuple(rows)


def _codes(records: Records) -> tuple[tuple[str, ...], ...]:
    problem = "codes must be text or a list of text; numbers lose their leading zeros"
    rows = _lists(records, "codes", problem)
    pattern = re.compile(stays_schema()["$defs"]["code"]["pattern"])
    malformed = {code for code in set(chain.from_iterable(rows)) if not pattern.fullmatch(code)}
    if malformed:
        row, codes = next((row, codes) for row, codes in enumerate(rows) if not malformed.isdisjoint(codes))
        code = next(code for code in codes if code in malformed)
        told = f"malformed: {shown_code(code)}; a code has letters, digits, '.' and '-' only"
        raise records.error(row, "codes", told)
    return rows


def _ages(records: Records) -> tuple[float | None, ...]:
    lowest, highest = (stays_schema()["properties"]["age"][bound] for bound in ("minimum", "maximum"))
    problem = f"the age must be a number of years from {lowest} to {highest} (90 for '> 89'), or empty"

    def is_age(value) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value is None or (is_number and lowest <= value <= highest)

    values = records.column("age", is_age, problem)
    return tuple([None if value is None else float(value) for value in values])


def _sexes(records: Records) -> tuple[str | None, ...]:
    allowed = stays_schema()["properties"]["sex"]["enum"]
    problem = f"the sex must be one of {', '.join(filter(None, allowed))}, or empty"
    values = records.column("sex", lambda value: value in allowed, problem)
    return tuple([SEX_NAMES.get(value, value) for value in values])


def _patient_ids(records: Records) -> tuple[str | None, ...]:
    problem = "a patient's identifier must be text or a whole number, or empty"
    values = records.column("patient_id", lambda value: value is None or _is_identifier(value), problem)
    return tuple([None if value is None else _identifier(value) or None for value in values])


def _wards(records: Records) -> tuple[str | None, ...]:
    problem = "the ward must be text, or empty"
    values = records.column("ward", lambda value: value is None or isinstance(value, str), problem)
    return tuple([value and (value.strip() or None) for value in values])


def _is_identifier(value) -> bool:
    # Parquet files written from pandas hold whole numbers as floats where some are missing.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _identifier(value) -> str:
    return value.strip() if isinstance(value, str) else str(int(value))
