"""Tables of CSV, TSV, Parquet or JSON lines as Python values, and one clear line for what is wrong in them."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from icd_relevancy.errors import InputError, shown_note, shown_word
from icd_relevancy.files.content import Content
from icd_relevancy.files.json_records import (
    LONE_SURROGATE,
    MalformedJsonError,
    column_with_lone_surrogate,
    decode_object,
    json_objects,
)
from icd_relevancy.files.safe_reading import opened, readable
from icd_relevancy.files.tables import as_written, table_format

MOST_PROBLEMS = 20


class InputProblemsError(InputError):
    """Several problems of one input, a line each: the first twenty of them, and how many more there are."""

    def __init__(self, problems: list[str], place, unsaid: int):
        more = len(problems) + unsaid - MOST_PROBLEMS
        rest = [f"{place}: and {more} more problems"] if more > 0 else []
        self.lines = (*problems[:MOST_PROBLEMS], *rest)
        super().__init__("\n".join(self.lines))


def refuse(problems: list[str], place, unsaid: int = 0) -> None:
    """Raises an `InputError` for one problem, `InputProblemsError` for several (and those unsaid), nothing for none."""
    if len(problems) == 1:
        raise InputError(problems[0])
    if problems:
        raise InputProblemsError(problems, place, unsaid)


@dataclass(frozen=True)
class Records:
    """The columns of a table as it was read, before they are checked; `check` raises what was reported."""

    path: str | Path | Content
    frame: pd.DataFrame  # Python values, None where a cell is empty
    lines: list[int] | None = None  # of JSON lines the line of each row
    id_name: str | None = None  # the column that names a row in messages, such as "note_id"
    rows: list[int] | None = None  # the number of each row in the file, from 0, where some are left out
    problems: list[tuple[int, str, str]] = field(default_factory=list)  # row, column and what is wrong

    def place(self, row: int) -> str:
        """Where a user finds row `row` (counted from 0)."""
        number = (row if self.rows is None else self.rows[row]) + 1
        return f"row {number}" if self.lines is None else f"row {number} (line {self.lines[row]})"

    def without(
        self, name: str, is_left_out: Callable[[object], bool], problem: str, left_out: list[str]
    ) -> "Records":
        """The table without the rows whose cell of a column is such a one, named in `left_out`; all where all are."""
        dropped = [row for row, value in enumerate(self.frame[name].tolist()) if is_left_out(value)]
        if not 0 < len(dropped) < len(self.frame):
            return self
        for row in dropped:
            self.report(row, name, problem)
        left_out.extend(self._message(*reported) for reported in self.problems)
        kept = sorted(set(range(len(self.frame))) - set(dropped))
        lines = None if self.lines is None else [self.lines[row] for row in kept]
        frame = self.frame.iloc[kept].reset_index(drop=True)
        return Records(self.path, frame, lines, self.id_name, kept)

    def report(self, row: int, name: str, problem: str) -> None:
        """Keeps what is wrong with the cell of column `name` in row `row` (counted from 0), for `check`."""
        self.problems.append((row, name, problem))

    def column(self, name: str, is_good: Callable[[object], bool], problem: str) -> list:
        """The values of column `name`, None for those that are not good, which are reported as `problem`."""
        values = self.frame[name].tolist()
        for row, value in enumerate(values):
            if not is_good(value):
                self.report(row, name, problem)
                values[row] = None
        return values

    def check(self) -> None:
        """Raises `InputError` with all that was reported, in the order of the rows."""
        reported = sorted(self.problems, key=lambda problem: problem[0])
        messages = [self._message(*problem) for problem in reported[:MOST_PROBLEMS]]
        refuse(messages, self.path, len(reported) - len(messages))

    def _message(self, row: int, name: str, problem: str) -> str:
        message = f"{self.path}, {self.place(row)}, column {name!r}: {problem}"
        return message if name == self.id_name else message + self._named(row)

    def _named(self, row: int) -> str:
        value = self.frame[self.id_name].iloc[row] if self.id_name in self.frame else None
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return ""
        shown = shown_note(str(value).strip(), row + 1, self.id_name.removesuffix("_id"))
        # For an identifier that is not shown stands the number of the row, which the message has already.
        return f" ({shown})" if "'" in shown else ""


def read_records(
    path,
    wanted: list[str] | None = None,
    required: Sequence[str] = (),
    names: Iterable[str] = (),
    id_name: str | None = None,
) -> Records:
    """Reads the `wanted` columns of a table, or all, as Python values, None where a cell is empty.

    Args:
        path: A `.csv`, `.tsv`, `.parquet` or JSON lines file, by its suffix; or a `Content` of such a kind.
        wanted: From CSV and TSV all are text, but `age` of those wanted.
        required: Those that must be there, in JSON lines in every record.
        names: All columns that a schema knows, to recognise misspelled ones; those wanted if empty.
        id_name: As of `Records`.
    """
    names = tuple(names) or tuple(wanted or ())
    table = _content_table(path, names) if isinstance(path, Content) else _file_table(path)
    lines = None
    with readable(path):
        if table == "parquet":
            frame = _parse_parquet(path, wanted, required, names)
        elif table == "jsonl":
            frame, lines = _parse_json_lines(path, wanted, required, names)
        else:
            frame = _parse_csv(path, "\t" if table == "tsv" else ",", wanted, required, names)
    if frame.empty:
        raise InputError(f"{path}: the file has no rows")
    return Records(path, frame, lines, id_name)


def read_rows(path) -> list[dict]:
    """The rows of a table with all of its columns, each row by column, None where a cell is empty."""
    return read_records(path).frame.to_dict("records")


def _file_table(path) -> str:
    """The format of a file by its suffix, if it can be opened at all."""
    table = table_format(path)
    if not Path(path).is_file():
        problem = "a folder or a device, no file" if Path(path).exists() else "no such file"
        raise InputError(f"{path}: {problem}")
    return table


def _content_table(content: Content, names: tuple[str, ...]) -> str:
    if content.kind in ("semicolons", "bars"):
        separator = {"semicolons": ";", "bars": "|"}[content.kind]
        raise InputError(f"{content}: the columns are separated by {separator!r}; separate them by ','")
    if content.kind == "text":
        expected = "JSON, Parquet, or a CSV or TSV table whose header names its columns"
        raise InputError(f"{content}: expected {expected}, of which it knows {', '.join(names)}")
    return "jsonl" if content.kind == "json" else content.kind


def table_columns(path) -> list[str]:
    """The names of the columns of a file, of JSON lines those of the first record; for a glance before it is read."""
    table = _file_table(path)
    with readable(path), opened(path) as file:
        if table == "parquet":
            return pq.ParquetFile(file).schema_arrow.names
        if table == "jsonl":
            return re.findall(r'"(\w{1,40})"\s*:', file.read(2**16).decode("utf-8", "replace"))
        return list(pd.read_csv(file, sep="\t" if table == "tsv" else ",", nrows=0, encoding="utf-8-sig"))


def _check_columns(path, columns, required: Sequence[str], names: tuple[str, ...]) -> None:
    padded = [name for name in map(str, columns) if name not in names and name.strip() in names]
    if padded:
        raise InputError(f"{path}: blanks in the header around {', '.join(map(repr, padded))}; remove them")
    # pandas gives the second of two equal names a number.
    if twice := [name for name in names if name in columns and f"{name}.1" in columns]:
        raise InputError(f"{path}: the column {twice[0]!r} is there more than once; keep one")
    missing = [name for name in required if name not in columns]
    if missing:
        single = str(next(iter(columns), "")) if len(columns) == 1 else ""
        separator = next(
            (one for one in ";\t|," if set(required) & {*re.split(f"\\s*[{one}]\\s*", single)}), None
        )
        if separator and separator in single:
            raise InputError(f"{path}: the columns are separated by {separator!r}; save it as CSV, with ','")
        # In a file without a header the "columns" would be the first note.
        known = {str(name).strip().lower() for name in columns} & set(names)
        words = [name for name in map(str, columns) if known and re.fullmatch(r"\w{1,40}", name)]
        shown = ", ".join(words) or "none of the known ones (has the file a header?)"
        wanted = ", ".join(map(repr, missing))
        raise InputError(
            f"{path}: no column {wanted}; the columns are {shown}. Rename or add the missing one"
        )
    spelled = {name.replace("_", ""): name for name in names}
    for column in map(str, columns):
        meant = spelled.get(re.sub(r"[\W_]", "", column).lower())
        if meant and meant not in columns:
            raise InputError(f"{path}: column {column[:60]!r} looks like {meant!r}; rename it")


def _parse_csv(
    path, separator: str, wanted: list[str] | None, required: Sequence[str], names
) -> pd.DataFrame:
    # Everything is text, and "NA" or "None" are texts too.
    options = {"sep": separator, "dtype": object, "keep_default_na": False, "encoding": "utf-8-sig"}
    with opened(path) as file:
        columns = pd.read_csv(file, nrows=0, **options).columns
    _check_columns(path, columns, required, names)
    try:
        with opened(path) as file:
            frame = pd.read_csv(file, **options)
    except pd.errors.ParserError:
        _check_widths(path, separator)
        raise
    # pandas takes surplus fields of the first row for an index, and missing ones for empty ones.
    if not isinstance(frame.index, pd.RangeIndex) or (frame.iloc[:, -1] == "").any():
        _check_widths(path, separator)
    frame = as_written(frame if wanted is None else frame[[name for name in wanted if name in columns]])
    frame = frame.where(frame != "", None)
    if wanted and "age" in frame:
        numbers = pd.to_numeric(frame["age"], errors="coerce").astype(object)
        frame["age"] = numbers.where(numbers.notna(), frame["age"])
    return frame


def _check_widths(path, separator: str) -> None:
    """Raises `InputError` if a row has not as many fields as the header; names the first ones."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        with io.TextIOWrapper(opened(path), encoding="utf-8-sig", newline="") as file:
            rows = filter(None, csv.reader(file, delimiter=separator))
            width = len(next(rows))
            wrong = [(number, len(row) > width) for number, row in enumerate(rows, 1) if len(row) != width]
    finally:
        csv.field_size_limit(limit)
    if wrong:
        (number, is_longer), *others = wrong
        problem = f"row {number} has {'more' if is_longer else 'fewer'} fields than the header"
        shown = ", ".join(str(other) for other, _ in others[: MOST_PROBLEMS - 1])
        more = f" and {len(others) - MOST_PROBLEMS + 1} more" if len(others) >= MOST_PROBLEMS else ""
        problem += f", nor do these rows fit it: {shown}{more}" if others else ""
        raise InputError(f"{path}: {problem}; quote fields that hold a {separator!r} or a line break")


def _parse_parquet(path, wanted: list[str] | None, required: Sequence[str], names) -> pd.DataFrame:
    file = pq.ParquetFile(opened(path) if isinstance(path, Content) else path)
    columns = file.schema_arrow.names
    _check_columns(path, columns, required, names)
    table = file.read(columns=None if wanted is None else [name for name in wanted if name in columns])
    # Through Python values: pandas would turn whole numbers with gaps into floats.
    values = {name: table.column(name).to_pylist() for name in table.column_names}
    return object_frame({name: _without_nan(column) for name, column in values.items()})


def object_frame(columns: dict[str, list]) -> pd.DataFrame:
    """Columns of Python values as they are, None where there is none."""
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})


def _without_nan(values: list) -> list:
    return [None if isinstance(value, float) and value != value else value for value in values]


def _parse_json_lines(
    path, wanted: list[str] | None, required: Sequence[str], names
) -> tuple[pd.DataFrame, list[int] | None]:
    values = {name: [] for name in wanted or ()}
    columns, lines, problems, incomplete = {}, [], [], []
    for number, record, has_escapes in _json_records(path, problems):
        columns.update(dict.fromkeys(record))
        if wanted is None:
            values |= {name: [None] * len(lines) for name in record if name not in values}
        lines.append(number)
        place = f"{path}, row {len(lines)}" + (f" (line {number})" if number else "")
        # Only an escape gives half of a pair: the decoder refuses it as bytes.
        if has_escapes and (name := column_with_lone_surrogate(record, values)):
            problems.append(f"{place}, column {shown_word(name)}: {LONE_SURROGATE}")
        if missing := [name for name in required if name not in record]:
            incomplete.append(f"{place}: no {missing[0]!r}; every record needs it")
        for name, column in values.items():
            column.append(record.get(name))
    refuse(problems, path)
    if incomplete:
        _check_columns(path, columns, required, names)
        refuse(incomplete, path)
    frame = object_frame({name: column for name, column in values.items() if name in columns})
    return frame, lines if all(lines) else None


def _json_records(path, problems: list[str]) -> Iterator[tuple[int | None, dict, bool]]:
    """The records of JSON lines or a JSON array, their lines, and whether they may hold escapes of characters."""
    with opened(path) as file:
        if isinstance(path, Content) or file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            file.seek(0)
            text = file.read().decode("utf-8-sig")
            has_escapes = "\\u" in text
            for number, record in json_objects(text, path, problems):
                yield number, record, has_escapes
            return
        file.seek(0)
        for number, line in enumerate(file, 1):
            line = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if not line:
                continue
            try:
                yield number, decode_object(line), "\\u" in line
            except MalformedJsonError as problem:
                problems.append(f"{path}, line {number}: {problem}")
