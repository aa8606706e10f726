"""NNBSVR figure 1: how many dimensions the features of the codes need."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.harness import show
from experiments.nnbsvr.printed import printed_features
from experiments.tasks.codes import CodesTask
from icd_relevancy.codes import code_knowledge
from icd_relevancy.reporting import line_plot, write_table
from icd_relevancy.settings import check
from icd_relevancy.vectors import reduce
from icd_relevancy.vectors.features import knowledge_features

_RECIPES = {"printed recipe": printed_features, "ours": knowledge_features}


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """NNBSVR figure 1.

    The elbow depends on where the curve ends: that of the printed recipe ends with its last feature, ours with
    `dimensions`.
    """
    check(settings["dimensions"] >= 1, "dimensions", settings["dimensions"], "at least 1")
    knowledge = code_knowledge(task.system)
    rows = knowledge.table.index.get_indexer(task.codes)
    printed, lines, curves = settings.get("printed"), [], {}
    for name, make_features in _RECIPES.items():
        features, columns = make_features(knowledge)
        _, reduction = reduce(features[rows], seed=task.config.seed, max_dimensions=settings["dimensions"])
        curve = reduction.explained_variance
        curves[name] = pd.Series(100 * curve, np.arange(1, len(curve) + 1))
        at = {"the elbow": reduction.elbow}
        if printed is not None:
            at[f"{printed}"] = min(printed, len(curve))
        lines.append(
            {"recipe": name, "codes": len(rows), "features": len(columns), "dimensions computed": len(curve)}
            | {"elbow": reduction.elbow or "none", "printed": printed or "–"}
            | {f"explained at {what} (%)": 100 * curve[n - 1] if n else np.nan for what, n in at.items()}
        )
    table = pd.DataFrame(lines)
    curve = pd.DataFrame(curves).rename_axis("dimensions")
    show(table, stem, digits=2)
    write_table(curve, stem.parent, f"{stem.name}-curve", digits=2)
    line_plot(
        stem.parent / f"{stem.name}.png", curve, "dimensions", "cumulative explained variance (%)",
        title="NNBSVR figure 1", mark=printed,
    )  # fmt: skip
