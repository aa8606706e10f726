"""Tables of a hospital database: found by name in any case, read in parts, gathered by stay."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from icd_relevancy.codes.icd import dotted_icd9, dotted_icd10
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.safe_reading import readable

CSV = (".csv", ".csv.gz")
CSV_OR_PARQUET = (*CSV, ".parquet")
DOTTED: dict[str, Callable[[str], str]] = {"icd10cm": dotted_icd10, "icd9cm": dotted_icd9}
ROWS_A_PART = 1_000_000


@contextmanager
def naming(folder) -> Iterator[None]:
    """Names the folder in what `Stays` or `Notes` find wrong with the columns of its tables."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None


def check_code_system(code_system: str) -> None:
    """Raises `InputError` where the name is neither of `"icd10cm"` and `"icd9cm"`."""
    if code_system not in DOTTED:
        raise InputError(
            f"code_system must be one of {', '.join(DOTTED)}; received {shown_word(code_system)}"
        )


def find_table(path, table: str, origin: str | None = None, suffixes: Sequence[str] = CSV) -> Path | None:
    """The file of a table in or below a folder, in any case; where it is missing None, or an error naming `origin`."""
    names = [f"{table}{suffix}" for suffix in suffixes]
    files = sorted(file for file in Path(path).rglob("*") if file.name.lower() in names and file.is_file())
    if len(files) > 1:
        raise InputError(f"{path}: {files[0]} and {files[-1]} are both there; give a folder that holds one")
    if not files and origin:
        problem = f"no {', '.join(names[:-1])} or {names[-1]} in it or its folders"
        raise InputError(f"{path}: {problem}; it is part of {origin}")
    return files[0] if files else None


def read_parts(
    file: Path, columns: Sequence[str], optional: Sequence[str] = (), rows: int | None = None
) -> Iterator[pd.DataFrame]:
    """Yields the columns of a CSV or Parquet file as text, `rows` at a time, a million for None.

    Their names are in lower case, an empty cell is missing, the index is the number of the row from 0. `columns` must
    be there, `optional` ones may.
    """
    rows = rows or ROWS_A_PART
    with readable(file):
        is_parquet = file.suffix.lower() == ".parquet"
        header = (
            pq.read_schema(file).names if is_parquet else list(pd.read_csv(file, nrows=0, **_dialect(file)))
        )
        spelled = {name.strip().lower(): name for name in header}
        if missing := [name for name in columns if name not in spelled]:
            shown = ", ".join(map(repr, missing))
            raise InputError(f"{file}: no column {shown}; expected the table as its source has it")
        kept = {spelled[name]: name for name in (*columns, *optional) if name in spelled}
        parts = _parquet_parts(file, kept, rows) if is_parquet else _csv_parts(file, kept, rows)
        with tqdm(desc=file.name, unit=" rows", disable=None) as progress:
            for part in parts:
                part = part.rename(columns=kept)[list(kept.values())].apply(_plain_text)
                progress.update(len(part))
                yield part.where(part != "", None)


def _csv_parts(file: Path, names, rows: int) -> Iterator[pd.DataFrame]:
    # "NA" may be the name of sodium.
    options = {"dtype": str, "keep_default_na": False, "chunksize": rows, **_dialect(file)}
    yield from pd.read_csv(file, usecols=list(names), **options)


def _dialect(file: Path) -> dict:
    """How a text table is written: the vocabularies of OMOP have tabs and quotes that mean nothing."""
    header = pd.read_csv(file, nrows=0, encoding="utf-8-sig").columns
    has_tabs = len(header) == 1 and "\t" in header[0]
    tabs = {"sep": "\t", "quoting": csv.QUOTE_NONE} if has_tabs else {}
    return {"encoding": "utf-8-sig", **tabs}


def _parquet_parts(file: Path, names, rows: int) -> Iterator[pd.DataFrame]:
    table, start = pq.ParquetFile(file), 0
    if not table.metadata.num_rows:
        yield pd.DataFrame(columns=list(names), dtype=object)
    for batch in table.iter_batches(rows, columns=list(names)):
        # Through Arrow's own cast: pandas would turn whole numbers with gaps into floats.
        columns = {name: _without_fraction(batch.column(name)).cast("string").to_pylist() for name in names}
        part = pd.DataFrame(columns, dtype=object)
        part.index += start
        start += len(part)
        yield part


def _plain_text(column: pd.Series) -> pd.Series:
    if column.name == "text":
        return column  # a note stays as it is
    text = column.str.strip()
    # pandas writes whole numbers as floats where some are missing.
    return text.str.removesuffix(".0") if column.name.endswith(("id", "_version")) else text


def _without_fraction(column: pa.Array) -> pa.Array:
    is_whole = pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py()
    return column.cast(pa.int64()) if is_whole else column


def read_table(file: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """All parts of `read_parts` in one frame."""
    return pd.concat(read_parts(file, columns, optional))


def drug_name(names: pd.Series) -> pd.Series:
    """Names of drugs with single spaces, and a comma for `;` and `|`, which part drugs in the stays schema."""
    return _over_distinct(names, lambda name: re.sub("[;|]", ",", " ".join(name.split())))


def dotted_codes(codes: pd.Series, code_system: str) -> pd.Series:
    """Codes in capitals with their dot; missing ones stay missing."""
    return _over_distinct(codes, lambda code: DOTTED[code_system](code.upper()))


def _over_distinct(values: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Each value changed; millions of rows hold thousands of values."""
    number, distinct = pd.factorize(values)
    changed = np.array([*map(change, distinct), None], dtype=object)
    return pd.Series(changed[number], index=values.index, dtype=object)


def gathered(stay_id: pd.Index, keys: pd.Series, values: pd.Series) -> tuple[tuple[str, ...], ...]:
    """For each stay, of unique names, its distinct values in the order of the rows, without missing ones."""
    row = stay_id.get_indexer(pd.Index(keys))
    number, distinct = pd.factorize(values)
    known = (row >= 0) & (number >= 0)
    pairs = pd.DataFrame({"row": row[known], "number": number[known]}).drop_duplicates()
    pairs = pairs.sort_values("row", kind="stable")
    # One string for each distinct value, which a million stays need.
    ordered = np.asarray(distinct, dtype=object)[pairs["number"]].tolist()
    bounds = np.searchsorted(pairs["row"], np.arange(len(stay_id) + 1)).tolist()
    return tuple(tuple(ordered[start:end]) for start, end in pairwise(bounds))


def whole_years(start: pd.Series, end: pd.Series) -> np.ndarray:
    """Full years from one day (`YYYY-MM-DD…`) to another, NaN where one is not known."""
    # By the calendar, since 300 years in nanoseconds overflow.
    first, last = (
        pd.to_numeric(days.str[:10].str.replace("-", ""), errors="coerce") for days in (start, end)
    )
    years = np.floor((last.to_numpy(float) - first.to_numpy(float)) / 10_000)
    # A birth can be recorded a day after the admission for it.
    return np.where(years == -1, 0.0, years)


def optional_values(values) -> tuple:
    """A column as a tuple, with None for what is missing."""
    return tuple([None if pd.isna(value) else value for value in pd.Series(values).tolist()])


def first_of_each(frames: Iterator[pd.DataFrame]) -> pd.DataFrame:
    """The distinct rows of parts, without holding all repeats at once."""
    return pd.concat([frame.drop_duplicates() for frame in frames]).drop_duplicates()
