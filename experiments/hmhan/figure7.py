"""HMHAN figure 7: loss and F1 of the epochs."""

from pathlib import Path

import pandas as pd

from experiments.harness import show
from experiments.rows.notes import fold_runs
from experiments.tasks.notes import NotesTask
from icd_relevancy.reporting import line_plot


def make(task: NotesTask, settings: dict, stem: Path) -> None:
    """HMHAN figure 7.

    Means over the folds with their standard deviation. The paper draws accuracy; micro-F1 on the held-out part,
    at the threshold that is best there, stands in for it.
    """
    runs = fold_runs(task, settings["rows"][0], settings["training"])
    curves = {
        "training loss": [run.losses for run in runs],
        "validation loss": [run.validation_losses for run in runs],
        "validation micro-F1": [run.validation_scores for run in runs],
    }
    frames = {name: pd.DataFrame(map(list, values)) for name, values in curves.items()}
    means, deviations = (
        pd.DataFrame({name: statistic(frame) for name, frame in frames.items()})
        for statistic in (pd.DataFrame.mean, pd.DataFrame.std)
    )
    for frame in (means, deviations):
        frame.index = pd.RangeIndex(1, len(frame) + 1, name="epoch")
    table = means.join(deviations.add_suffix(", sd")).reset_index()
    show(table, stem)
    losses, f1 = ["training loss", "validation loss"], ["validation micro-F1"]
    for columns, name, ylabel in ((losses, "loss", "loss"), (f1, "f1", "micro-F1")):
        path = stem.with_name(f"{stem.name}-{name}.png")
        title = "HMHAN figure 7"
        line_plot(path, means[columns], "epoch", ylabel, errors=deviations[columns], title=title)
