"""Methods against a baseline: the relative improvement of a ranking metric, split by split."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.cac.claims import standard_error, verdict
from experiments.harness import progress, show
from experiments.rows.stays import measure
from experiments.tasks.stays import StaysTask
from icd_relevancy.reporting import bar_plot


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """Methods against a baseline.

    The improvement is the mean over the splits of each split's own relative difference to the baseline, the
    first row; its standard error tells what the splits disagree about. A row is called better or worse where the
    difference is more than two standard errors.

    Args:
        task: The task.
        settings: `rows`, the baseline first; `compared`, the metrics by their column's name: `[level, metric]`;
            `errors`, whether less of them is better; and the `title` of the picture.
        stem: Where the results go.
    """
    measured = {row["name"]: measure(task, row) for row in progress(settings["rows"], stem.parent.name)}
    baseline = settings["rows"][0]["name"]
    rows, values, deviations = [], {}, {}
    for row in settings["rows"]:
        for column, (level, metric) in settings["compared"].items():
            own, base = (
                np.array([run[level][metric] for run in measured[name]]) for name in (row["name"], baseline)
            )
            gains = 100 * (own - base) / base * (-1 if settings["errors"] else 1)
            error = standard_error(gains)
            rows.append(
                {
                    "compared": column,
                    "experiment": row["name"],
                    "value": own.mean(),
                    "improvement (%)": gains.mean(),
                }
                | {"standard error": error, "here": "baseline" if row["name"] == baseline else verdict(gains)}
                | {"printed": row.get("printed", "–")}
            )
            values.setdefault(row["name"], {})[column] = gains.mean()
            deviations.setdefault(row["name"], {})[column] = error
    table = pd.DataFrame(rows).sort_values(
        "compared", key=lambda column: column.map(list(settings["compared"]).index), kind="stable"
    )
    print(task)
    show(table.reset_index(drop=True), stem, digits=3)
    names = [row["name"] for row in settings["rows"][1:]]
    values, deviations = (pd.DataFrame(cells)[names] for cells in (values, deviations))
    ylabel = f"improvement over {baseline} (%)"
    bar_plot(stem.with_suffix(".png"), values, ylabel, errors=deviations, title=settings["title"])
