"""The formats of a table of notes, and how one is written part by part."""

import csv
import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from icd_relevancy.data.mentions import mention_records
from icd_relevancy.errors import InputError, shown_path
from icd_relevancy.files.content import foreign_suffix
from icd_relevancy.files.disk import replacing

_MENTIONS = pa.list_(pa.struct([("code", pa.string()), ("text", pa.string())]))
_SUFFIXES = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
    ".jl": "jsonl",
    ".jl.gz": "jsonl",
    ".json": "jsonl",
    ".json.gz": "jsonl",
}


# What a spreadsheet would run, or break a cell at, where a text begins with it.
_RUN = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ONE = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# Also with its deviation or interval, as our tables have it: "+1.00 ± 0.10", "-0.5 (-1.0 to +0.2)".
_NUMBER = re.compile(rf"{_ONE}(?: ± {_ONE}| \({_ONE} to {_ONE}\))?")


def table_format(path) -> str:
    """The format of a table by the suffix of its file.

    Args:
        path: A file name.

    Returns:
        `"csv"`, `"tsv"`, `"parquet"` or `"jsonl"`.

    Raises:
        InputError: For any other suffix.

    Example:

    >>> from icd_relevancy.files.tables import table_format
    >>> table_format("notes.csv.gz")
    'csv'
    """
    name = Path(path).name.lower()
    for suffix, table in _SUFFIXES.items():
        if name.endswith(suffix):
            return table
    told = foreign_suffix(path)
    raise InputError(
        f"{shown_path(path)}: {told + '; ' if told else ''}the file name must end in one of {', '.join(_SUFFIXES)}"
    )


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts no spreadsheet takes for formulas, as it is written to CSV and TSV.

    A text that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before it, and so does
    one that has apostrophes before these; numbers, also as text, stay as they are. `as_written` takes it away.

    Args:
        frame: The table.

    Example:

    >>> import pandas as pd
    >>> inert(pd.DataFrame({"text": ["=1+1", "-0.5", "Cough.", "'-"]}))["text"].tolist()
    ["'=1+1", '-0.5', 'Cough.', "''-"]

    Reference: OWASP, CSV Injection.
    """
    return frame.rename(columns=_inert).map(_inert)


def _inert(value):
    is_run = isinstance(value, str) and _RUN.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_run else value


def as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """The table that `inert` was made of.

    Args:
        frame: The table, with columns of texts.

    Example:

    >>> import pandas as pd
    >>> as_written(inert(pd.DataFrame({"text": ["=1+1", "-0.5", "Cough.", "'-"]})))["text"].tolist()
    ['=1+1', '-0.5', 'Cough.', "'-"]
    """
    return frame.map(_as_written).astype(object)


def _as_written(value):
    is_guarded = isinstance(value, str) and value.startswith("'") and _RUN.match(value)
    return value[1:] if is_guarded else value


def write_note_frames(frames: Iterable[pd.DataFrame], path) -> None:
    """Writes the parts of a table of notes into one file, all of it or nothing, holding one part at a time.

    In CSV and TSV, texts that a spreadsheet would run have an apostrophe before them (`inert`), which our readers
    take away.

    Args:
        frames: The parts, as from `Notes.to_frame`, all with the same columns.
        path: A file whose suffix `table_format` knows.

    Raises:
        InputError: If the suffix is unknown or the disk is full.
    """
    table = table_format(path)
    with replacing(path) as temporary:
        if table == "parquet":
            _write_parquet(frames, temporary)
        else:
            _write_text(frames, temporary, table)


def _write_text(frames: Iterable[pd.DataFrame], path: Path, table: str) -> None:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        for part, frame in enumerate(frames):
            if table == "jsonl":
                if "mentions" in frame:
                    frame = frame.assign(mentions=frame["mentions"].map(mention_records))
                frame.to_json(file, orient="records", lines=True, force_ascii=False, double_precision=15)
            else:
                frame = frame.drop(columns="mentions", errors="ignore")
                frame = frame.assign(codes=frame["codes"].map(";".join))
                write_csv(frame, file, "\t" if table == "tsv" else ",", header=part == 0)


def write_csv(frame: pd.DataFrame, file, separator: str = ",", header: bool = True) -> None:
    """Writes a table without its index, `inert`, to a path or an open file.

    Args:
        frame: The table.
        file: The path or file.
        separator: What parts the columns. Defaults to a comma.
        header: Whether to write the names of the columns. Defaults to True.
    """
    # A carriage return ends a row where it is not quoted, which Python's writer leaves undone.
    returns = frame.map(_has_return).any(axis=None) or any(map(_has_return, frame.columns))
    quoting = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    inert(frame).to_csv(file, sep=separator, index=False, header=header, quoting=quoting, lineterminator="\n")


def _has_return(value) -> bool:
    return isinstance(value, str) and "\r" in value


def _write_parquet(frames: Iterable[pd.DataFrame], path: Path) -> None:
    writer = None
    for frame in frames:
        plain = frame.drop(columns=["codes", "mentions"], errors="ignore")
        table = pa.Table.from_pandas(plain, preserve_index=False)
        # Typed by hand: Arrow would store a part without any code, or mention, as nulls.
        codes = pa.array(frame["codes"].map(list), type=pa.list_(pa.string()))
        table = table.append_column("codes", codes)
        if "mentions" in frame:
            mentions = pa.array([mention_records(pairs) for pairs in frame["mentions"]], type=_MENTIONS)
            table = table.append_column("mentions", mentions)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
