"""CAC figure 6: Recall@K of the network, of averaged parents and of the controls."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.cac.claims import mean_se
from experiments.harness import progress, show
from experiments.rows.stays import KS, measure
from experiments.tasks.stays import StaysTask
from icd_relevancy.reporting import line_plot

_COLUMNS = {
    "recall@30": "Recall@30 (%)",
    "ndcg": "NDCG (%)",
    "rank_errors@50": "RE@50",
    "rank_errors@100": "RE@100",
    "micro_auprc": "micro-AUPRC (%)",
    "macro_auroc": "macro-AUROC (%)",
}


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """CAC figure 6.

    Mean and standard error over the Monte-Carlo splits. The curves are of the level that the settings name;
    the table has every level.
    """
    rows, curves, errors = [], {}, {}
    for row in progress(settings["rows"], "figure 6"):
        runs = measure(task, row)
        for level in runs[0]:
            cells = {"level": level, "experiment": row["name"], **means([found[level] for found in runs])}
            cells["printed Recall@30"] = row.get("printed", "–") if level == settings["level"] else "–"
            rows.append(cells)
        found = pd.DataFrame([run[settings["level"]] for run in runs])
        shown = [k for k in KS if f"recall@{k}" in found]
        values = 100 * found[[f"recall@{k}" for k in shown]].set_axis(shown, axis=1)
        curves[row["name"]] = values.mean()
        errors[row["name"]] = values.sem(ddof=1) if len(values) > 1 else values.mean() * np.nan
    table = pd.DataFrame(rows).sort_values(
        "level", key=lambda column: column.map(list(runs[0]).index), kind="stable"
    )
    print(task)
    show(table.reset_index(drop=True), stem)
    ylabel = f"Recall@K on {settings['level']} codes, test stays (%)"
    values, deviations = (pd.DataFrame(columns) for columns in (curves, errors))
    line_plot(stem.with_suffix(".png"), values, "K", ylabel, errors=deviations, title="CAC figure 6")


def means(measured: list[dict[str, float]]) -> dict[str, str]:
    """The columns of a table from the metrics of each split, all of one level."""
    return {
        column: mean_se([found[key] for found in measured], 100 if "%" in column else 1)
        for key, column in _COLUMNS.items()
        if key in measured[0]
    }
