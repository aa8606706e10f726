"""Reads stays from CSV, TSV, Parquet or JSON lines by the schema `data_schemas/stays.schema.json`."""

import functools
import json
import re
from importlib import resources
from pathlib import Path

from icd_relevancy.data.columns import (
    ages,
    code_lists,
    distinct_lists,
    identifiers,
    optional_identifiers,
    optional_texts,
    sexes,
)
from icd_relevancy.data.stays import DRUG_SEPARATORS, Stays
from icd_relevancy.files.content import Content, read_content
from icd_relevancy.files.records import Records, read_records

_SEPARATOR = re.compile(f"[{DRUG_SEPARATORS}]")


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
        path: A `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.jl` or `.json` file (JSON lines, or an array), each also with
            `.gz`, or a `.parquet` file, or `"-"` for any of these from standard input, with the columns `stay_id`,
            `drugs`, `codes` and, where known, `age` (years), `sex`, `patient_id` and `ward`. Other columns are
            ignored. `drugs` is a list, or a string with drugs separated by `;` or `|`; `codes` a list, or a string
            with codes separated by `;`, `,`, `|` or white space. What a stay repeats counts once. `sex` F and M are
            read as female and male.
        require_codes: Whether the column `codes` must be there; False reads stays to be coded, and leaves a
            column `codes` unread. Defaults to True.

    Returns:
        The stays in the order of the file, drugs and codes as written there.

    Raises:
        InputError: If the file or a column is missing, or rows break the schema; names for each of the first twenty
            the row (1 for the first stay; for JSON lines also the line), the column and the stay.

    Example:

    >>> from icd_relevancy.data import Stays, read_stays
    >>> Stays(("1",), (("heparin",),), (("I26.99",),)).write("results/stays.jsonl")
    >>> read_stays("results/stays.jsonl").codes
    (('I26.99',),)
    """
    schema = stays_schema()
    wanted = [name for name in schema["properties"] if require_codes or name != "codes"]
    required = [name for name in schema["required"] if name in wanted]
    path = read_content(path) if str(path) == "-" else path
    records = read_records(path, wanted, required, schema["properties"], "stay_id")
    stay_id = identifiers(records, "stay")
    drugs = _drugs(records)
    codes = code_lists(records, schema) if require_codes else ((),) * len(records.frame)
    readers = {
        "age": lambda records: ages(records, schema["properties"]["age"], " (90 for '> 89')"),
        "sex": lambda records: sexes(records, schema["properties"]["sex"]["enum"]),
        "patient_id": optional_identifiers,
        "ward": lambda records: optional_texts(records, "ward", "the ward must be text, or empty"),
    }
    optional = {name: read(records) for name, read in readers.items() if name in records.frame}
    records.check()
    source = str(path) if isinstance(path, Content) else Path(path).name
    return Stays(stay_id, drugs, codes, **optional, source=source)


def _drugs(records: Records) -> tuple[tuple[str, ...], ...]:
    rows = []
    for row, value in enumerate(records.frame["drugs"].tolist()):
        drugs = _SEPARATOR.split(value) if isinstance(value, str) else () if value is None else value
        if not isinstance(drugs, (list, tuple)) or not all(isinstance(drug, str) for drug in drugs):
            records.report(row, "drugs", "drugs must be text or a list of text")
            drugs = ()
        rows.append([drug.strip() for drug in drugs])
    return distinct_lists(rows)
