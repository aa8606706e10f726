"""NNBSVR figure 2: codes on a plane by the hierarchy alone and with the extended features."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from experiments.harness import show
from experiments.nnbsvr.clusters import tsne
from experiments.tasks.codes import CodesTask
from icd_relevancy.reporting import scatter_plot


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """NNBSVR figure 2, coloured by chapter, with the silhouettes of the chapters.

    The silhouette says in a number what the paper reads off the picture: how far the chapters keep apart.
    """
    codes = task.sample(settings["sample"])
    rows, panels = [], {}
    for name in tqdm(settings["vectors"], desc="figure 2", unit="map"):
        found = tsne(task.vectors(name), codes, task.system, task.config.seed, settings["perplexity"])
        rows.append(
            {"vectors": name, "codes": len(codes), "chapters": len(set(found.chapters))}
            | {"silhouette": found.silhouette, "silhouette on the plane": found.silhouette_2d}
        )
        x, y = found.points.T
        # The codes are in hierarchy order, and so are the chapters of the legend.
        chapters = [_short(task, chapter) for chapter in found.chapters]
        panels[f"{name}: silhouette {found.silhouette:.2f}"] = pd.DataFrame(
            {"x": x, "y": y, "group": chapters}
        )
    show(pd.DataFrame(rows), stem, digits=3)
    scatter_plot(
        stem.parent / f"{stem.name}.png", panels, title="NNBSVR figure 2: t-SNE, coloured by chapter"
    )


def _short(task: CodesTask, chapter: str) -> str:
    title = task.system.title(chapter).partition(" (")[0]
    return f"{chapter} {title if len(title) <= 34 else title[:33] + '…'}"
