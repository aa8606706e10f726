"""What each part of JAMS gives: the second system, the graph, its weights, and a table of labels for each system."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from experiments.hmhan.comparison import paired_gain
from experiments.jams.runs import backbone_of, frame, macro_f1, measured
from experiments.jams.task import NAMES, JamsTask, run
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table


def make(task: JamsTask, settings: dict, stem: Path) -> None:
    """JAMS ablation.

    Macro-F1 by how many training notes a code has, mean ± sd over the seeds in per cent; gains of joint models
    over the same one trained for each system, on the rarest codes, are paired by seed.
    """
    found, rows = {}, settings["rows"]
    for row in (bar := tqdm(rows, desc="ablation", unit="row")):
        bar.set_postfix_str(row["name"])
        found[row["name"]] = measured(task, row)
    lines, values, errors = [], {}, {}
    for system in task.systems:
        rare = next(iter(task.strata[system]))
        scores = {name: _by_stratum(runs[system], task.strata[system]) for name, runs in found.items()}
        for row in rows:
            name, backbone, figures = row["name"], backbone_of(row, rows), scores[row["name"]]
            cells = {"system": NAMES[system], "experiment": name}
            cells |= {f"macro-F1 {stratum}": mean_sd(figures[stratum]) for stratum in task.strata[system]}
            cells |= {column: mean_sd(figures[column]) for column in ("macro-F1", "micro-F1", "MAP")}
            gain = f"gain on {rare} (95 % interval)"
            cells[gain], cells["p"] = "–", "–"
            if backbone is not None:
                cells[gain], cells["p"] = paired_gain(100 * (figures[rare] - scores[backbone["name"]][rare]))
            lines.append(cells)
            values.setdefault(name, {})[NAMES[system]] = 100 * figures[rare].mean()
            errors.setdefault(name, {})[NAMES[system]] = 100 * figures[rare].std()
    table = pd.DataFrame(lines).set_index(["system", "experiment"])
    write_table(table, stem.parent, stem.name)
    print(task.told())
    print(markdown_table(table))
    values, errors = (pd.DataFrame(cells) for cells in (values, errors))
    title = f"JAMS ablation: codes of {rare} training notes"
    bar_plot(stem.with_suffix(".png"), values, "macro-F1 on test (%)", errors=errors, title=title)


def _by_stratum(runs: list[dict], strata: dict[str, set[str]]) -> pd.DataFrame:
    """The figures of runs with macro-F1 over each range of codes, a row a run."""
    found = frame(runs)
    for stratum, codes in strata.items():
        found[stratum] = [macro_f1(run, codes) for run in runs]
    return found


if __name__ == "__main__":
    run("ablation", make)
