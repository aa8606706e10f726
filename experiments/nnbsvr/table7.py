"""NNBSVR table 7: k-means clusters of the code vectors against chapters, blocks and categories."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

from experiments.harness import progress, show
from experiments.tasks.codes import CodesTask
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import bar_plot
from icd_relevancy.settings import check
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import hierarchy_reconstruction, levels

_WITH_DEVIATION = ("purity", "nmi")
_SHARES = {
    "purity": "purity (%)",
    "purity_shuffled": "purity of shuffled clusters (%)",
    "nmi": "NMI (%)",
    "nmi_shuffled": "NMI of shuffled clusters (%)",
}


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """NNBSVR table 7.

    The purity is the paper's accuracy; mean and standard deviation are over seeds of k-means. Large groups make
    it high for any clusters, so that of shuffled clusters stands beside it, and the normalised mutual
    information (NMI), which forgives that less.
    """
    check(settings["seeds"] >= 1, "seeds", settings["seeds"], "at least 1")
    rows = []
    for row in progress(settings["rows"], "table 7"):
        vectors = _with_lengths(task, task.vectors(row["vectors"]), row["lengths"])
        runs = [
            task.kept_of(
                "table7", {"row": row, "seed": seed}, vectors, lambda v=vectors, s=seed: _scores(task, v, s)
            )
            for seed in range(task.config.seed, task.config.seed + settings["seeds"])
        ]
        for found in zip(*runs, strict=True):
            cells = {"level": found[0]["level"], "experiment": row["name"], "codes": found[0]["codes"]}
            cells |= {"dimensions": vectors.vectors.shape[1], "clusters": found[0]["clusters"]}
            for key, column in _SHARES.items():
                shares = 100 * np.array([scores[key] for scores in found])
                cells[column] = shares.mean()
                if key in _WITH_DEVIATION:
                    cells[f"{column[:-4]} sd"] = shares.std(ddof=1) if len(shares) > 1 else np.nan
            rows.append({**cells, "printed": row.get("printed", {}).get(found[0]["level"], "–")})
    order = list(levels(task.system))
    table = pd.DataFrame(rows).sort_values("level", key=lambda level: level.map(order.index), kind="stable")
    table = table.reset_index(drop=True)
    show(table, stem, digits=2)
    names = [row["name"] for row in settings["rows"]]
    printed = table.assign(printed=pd.to_numeric(table["printed"], errors="coerce").astype(np.float64))
    values, marks = (
        printed.pivot_table(column, "level", "experiment", dropna=False).loc[order, names]
        for column in ("purity (%)", "printed")
    )
    title = "NNBSVR table 7"
    bar_plot(stem.parent / f"{stem.name}.png", values, "purity (%)", printed=marks, title=title)


def _with_lengths(task: CodesTask, vectors: CodeVectors, lengths: str) -> CodeVectors:
    """The vectors at their own length, at unit length or as long as those of NNBSVR; or their lengths alone."""
    if lengths == "own":
        return vectors
    if lengths == "alone":
        return CodeVectors(
            vectors.codes, np.linalg.norm(vectors.vectors, axis=1, keepdims=True), vectors.meta
        )
    if lengths not in ("unit", "NNBSVR"):
        raise InputError(f"lengths: expected own, unit, NNBSVR or alone. Received: {lengths!r}")
    units = normalize(vectors.vectors)
    if lengths == "NNBSVR":
        units *= np.linalg.norm(task.vectors("NNBSVR").vectors, axis=1, keepdims=True)
    return CodeVectors(vectors.codes, units, vectors.meta)


def _scores(task: CodesTask, vectors: CodeVectors, seed: int) -> list[dict]:
    found = hierarchy_reconstruction(vectors, task.system, task.codes, seed, normalise=False)
    return found.to_dict("records")
