"""Macro-F1 over groups of codes, alone and joint: what figures 2 and 3 have in common."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from experiments.hmhan.comparison import paired_gain
from experiments.jams.runs import macro_f1, measured
from experiments.jams.task import NAMES, JamsTask
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table

_ALONE, _JOINT = "alone", "with JAMS"


def compare_groups(
    task: JamsTask, settings: dict, groups: Mapping[str, Mapping[str, set[str]]], stem: Path, title: str
) -> None:
    """Writes macro-F1 over groups of codes, of a model of one system and of the joint one, with a picture.

    Mean ± sd over the seeds, in per cent, of the runs of table 2; gains are paired by seed. A group of which no
    code has a test note has no row.

    Args:
        task: The task.
        settings: `model`, `training` settings and, by system and group, the `printed` gains.
        groups: For each system the codes of each group, by its name.
        stem: Where the results go.
        title: Of the picture.
    """
    row = {"name": title, "model": settings["model"], "training": settings.get("training", {})}
    found = {
        name: measured(task, row | {"joint": joint}) for name, joint in ((_ALONE, False), (_JOINT, True))
    }
    rows, values, errors = [], {}, {}
    for system, of_system in groups.items():
        for number, (name, codes) in enumerate(of_system.items()):
            tested = codes & set(found[_ALONE][system][0]["f1"])
            if not tested:
                continue
            scores = pd.DataFrame(
                {series: [macro_f1(run, tested) for run in runs[system]] for series, runs in found.items()}
            )
            cells = {"system": NAMES[system], "codes": name, "tested codes": len(tested)}
            cells |= {series: mean_sd(scores[series]) for series in scores}
            gain, p = paired_gain(100 * (scores[_JOINT] - scores[_ALONE]))
            printed = settings["printed"].get(system, [])
            told = f"{printed[number]:+.1f}" if number < len(printed) else "–"
            rows.append(cells | {"gain (95 % interval)": gain, "p": p, "printed gain": told})
            group = f"{NAMES[system]}, {name}"
            values[group], errors[group] = 100 * scores.mean(), 100 * scores.std()
    table = pd.DataFrame(rows).set_index(["system", "codes"])
    write_table(table, stem.parent, stem.name)
    print(task.told())
    print(markdown_table(table))
    values, errors = (pd.DataFrame(cells).T for cells in (values, errors))
    bar_plot(stem.with_suffix(".png"), values, "macro-F1 on test (%)", errors=errors, title=title)
