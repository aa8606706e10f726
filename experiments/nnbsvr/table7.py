"""NNBSVR table 7: k-means clusters of the code vectors against chapters, blocks and categories."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.nnbsvr.run import CodesTask, levels, run
from icd_relevancy.reporting import bar_plot, markdown_table, write_table
from icd_relevancy.vectors.validation import hierarchy_reconstruction

_SHARES = {
    "purity": "purity (%)",
    "purity_shuffled": "purity of shuffled clusters (%)",
    "nmi": "NMI (%)",
    "nmi_shuffled": "NMI of shuffled clusters (%)",
}


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """NNBSVR table 7.

    The purity is the paper's accuracy. Large groups make it high for any clusters, so that of shuffled
    clusters stands beside it, and the normalised mutual information (NMI), which forgives that less.
    """
    rows = []
    for row in tqdm(settings["rows"], desc="table 7", unit="row"):
        vectors = task.vectors(row["vectors"])
        told = {key: row[key] for key in ("vectors", "normalise")}
        for found in task.kept("table7", told, vectors, lambda v=vectors, r=row: _scores(task, v, r)):
            cells = {"level": found["level"], "experiment": row["name"], "codes": found["codes"]}
            cells |= {"dimensions": vectors.vectors.shape[1], "clusters": found["clusters"]}
            cells |= {column: 100 * found[key] for key, column in _SHARES.items()}
            rows.append({**cells, "printed": row.get("printed", {}).get(found["level"], "–")})
    order = list(levels(task.system))
    table = pd.DataFrame(rows).sort_values("level", key=lambda level: level.map(order.index), kind="stable")
    table = table.reset_index(drop=True)
    write_table(table, stem.parent, stem.name, digits=2)
    print(markdown_table(table, digits=2))
    names = [row["name"] for row in settings["rows"]]
    printed = table.assign(printed=pd.to_numeric(table["printed"], errors="coerce").astype(np.float64))
    values, marks = (
        printed.pivot_table(column, "level", "experiment", dropna=False).loc[order, names]
        for column in ("purity (%)", "printed")
    )
    title = "NNBSVR table 7"
    bar_plot(stem.parent / f"{stem.name}.png", values, "purity (%)", printed=marks, title=title)


def _scores(task: CodesTask, vectors, row: dict) -> list[dict]:
    found = hierarchy_reconstruction(
        vectors, task.system, task.codes, task.config.seed, normalise=row["normalise"]
    )
    return found.to_dict("records")


if __name__ == "__main__":
    run("table7", make)
