"""Rows of a table side by side: what is measured of each fold or seed, and gains that are paired by it."""

from collections.abc import Callable
from fnmatch import filter as matching
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from experiments.harness import Task, progress, show
from experiments.rows import notes, two_systems
from experiments.tasks.notes import NotesTask
from icd_relevancy.reporting import bar_plot, mean_sd

# For each row's name and each group, such as a code system, what is measured, a line a fold or seed.
Measured = dict[str, dict[str, pd.DataFrame]]


def make(task: Task, settings: dict, stem: Path) -> None:
    """Rows side by side.

    Mean ± sd over the folds or seeds, each with a seed of its own, in per cent; gains over another row are paired.

    Args:
        task: Notes, or notes of two code systems.
        settings: `rows`; `columns`, what is measured, `*` standing for any text; and where they are wanted `gain`:
            of a column `in`, `over` the `first` row or `backbone`, the same model of one system; the names of the
            columns of `seconds`, of the `number` of runs and of figures `printed_as`; and `picture`: a `title` and
            `columns`, a group of bars for each `measure`, `experiment` or `system`.
        stem: Where the results go.
    """
    measured = measure(task, settings, stem)
    print(task)
    show(compared(task, settings, measured), stem)
    picture = settings["picture"]
    columns = _columns(next(iter(next(iter(measured.values())).values())), picture["columns"])
    title = picture["title"].format(data=task.name, match=_without(columns[0], picture["columns"][0]))
    values, errors = (
        _drawn(measured, columns, picture["bars"], of) for of in (pd.Series.mean, pd.Series.std)
    )
    bar_plot(stem.with_suffix(".png"), values, picture.get("label", "test (%)"), errors=errors, title=title)


def measure(task: Task, settings: dict, stem: Path) -> Measured:
    """Trains what has not been trained yet, and measures every row."""
    rows = progress(task.rows(settings["rows"]), stem.parent.name)
    if isinstance(task, NotesTask):
        shared = settings["training"]
        return {row["name"]: {"": notes.measures(task, notes.fold_runs(task, row, shared))} for row in rows}
    return {row["name"]: two_systems.figures(task, row) for row in rows}


def compared(task: Task, settings: dict, measured: Measured) -> pd.DataFrame:
    """The table, a line a row, or a line a group and row."""
    rows = task.rows(settings["rows"])
    groups = list(next(iter(measured.values())))
    lines = [
        {"system": group, "experiment": row["name"], **_cells(row, rows, group, settings, measured)}
        for group in groups
        for row in rows
    ]
    table = pd.DataFrame(lines).set_index(["system", "experiment"])
    return table.droplevel("system") if len(groups) == 1 else table


def _cells(row: dict, rows: list[dict], group: str, settings: dict, measured: Measured) -> dict:
    runs = measured[row["name"]][group]
    cells = {column: mean_sd(runs[column]) for column in _columns(runs, settings["columns"])}
    if gain := settings.get("gain"):
        (column,) = _columns(runs, [gain["in"]])[:1]
        title = gain["title"].replace("*", _without(column, gain["in"]))
        cells |= dict.fromkeys((f"{title} (95 % interval)", "p"), "–")
        if other := two_systems.backbone_of(row, rows) if gain["over"] == "backbone" else rows[0]:
            gains = 100 * (runs[column] - measured[other["name"]][group][column])
            cells |= dict(zip(list(cells)[-2:], paired_gain(gains), strict=True))
    if "number" in settings:
        cells[settings["number"]] = len(runs)
    if "seconds" in settings:
        cells[settings["seconds"]] = mean_sd(runs["seconds"], 0, percent=False)
    if "printed_as" in settings:
        printed = row.get("printed", "–")
        printed = printed.get(group, "–") if isinstance(printed, dict) else printed
        is_list = isinstance(printed, list)
        cells[settings["printed_as"]] = (
            " / ".join(f"{value:.1f}" for value in printed) if is_list else printed
        )
    return cells


def _columns(runs: pd.DataFrame, patterns: list[str]) -> list[str]:
    return [column for pattern in patterns for column in matching(runs.columns, pattern)]


def _without(column: str, pattern: str) -> str:
    """What `*` stands for."""
    return column.removeprefix(pattern.partition("*")[0])


def _drawn(measured: Measured, columns: list[str], bars: str, statistic: Callable) -> pd.DataFrame:
    """Bars `(groups of bars, series)` of a statistic in per cent."""
    if bars == "system":
        (column,) = columns[:1]
        return pd.DataFrame(
            {
                name: {group: 100 * statistic(runs[column]) for group, runs in groups.items()}
                for name, groups in measured.items()
            }
        )
    values = pd.DataFrame(
        {
            name: {column: 100 * statistic(next(iter(groups.values()))[column]) for column in columns}
            for name, groups in measured.items()
        }
    )
    return values if bars == "measure" else values.T


def paired_gain(differences) -> tuple[str, str]:
    """Mean of paired differences with its confidence interval, and the p-value of the paired t-test."""
    differences = np.asarray(differences)
    if not differences.any():
        return "–", "–"
    if len(differences) == 1:
        return f"{differences[0]:+.2f}", "–"
    test = stats.ttest_1samp(differences, 0)
    interval = test.confidence_interval(0.95)
    return f"{differences.mean():+.2f} ({interval.low:+.2f} to {interval.high:+.2f})", f"{test.pvalue:.3f}"
