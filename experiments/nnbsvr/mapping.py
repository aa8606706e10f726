"""NNBSVR §4.8 and §4.9: whether related codes match, and codes that must not be confused do not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.tasks.codes import CodesTask
from experiments.vector_sets import ONE_HOT, vector_set
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import line_plot, markdown_table, write_table
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.pairs import (
    CodePairs,
    best_threshold,
    pair_auc,
    pair_report,
    read_code_pairs,
)
from icd_relevancy.vectors.validation import neighbour_counts

_SPLITS = ("development", "test")
_GRID = tuple(np.round(np.arange(0.3, 0.96, 0.05), 2))


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """NNBSVR §4.8-4.9, on the pairs of codes that come with the package.

    Reaching the pairs that should match is easy for vectors under which much matches: the pairs that must not
    match, and the neighbours that a code has at τ, say at what price.
    """
    if task.system.name != "icd10cm":
        raise InputError(f"the pairs of codes are of icd10cm. Received: code_system={task.system.name}")
    pairs = read_code_pairs()
    named = tuple(dict.fromkeys(pairs.table[["a", "b"]].to_numpy().ravel()))
    rows, kinds, trade_off, curves = [], [], [], {}
    for name in (bar := tqdm(settings["vectors"], desc="mapping", unit="set")):
        bar.set_postfix_str(name)
        vectors = _vectors(task, name, named)
        leaves = [code for code in task.codes if code in vectors]
        drawn = task.sample(settings["neighbour_codes"], leaves)
        neighbours = _neighbours(vectors.select(leaves), drawn, settings["thresholds"])
        for split in _SPLITS:
            found = pair_report(vectors, pairs.select(split=split), settings["thresholds"])
            found = found[found["kind"] == "all"].drop(columns="kind").set_index("threshold")
            rows += _told(found.join(neighbours), vectors=name, split=split)
        by_kind = pair_report(vectors, pairs, settings["thresholds"])
        kinds += [
            {**row, "printed": settings["printed"].get(row["kind"], {}).get(row["threshold"], "–")}
            for row in _told(by_kind, vectors=name)
        ]
        trade_off += [{"vectors": name, **cells} for cells in _trade_off(vectors, pairs)]
        test = pair_report(vectors, pairs.select(split="test"), _GRID)
        curves[name] = 100 * test[test["kind"] == "all"].set_index("threshold")["balanced_accuracy"]
    _write(stem, pd.DataFrame(rows), pd.DataFrame(kinds), pd.DataFrame(trade_off))
    line_plot(
        stem.parent / f"{stem.name}.png", pd.DataFrame(curves), "similarity threshold τ",
        "balanced accuracy on the test pairs (%)", title="NNBSVR §4.8-4.9: related and unrelated codes",
    )  # fmt: skip


def _vectors(task: CodesTask, name: str, named: tuple[str, ...]) -> CodeVectors:
    if name == ONE_HOT:  # of a whole code system too large
        return vector_set(name, task.system, named)
    return task.vectors(name, more=named)


def _told(table: pd.DataFrame, **first) -> list[dict]:
    """The rows of a report with shares in per cent, and what they are of before them."""
    if table.index.name:
        table = table.reset_index()
    shares = ("must_reached", "must_not_below", "balanced_accuracy", "apart_below")
    names = {name: f"{name.replace('_', ' ')} (%)" for name in shares}
    table = table.assign(**{name: 100 * table[name] for name in shares}).rename(columns=names)
    return [{**first, **row} for row in table.to_dict("records")]


def _trade_off(vectors: CodeVectors, pairs: CodePairs) -> list[dict]:
    """The τ that is best on the development pairs, judged on either split."""
    tau = best_threshold(vectors, pairs.select(split="development")).threshold
    rows = []
    for split in _SPLITS:
        part = pairs.select(split=split)
        at = pair_report(vectors, part, [tau]).iloc[0]
        own = best_threshold(vectors, part)
        rows.append(
            {"split": split, "AUC": pair_auc(vectors, part), "τ chosen on development": tau}
            | {"must reached (%)": 100 * at["must_reached"], "must not below (%)": 100 * at["must_not_below"]}
            | {"balanced accuracy (%)": 100 * at["balanced_accuracy"]}
            | {"best τ of the split": own.threshold, "its balanced accuracy (%)": 100 * own.balanced_accuracy}
        )
    return rows


def _neighbours(vectors: CodeVectors, drawn: Sequence[str], thresholds: Sequence[float]) -> pd.DataFrame:
    """How many codes of `vectors` a drawn code matches at each τ."""
    counts = [neighbour_counts(vectors, tau, drawn) for tau in thresholds]
    return pd.DataFrame(
        {
            "threshold": found.threshold,
            "neighbours a code": found.mean,
            "codes without (%)": 100 * found.alone,
            "of codes": len(vectors),
        }
        for found in counts
    ).set_index("threshold")


def _write(stem: Path, table: pd.DataFrame, kinds: pd.DataFrame, trade_off: pd.DataFrame) -> None:
    write_table(table, stem.parent, stem.name, digits=2)
    write_table(kinds, stem.parent, f"{stem.name}-kinds", digits=2)
    write_table(trade_off, stem.parent, f"{stem.name}-trade-off", digits=3)
    shown = ["vectors", "split", "threshold", "must reached (%)", "must not below (%)", "neighbours a code"]
    print(markdown_table(table[shown], digits=2), end="\n\n")
    print(markdown_table(trade_off, digits=3), end="\n\n")
    printed = kinds[kinds["printed"] != "–"].reset_index(drop=True)
    print(markdown_table(printed[["vectors", "kind", "threshold", "must reached (%)", "printed"]], digits=2))
