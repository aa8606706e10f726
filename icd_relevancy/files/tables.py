"""The formats of a table, and how one is written part by part."""

import csv
import gzip
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from icd_relevancy.errors import InputError, shown_path
from icd_relevancy.files.content import foreign_suffix
from icd_relevancy.files.disk import replacing

_SUFFIXES = {
    f".{suffix}{packed}": table
    for suffix, table in (("csv", "csv"), ("tsv", "tsv"), ("parquet", "parquet"), ("jsonl", "jsonl"),
                          ("ndjson", "jsonl"), ("jl", "jsonl"), ("json", "jsonl"))
    for packed in (("",) if table == "parquet" else ("", ".gz"))
}  # fmt: skip
# What a spreadsheet would run, or break a cell at, where a text begins with it.
_RUN = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ONE = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# Also with its deviation or interval, as our tables have it: "+1.00 ± 0.10", "-0.5 (-1.0 to +0.2)".
_NUMBER = re.compile(rf"{_ONE}(?: ± {_ONE}| \({_ONE} to {_ONE}\))?")


@dataclass(frozen=True)
class Encoder:
    """How a column of anything but numbers and texts is written."""

    plain: Callable  # of a value, for JSON lines and Parquet
    arrow: pa.DataType  # by hand: Arrow would store a part without any value as nulls
    text: Callable | None  # for CSV and TSV; None leaves the column out


LISTS = Encoder(list, pa.list_(pa.string()), ";".join)


def table_format(path) -> str:
    """`"csv"`, `"tsv"`, `"parquet"` or `"jsonl"`, by the suffix of a file; any other raises `InputError`."""
    name = Path(path).name.lower()
    for suffix, table in _SUFFIXES.items():
        if name.endswith(suffix):
            return table
    problem = f"the file name must end in one of {', '.join(_SUFFIXES)}"
    if foreign := foreign_suffix(path):
        problem = f"{foreign}; {problem}"
    raise InputError(f"{shown_path(path)}: {problem}")


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with an apostrophe before each text that a spreadsheet would run (OWASP, CSV Injection).

    Such a text begins with `=`, `+`, `-`, `@`, a tab or a line break, or with apostrophes and one of these; numbers,
    also as text, stay as they are. `as_written` takes the apostrophe away.
    """
    return frame.rename(columns=_inert).map(_inert)


def _inert(value):
    is_run = isinstance(value, str) and _RUN.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_run else value


def as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """The table, with columns of texts, that `inert` was made of."""
    return frame.map(_as_written).astype(object)


def _as_written(value):
    is_guarded = isinstance(value, str) and value.startswith("'") and _RUN.match(value)
    return value[1:] if is_guarded else value


def write_frames(frames: Iterable[pd.DataFrame], path, encoders: Mapping[str, Encoder]) -> None:
    """Writes the parts of a table into one file, all of it or nothing, holding one part at a time.

    In CSV and TSV the texts are `inert`; `encoders` write the columns of anything but numbers and texts.
    """
    table = table_format(path)
    with replacing(path) as temporary:
        if table == "parquet":
            _write_parquet(frames, temporary, encoders)
        else:
            _write_text(frames, temporary, table, encoders)


def _write_text(frames: Iterable[pd.DataFrame], path: Path, table: str, encoders) -> None:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        for part, frame in enumerate(frames):
            own = {name: encoder for name, encoder in encoders.items() if name in frame}
            if table == "jsonl":
                frame = frame.assign(**{name: frame[name].map(one.plain) for name, one in own.items()})
                frame.to_json(file, orient="records", lines=True, force_ascii=False, double_precision=15)
                continue
            frame = frame.drop(columns=[name for name, one in own.items() if one.text is None])
            frame = frame.assign(**{name: frame[name].map(one.text) for name, one in own.items() if one.text})
            write_csv(frame, file, "\t" if table == "tsv" else ",", header=part == 0)


def write_csv(frame: pd.DataFrame, file, separator: str = ",", header: bool = True) -> None:
    """Writes a table without its index, `inert`, to a path or an open file."""
    # A carriage return ends a row where it is not quoted, which Python's writer leaves undone.
    returns = frame.map(_has_return).any(axis=None) or any(map(_has_return, frame.columns))
    quoting = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    inert(frame).to_csv(file, sep=separator, index=False, header=header, quoting=quoting, lineterminator="\n")


def _has_return(value) -> bool:
    return isinstance(value, str) and "\r" in value


def _write_parquet(frames: Iterable[pd.DataFrame], path: Path, encoders) -> None:
    writer = None
    for frame in frames:
        own = {name: encoders[name] for name in frame if name in encoders}
        table = pa.Table.from_pandas(frame.drop(columns=list(own)), preserve_index=False)
        for name, encoder in own.items():
            column = pa.array([encoder.plain(value) for value in frame[name]], type=encoder.arrow)
            table = table.add_column(frame.columns.get_loc(name), name, column)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
