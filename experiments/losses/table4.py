"""LOSSES table 4: F1 of six hard codes."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.harness import progress, show
from experiments.rows.heads import fold_runs
from experiments.tasks.notes import HeadsTask
from icd_relevancy.reporting import bar_plot, mean_sd


def make(task: HeadsTask, settings: dict, stem: Path) -> None:
    """LOSSES table 4.

    Mean ± sd over the folds that have a test note of a code.
    """
    hard = task.hard_codes(settings["codes"])
    relevance = task.relevance()
    rows, means = [], {}
    for row in progress(settings["rows"], "table 4"):
        runs = list(fold_runs(task, row))
        for code, entry in hard.items():
            label = task.labels.index(code)
            cells = {"code": code, "title": task.title(code)}
            cells |= {"notes": int(task.y[:, label].sum()), "experiment": row["name"]}
            tested = [fold for fold in runs if task.y[fold.rows["test"], label].sum()]
            for terms, graph in (("relevancy", relevance), ("equality", None)):
                at_half = [fold.report(task, "test", "0.5", graph).f1[label] for fold in tested]
                tuned = [fold.best_report(task, "test", graph).f1[label] for fold in tested]
                cells |= {f"{terms} @0.5": mean_sd(at_half), f"{terms} tuned": mean_sd(tuned)}
                means[code, row["name"], terms] = 100 * np.mean(tuned)
            rows.append({**cells, "printed": entry["printed"].get(row["name"], "–")})
    table = pd.DataFrame(rows).sort_values("code", kind="stable").reset_index(drop=True)
    show(table, stem)
    names = [row["name"] for row in settings["rows"]]
    values = pd.DataFrame(
        {n: [means[code, n, "relevancy"] for code in hard] for n in names}, index=list(hard)
    )
    title = "LOSSES table 4, relevancy terms, tuned threshold"
    bar_plot(stem.with_suffix(".png"), values, "F1 on test (%)", title=title)
