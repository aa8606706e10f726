"""Macro-F1 over groups of codes, alone and joint: what figures 2 and 3 have in common."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from experiments.hmhan.comparison import paired_gain
from experiments.jams.runs import macro_f1, measured
from experiments.jams.task import NAMES, JamsTask
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table

_ALONE, _JOINT = "alone", "with JAMS"


def compare_groups(
    task: JamsTask, rows: list[dict], groups: Mapping[str, Mapping[str, set[str]]], stem: Path, title: str
) -> None:
    """Writes macro-F1 over groups of codes, of models of one system and of the joint ones, with a picture.

    Mean ± sd over the seeds, in per cent, of the runs of table 2; gains are paired by seed. A group of which no
    code has a test note has no row.

    Args:
        task: The task.
        rows: For each model its `name`, `model`, `training` settings and, by system and group, `printed` gains.
        groups: For each system the codes of each group, by its name.
        stem: Where the results go.
        title: Of the picture.
    """
    cells, values, errors = [], {}, {}
    for row in rows:
        for place, line, scores in _compared(task, row, groups):
            cells.append(place | line)
            values[", ".join(place.values())] = 100 * scores.mean()
            errors[", ".join(place.values())] = 100 * scores.std()
    table = pd.DataFrame(cells).set_index(["model", "system", "codes"])
    write_table(table, stem.parent, stem.name)
    print(task.told())
    print(markdown_table(table))
    values, errors = (pd.DataFrame(columns).T for columns in (values, errors))
    bar_plot(stem.with_suffix(".png"), values, "macro-F1 on test (%)", errors=errors, title=title)


def _compared(
    task: JamsTask, row: dict, groups
) -> Iterator[tuple[dict[str, str], dict[str, str], pd.DataFrame]]:
    """For each group of codes with a test note where it stands, its cells, and the scores of the seeds."""
    found = {
        name: measured(task, row | {"joint": joint}) for name, joint in ((_ALONE, False), (_JOINT, True))
    }
    for system, of_system in groups.items():
        printed = row.get("printed", {}).get(system, [])
        for number, (name, codes) in enumerate(of_system.items()):
            tested = codes & set(found[_ALONE][system][0]["f1"])
            if not tested:
                continue
            scores = pd.DataFrame(
                {series: [macro_f1(run, tested) for run in runs[system]] for series, runs in found.items()}
            )
            gain, p = paired_gain(100 * (scores[_JOINT] - scores[_ALONE]))
            line = {"tested codes": len(tested)} | {series: mean_sd(scores[series]) for series in scores}
            line |= {"gain (95 % interval)": gain, "p": p}
            line["printed gain"] = f"{printed[number]:+.1f}" if number < len(printed) else "–"
            yield {"model": row["name"], "system": NAMES[system], "codes": name}, line, scores
