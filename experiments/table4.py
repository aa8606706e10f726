"""LOSSES table 4: F1 of six hard codes."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.runs import fold_runs
from experiments.task import Task, run
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table


def make(task: Task, settings: dict, stem: Path) -> None:
    """LOSSES table 4.

    Mean ± sd over the folds that have a test note of a code.
    """
    hard = {code: entry["printed"] for entry in settings["codes"] if (code := _label(task, entry))}
    if not hard:
        raise InputError(f"{task.config.data}: none of the hard codes occurs in these notes")
    relevance = task.relevance()
    rows, means = [], {}
    for row in tqdm(settings["rows"], desc="table 4", unit="row"):
        runs = list(fold_runs(task, row))
        for code, printed in hard.items():
            label = task.labels.index(code)
            cells = {"code": code, "title": task.system.title(task.system.normalise(code))}
            cells |= {"notes": int(task.y[:, label].sum()), "experiment": row["name"]}
            tested = [fold for fold in runs if task.y[fold.rows["test"], label].sum()]
            for terms, graph in (("relevancy", relevance), ("equality", None)):
                at_half = [fold.report(task, "test", "0.5", graph).f1[label] for fold in tested]
                tuned = [fold.best_report(task, "test", graph).f1[label] for fold in tested]
                cells |= {f"{terms} @0.5": mean_sd(at_half), f"{terms} tuned": mean_sd(tuned)}
                means[code, row["name"], terms] = 100 * np.mean(tuned)
            rows.append({**cells, "printed": printed.get(row["name"], "–")})
    table = pd.DataFrame(rows).sort_values("code", kind="stable").reset_index(drop=True)
    write_table(table, stem.parent, stem.name)
    print(markdown_table(table))
    names = [row["name"] for row in settings["rows"]]
    values = pd.DataFrame(
        {n: [means[code, n, "relevancy"] for code in hard] for n in names}, index=list(hard)
    )
    title = "LOSSES table 4, relevancy terms, tuned threshold"
    bar_plot(stem.with_suffix(".png"), values, "F1 on test (%)", title=title)


def _label(task: Task, entry: dict) -> str | None:
    return next((code for code in entry[task.config.code_system] if code in task.labels), None)


if __name__ == "__main__":
    run("table4", make, heads=True)
