"""Methods against a baseline: the relative improvement of a ranking metric, split by split."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.cac.claims import standard_error, verdict
from experiments.cac.rankers import measure
from experiments.cac.task import CacTask
from icd_relevancy.reporting import bar_plot, markdown_table, write_table


def compare(task: CacTask, settings: dict, stem: Path, title: str) -> None:
    """Writes the table and the picture of a comparison.

    The improvement is the mean over the splits of each split's own relative difference to the baseline, the
    first row; its standard error tells what the splits disagree about. A row is called better or worse where the
    difference is more than two standard errors.

    Args:
        task: The task.
        settings: `rows`, the baseline first; `compared`, the metrics by their column's name: `[level, metric]`;
            and `errors`, whether less of them is better.
        stem: Where the results go.
        title: Of the picture.
    """
    measured = {}
    for row in (bar := tqdm(settings["rows"], desc=title, unit="row")):
        bar.set_postfix_str(row["name"])
        measured[row["name"]] = measure(task, {key: row[key] for key in ("ranker", "network") if key in row})
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
    write_table(table.reset_index(drop=True), stem.parent, stem.name, digits=3)
    print(
        f"{task.config.data}, {task.config.code_system}: {len(task.stays)} stays, {len(task.nodes.names)} nodes"
    )
    print(markdown_table(table.reset_index(drop=True), digits=3))
    names = [row["name"] for row in settings["rows"][1:]]
    values, deviations = (pd.DataFrame(cells)[names] for cells in (values, deviations))
    ylabel = f"improvement over {baseline} (%)"
    bar_plot(stem.with_suffix(".png"), values, ylabel, errors=deviations, title=title)
