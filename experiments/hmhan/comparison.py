"""Models of radiology reports side by side: what table 3, table 4 and the ablation have in common."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from experiments.hmhan.runs import fold_runs, measures
from experiments.task import Task
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table

_SHARES = (
    "micro-F1 tuned", "macro-F1 tuned", "micro-F1 pooled", "macro-F1 pooled", "precision", "recall", "ROC-AUC",
    "accuracy", "Hamming loss",
)  # fmt: skip


def compare(task: Task, settings: dict, stem: Path) -> None:
    """Trains the rows of a table on every fold, and writes what is measured of them with a picture.

    Mean ± sd over the folds, each with a seed of its own; differences to the first row are paired by fold.

    Args:
        task: The task.
        settings: `title`, `rows` and `training`, as of `fold_runs`.
        stem: Where the results go.
    """
    measured = {}
    for row in (bar := tqdm(settings["rows"], desc=stem.parent.name, unit="row")):
        bar.set_postfix_str(row["name"])
        measured[row["name"]] = measures(task, fold_runs(task, row, settings["training"]))
    table = pd.DataFrame([_cells(row, measured, settings) for row in settings["rows"]]).set_index(
        "experiment"
    )
    write_table(table, stem.parent, stem.name)
    print(f"{task.config.data}: {len(task.notes)} notes, {len(task.labels)} codes, {task.config.folds} folds")
    print(markdown_table(table))
    columns = ["precision", "recall", "micro-F1 tuned", "ROC-AUC", "Hamming loss"]
    values, errors = (
        pd.DataFrame({name: 100 * statistic(folds[columns]) for name, folds in measured.items()})
        for statistic in (pd.DataFrame.mean, pd.DataFrame.std)
    )
    bar_plot(stem.with_suffix(".png"), values, "test (%)", errors=errors, title=settings["title"])


def _cells(row: dict, measured: dict[str, pd.DataFrame], settings: dict) -> dict[str, str]:
    folds = measured[row["name"]]
    cells = {"experiment": row["name"], **{name: mean_sd(folds[name]) for name in _SHARES}}
    baseline = settings["rows"][0]["name"]
    cells[f"gain over {baseline} (95 % interval)"], cells["p"] = paired_gain(
        100 * (folds["micro-F1 tuned"] - measured[baseline]["micro-F1 tuned"])
    )
    cells["seconds a fold"] = mean_sd(folds["seconds"], 0, percent=False)
    cells["printed P / R / F1 / AUC / Hamming"] = row.get("printed", "–")
    return cells


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
