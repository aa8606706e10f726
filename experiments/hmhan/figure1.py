"""HMHAN table 1 and figure 1: the most frequent codes of the reports."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.task import Task, run
from icd_relevancy.reporting import markdown_table, share_plot, write_table


def make(task: Task, settings: dict, stem: Path) -> None:
    """HMHAN figure 1."""
    counts = pd.Series(np.asarray(task.y.sum(axis=0)).ravel(), index=task.labels)
    counts = counts.rename_axis("code").sort_values(ascending=False, kind="stable").head(settings["codes"])
    titles = [task.system.title(task.system.normalise(code)) for code in counts.index]
    table = pd.DataFrame({"code": counts.index, "title": titles, "notes": counts.to_numpy()})
    table["share of the notes (%)"] = 100 * table["notes"] / len(task.notes)
    write_table(table, stem.parent, stem.name, digits=1)
    print(f"{task.config.data}: {len(task.notes)} notes, {len(task.labels)} codes, {task.y.nnz} assignments")
    print(markdown_table(table, digits=1))
    # A note has several codes: the shares are those of the table, and do not add up to 100 %.
    share_plot(stem.with_suffix(".png"), counts, "notes", title="HMHAN figure 1", total=len(task.notes))


if __name__ == "__main__":
    run("hmhan.figure1", make)
