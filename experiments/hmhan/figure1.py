"""HMHAN table 1 and figure 1: the most frequent codes of the reports."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.harness import show
from experiments.tasks.notes import NotesTask
from icd_relevancy.reporting import share_plot


def make(task: NotesTask, settings: dict, stem: Path) -> None:
    """HMHAN figure 1."""
    counts = pd.Series(np.asarray(task.y.sum(axis=0)).ravel(), index=task.labels)
    counts = counts.rename_axis("code").sort_values(ascending=False, kind="stable").head(settings["codes"])
    titles = [task.title(code) for code in counts.index]
    table = pd.DataFrame({"code": counts.index, "title": titles, "notes": counts.to_numpy()})
    table["share of the notes (%)"] = 100 * table["notes"] / len(task.notes)
    print(f"{task.config.data}: {len(task.notes)} notes, {len(task.labels)} codes, {task.y.nnz} assignments")
    show(table, stem, digits=1)
    # A note has several codes: the shares are those of the table, and do not add up to 100 %.
    share_plot(stem.with_suffix(".png"), counts, "notes", title="HMHAN figure 1", total=len(task.notes))
