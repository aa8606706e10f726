"""LOSSES figure 2: micro-F1 as the similarity threshold τ goes from 0.60 to 0.96."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from experiments.harness import show
from experiments.rows.heads import fold_runs
from experiments.tasks.notes import HeadsTask
from icd_relevancy.reporting import line_plot, mean_sd


def make(task: HeadsTask, settings: dict, stem: Path) -> None:
    """LOSSES figure 2.

    Relevancy F1 falls as τ rises even for fixed predictions, since fewer pairs match; the control (BCE) at
    the same τ tells how much of a curve is the metric, and the equality F1 what the loss does to exact codes.
    """
    rows, folds_of, printed = [], {}, settings["printed"]
    for tau in tqdm(settings["thresholds"], desc="figure 2", unit="τ"):
        relevance = task.relevance(tau)
        cells = {"τ": tau, "neighbours a code": relevance.matrix.nnz / len(relevance) - 1}
        for row in (settings["row"], settings["control"]):
            runs = list(fold_runs(task, row, tau))
            for terms, graph in (("relevancy", relevance), ("equality", None)):
                name = f"{row['name']}, {terms}"
                at_half = [fold.report(task, "test", "0.5", graph).micro_f1 for fold in runs]
                tuned = [fold.best_report(task, "test", graph).micro_f1 for fold in runs]
                cells |= {f"{name} @0.5": mean_sd(at_half), f"{name} tuned": mean_sd(tuned)}
                folds_of[name, tau] = pd.Series(tuned)
        rows.append({**cells, "printed": printed.get(tau, "–")})
    table = pd.DataFrame(rows).set_index("τ")
    show(table, stem, digits=2)
    names = list(dict.fromkeys(name for name, _ in folds_of))
    values, errors = (
        pd.DataFrame({n: [100 * f(folds_of[n, tau]) for tau in settings["thresholds"]] for n in names})
        .set_axis(settings["thresholds"])
        for f in (pd.Series.mean, pd.Series.std)
    )  # fmt: skip
    line_plot(
        stem.with_suffix(".png"), values, "similarity threshold τ", "F1-micro on test (%), tuned threshold",
        errors=errors, title="LOSSES figure 2", mark=max(printed, key=printed.get, default=None),
    )  # fmt: skip
