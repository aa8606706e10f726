"""Tables of results as text: one number with its spread, Markdown, and a CSV beside it."""

from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import replacing
from icd_relevancy.files.tables import write_csv


def mean_sd(values, digits: int = 2, percent: bool = True) -> str:
    """Mean and sample standard deviation (`n − 1`) of the values of several folds or seeds.

    Args:
        values: One number a fold, `(folds,)`. A single one is written without a deviation.
        digits: Digits after the point. Defaults to 2.
        percent: Whether the values are fractions to write in percent, as the papers do. Defaults to True.

    Raises:
        InputError: If there is no value.

    Example:

    >>> mean_sd([0.7441, 0.7464, 0.7487])
    '74.64 ± 0.23'
    >>> mean_sd([112.0, 118.0], digits=1, percent=False)
    '115.0 ± 4.2'

    Reference: the form of LOSSES tables 1 and 2, with both numbers in percent.
    """
    values = np.asarray(values, dtype=np.float64).ravel() * (100 if percent else 1)
    if not len(values):
        raise InputError("mean_sd needs at least one value; the experiment gave none")
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std(ddof=1):.{digits}f}"


def markdown_table(frame: pd.DataFrame, digits: int = 4) -> str:
    """A frame as a Markdown table with aligned pipes, numbers to the right.

    An index with a name, or with anything but 0, 1, 2 …, becomes the first column or columns. Missing
    values are empty cells.

    Args:
        frame: The table; texts are written as they are, so codes keep their zeros.
        digits: Digits after the point of floating-point columns. Defaults to 4.

    Example:

    >>> print(markdown_table(pd.DataFrame({"loss": ["TLCL"], "micro-F1": [0.8572]})))
    | loss | micro-F1 |
    |:-----|---------:|
    | TLCL |   0.8572 |
    """
    frame = _with_index(frame)
    columns = [_cells(frame.iloc[:, place], digits) for place in range(frame.shape[1])]
    heads = [_escaped(name) for name in frame.columns]
    widths = [max(3, len(head), *map(len, cells)) for head, cells in zip(heads, columns, strict=True)]
    right = [is_numeric_dtype(dtype) and not is_bool_dtype(dtype) for dtype in frame.dtypes]

    def line(cells) -> str:
        padded = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width + 1) + ":" if to_right else ":" + "-" * (width + 1)
        for width, to_right in zip(widths, right, strict=True)
    ]
    rows = [line(cells) for cells in zip(*columns, strict=True)]
    return "\n".join([line(heads), f"|{'|'.join(rule)}|", *rows])


def write_table(frame: pd.DataFrame, folder, name: str, digits: int = 4) -> tuple[Path, Path]:
    """Writes a frame as `name.csv` (all digits) and `name.md` (rounded), each whole or not at all.

    In the CSV, a text that a spreadsheet would take for a formula has an apostrophe before it.

    Args:
        frame: The table; its index is written by the rule of `markdown_table`.
        folder: Where to write; made if it is not there.
        name: File name without an ending, such as `losses_table2`.
        digits: Digits after the point in the Markdown file. Defaults to 4.

    Returns:
        The paths of the CSV and of the Markdown file.

    Raises:
        InputError: If the disk is full.

    Example:

    >>> results = pd.DataFrame({"loss": ["TLCL"], "micro-F1": [0.8572]})
    >>> csv, markdown = write_table(results, "results", "losses_table2")
    """
    csv, markdown = (Path(folder) / f"{name}.{ending}" for ending in ("csv", "md"))
    with replacing(csv) as temporary:
        write_csv(_with_index(frame), temporary)
    with replacing(markdown) as temporary:
        temporary.write_text(markdown_table(frame, digits) + "\n", encoding="utf-8")
    return csv, markdown


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    plain = frame.index.names == [None] and frame.index.equals(pd.RangeIndex(len(frame)))
    return frame if plain else frame.reset_index()


def _cells(column: pd.Series, digits: int) -> list[str]:
    if is_float_dtype(column.dtype):
        return ["" if pd.isna(value) else f"{value:.{digits}f}" for value in column]
    return ["" if pd.isna(value) else _escaped(value) for value in column]


def _escaped(value) -> str:
    return " ".join(str(value).replace("|", "\\|").split("\n"))
