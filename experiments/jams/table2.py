"""JAMS table 2: four models of one code system and of two together, and the controls."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.compare import Measured, compared, measure
from experiments.harness import show
from experiments.rows.two_systems import METRICS, backbone_of
from experiments.tasks.two_systems import TwoSystemsTask
from icd_relevancy.reporting import bar_plot


def make(task: TwoSystemsTask, settings: dict, stem: Path) -> None:
    """JAMS table 2.

    Mean ± sd over the seeds, in per cent; the gain of a joint model over its own backbone is paired by seed.
    """
    measured = measure(task, settings, stem)
    print(task)
    show(compared(task, settings, measured), stem)
    _draw(measured, settings["rows"], stem.with_suffix(".png"))


def _draw(measured: Measured, rows: list[dict], path: Path) -> None:
    """Macro-F1 alone and joint, a group for each backbone and system."""
    place = METRICS.index("macro-F1")
    values, errors, printed = ({"alone": {}, "with JAMS": {}} for _ in range(3))
    for joint in (row for row in rows if backbone_of(row, rows)):
        alone = backbone_of(joint, rows)
        for system in measured[alone["name"]]:
            group = f"{alone['name']}, {system}"
            for series, row in (("alone", alone), ("with JAMS", joint)):
                scores = 100 * measured[row["name"]][system]["macro-F1"]
                values[series][group], errors[series][group] = scores.mean(), scores.std()
                printed[series][group] = row.get("printed", {}).get(system, [np.nan] * len(METRICS))[place]
    values, errors, printed = map(pd.DataFrame, (values, errors, printed))
    bar_plot(path, values, "macro-F1 on test (%)", errors=errors, printed=printed, title="JAMS table 2")
