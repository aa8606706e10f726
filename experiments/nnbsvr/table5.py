"""NNBSVR table 5 and figure 3: density-based clusters of the codes, by more and more features."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import normalize

from experiments.harness import progress, show
from experiments.nnbsvr.clusters import hdbscan, tsne
from experiments.nnbsvr.denmune import denmune
from experiments.nnbsvr.printed import printed_features
from experiments.tasks.codes import CodesTask
from icd_relevancy.codes import code_knowledge
from icd_relevancy.reporting import scatter_plot
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import groups_at, levels

_COUNTS = {
    "Detected clusters": "clusters",
    "Dimensions": "dimensions",
    "Noise (type-1)": "noise_type_1",
    "Noise (type-2)": "noise_type_2",
    "Strong points": "strong_points",
    "Weak points": "weak_points",
    "Failed to merge": "failed_to_merge",
    "Succeeded to merge": "succeeded_to_merge",
}
_COLOURED = 24


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """NNBSVR table 5 and figure 3.

    More clusters or less noise are no better by themselves: the normalised mutual information (NMI) of the
    clusters with chapters, blocks and categories says whether they mean anything, every code without a cluster
    counting as one of its own. HDBSCAN, the usual method of this kind, stands beside DenMune.
    """
    columns, labels, points = {}, {}, {}
    for row in progress(settings["rows"], "table 5"):
        points[row["name"]] = _points(task, row)
        described = {**row, **{key: settings[key] for key in ("k", "hdbscan_codes")}}
        found = task.kept_of(
            "table5",
            described,
            points[row["name"]],
            lambda r=row: _clusters(task, points[r["name"]], settings),
        )
        columns[row["name"]], labels[row["name"]] = found["table"], np.array(found["labels"])
    table = pd.DataFrame(columns).rename_axis("metric")
    for name, printed in settings["printed"].items():
        table[f"printed: {name}"] = [printed.get(metric, "–") for metric in table.index]
    show(table.astype(str), stem)
    _picture(task, settings, points, labels, stem.parent / f"{stem.name}.png")


def _points(task: CodesTask, row: dict) -> CodeVectors:
    if "vectors" in row:
        vectors = task.vectors(row["vectors"])
        return CodeVectors(task.codes, normalize(vectors.vectors))
    knowledge = code_knowledge(task.system)
    features, _ = printed_features(knowledge, row["features"])
    return CodeVectors(task.codes, features[knowledge.table.index.get_indexer(task.codes)])


def _clusters(task: CodesTask, points: CodeVectors, settings: dict) -> dict:
    found = denmune(points.vectors, settings["k"])
    table = {name: getattr(found, attribute) for name, attribute in _COUNTS.items()}
    table |= _agreement(task, "DenMune", task.codes, found.labels)
    sample = task.sample(settings["hdbscan_codes"])
    control = hdbscan(points.select(sample).vectors)
    table |= {
        "HDBSCAN: codes": len(sample),
        "HDBSCAN: clusters": control.clusters,
        "HDBSCAN: noise": control.noise,
    }
    table |= _agreement(task, "HDBSCAN", sample, control.labels)
    return {"table": table, "labels": found.labels.tolist()}


def _agreement(task: CodesTask, method: str, codes, labels: np.ndarray) -> dict[str, str]:
    alone = labels < 0
    clusters = np.where(alone, labels.max(initial=-1) + 1 + np.cumsum(alone), labels)
    return {
        f"{method}: NMI with {level} (%)": (
            f"{100 * normalized_mutual_info_score(groups_at(task.system, codes, depth), clusters):.2f}"
        )
        for level, depth in levels(task.system).items()
    }


def _picture(task: CodesTask, settings: dict, points, labels, path: Path) -> None:
    """Figure 3: the largest clusters of a sample of the codes in colours, the others and noise in grey."""
    sample = task.sample(settings["picture"])
    shown = np.isin(task.codes, sample)
    panels = {}
    for name in settings["pictures"]:
        x, y = tsne(points[name], sample, task.system, task.config.seed).points.T
        clusters = pd.Series(labels[name][shown])
        largest = clusters[clusters >= 0].value_counts().index[:_COLOURED]
        names = {cluster: f"cluster {place}" for place, cluster in enumerate(largest, start=1)}
        frame = pd.DataFrame({"x": x, "y": y, "group": clusters.map(names)})
        # The largest first, so that it has the first colour in every panel.
        by_size = clusters.map({cluster: place for place, cluster in enumerate(largest)}).argsort()
        count = labels[name].max() + 1
        panels[f"{name}: {count} clusters"] = frame.iloc[by_size]
    scatter_plot(path, panels, title=f"NNBSVR figure 3: the {_COLOURED} largest DenMune clusters of each")
