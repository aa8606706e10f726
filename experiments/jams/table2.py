"""JAMS table 2: four models of one code system and of two together, and the controls."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.hmhan.comparison import paired_gain
from experiments.jams.runs import METRICS, backbone_of, frame, measured
from experiments.jams.task import NAMES, JamsTask, run
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table

_PRINTED = f"printed {' / '.join(METRICS)}"


def make(task: JamsTask, settings: dict, stem: Path) -> None:
    """JAMS table 2.

    Mean ± sd over the seeds, in per cent; the gain of a joint model over its own backbone is paired by seed.
    """
    found, rows = {}, settings["rows"]
    for row in (bar := tqdm(rows, desc="table 2", unit="row")):
        bar.set_postfix_str(row["name"])
        found[row["name"]] = measured(task, row)
    table = pd.DataFrame(
        [_cells(row, rows, system, found) for system in task.systems for row in rows]
    ).set_index(["system", "experiment"])
    write_table(table, stem.parent, stem.name)
    print(task.told())
    print(markdown_table(table))
    _draw(found, rows, task, stem.with_suffix(".png"))


def _cells(
    row: dict, rows: list[dict], system: str, found: dict[str, dict[str, list[dict]]]
) -> dict[str, str]:
    runs = frame(found[row["name"]][system])
    cells = {"system": NAMES[system], "experiment": row["name"]}
    cells |= {name: mean_sd(runs[name]) for name in METRICS}
    backbone = backbone_of(row, rows)
    gain = "gain in macro-F1 (95 % interval)"
    cells[gain], cells["p"] = "–", "–"
    if backbone is not None:
        alone = frame(found[backbone["name"]][system])
        cells[gain], cells["p"] = paired_gain(100 * (runs["macro-F1"] - alone["macro-F1"]))
    cells["seconds"] = mean_sd(runs["seconds"], 0, percent=False)
    printed = row.get("printed", {}).get(system)
    cells[_PRINTED] = " / ".join(f"{value:.1f}" for value in printed) if printed else "–"
    return cells


def _draw(found, rows: list[dict], task: JamsTask, path: Path) -> None:
    """Macro-F1 alone and joint, a group for each backbone and system."""
    place = METRICS.index("macro-F1")
    values, errors, printed = ({"alone": {}, "with JAMS": {}} for _ in range(3))
    for joint in (row for row in rows if backbone_of(row, rows)):
        for system in task.systems:
            for series, row in (("alone", backbone_of(joint, rows)), ("with JAMS", joint)):
                group = f"{backbone_of(joint, rows)['name']}, {NAMES[system]}"
                scores = 100 * frame(found[row["name"]][system])["macro-F1"]
                values[series][group], errors[series][group] = scores.mean(), scores.std()
                printed[series][group] = row.get("printed", {}).get(system, [np.nan] * len(METRICS))[place]
    values, errors, printed = map(pd.DataFrame, (values, errors, printed))
    bar_plot(path, values, "macro-F1 on test (%)", errors=errors, printed=printed, title="JAMS table 2")


if __name__ == "__main__":
    run("table2", make)
