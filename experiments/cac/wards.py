"""CAC table S9: how well codes are ranked in each ward and patient group."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.cac.claims import confirmed, mean_se, standard_error, write_claims
from experiments.harness import show
from experiments.rows.stays import level_labels, test_scores
from experiments.tasks.stays import StaysTask
from icd_relevancy.data import StaySplit
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import bar_plot
from icd_relevancy.training.stays.wards import NEWBORN, patient_groups, ranking_by_group

_COLUMNS = {
    "ndcg": "NDCG (%)",
    "recall@10": "Recall@10 (%)",
    "recall@30": "Recall@30 (%)",
    "rank_errors@50": "RE@50",
    "rank_errors@100": "RE@100",
}
_EVERY, _MEDICAL, _SURGICAL = "all stays", "medical", "surgical"
_NETWORK, _DUMMY = "network", "training frequencies"
# Which ranks better in print, and than which.
_CLAIMS = ((NEWBORN, _MEDICAL), (NEWBORN, _SURGICAL), (_MEDICAL, _SURGICAL))


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """CAC table S9.

    The patient groups of the paper, which are made of wards, and the wards as the data name them. Mean and
    standard error over the splits in which a group has test stays; their number is that of all splits.
    """
    level, groups = settings["level"], _groups(task, settings["groups"])
    rows = {_NETWORK: {"ranker": "network", "network": settings["network"]}, _DUMMY: {"ranker": "frequency"}}
    measured = {}
    for name, row in rows.items():
        described = {"row": row, "level": level, "groups": settings["groups"]}
        measured[name] = task.of_splits(
            "wards", described, lambda split, row=row: _measures(task, row, level, groups, split)
        )
    stays = _stays(measured[_NETWORK], settings["groups"])
    large = [group for group, count in stays.items() if count >= settings["min_stays"]]
    if not large:
        raise InputError(f"no group has {settings['min_stays']} test stays; make min_stays or test larger")
    print(task)
    show(_table(measured, stays, large), stem)
    write_claims(_claims(measured[_NETWORK], large), stem)
    _draw(measured, large, stem)


def _groups(task: StaysTask, wards_of: dict[str, list[str]]) -> list[tuple[str | None, ...]]:
    """All in one, the paper's groups and the wards: three names, or None, for each stay."""
    wards = patient_groups(task.stays)
    group_of = {ward: group for group, members in wards_of.items() for ward in members}
    return [(_EVERY,) * len(wards), tuple(map(group_of.get, wards)), wards]


def _measures(task: StaysTask, row: dict, level: str, groups: list, split: StaySplit) -> dict:
    if level not in (of_level := level_labels(task)):
        raise InputError(f"level: expected one of {', '.join(of_level)}. Received: {level!r}")
    columns, labels = of_level[level]
    y, scores = labels[split.test], test_scores(task, row, split)[:, columns]
    found = {}
    for names in groups:
        found |= ranking_by_group(y, scores, [names[stay] for stay in split.test], min_stays=1)[0]
    return found


def _stays(runs: list[dict], wards_of: dict[str, list[str]]) -> dict[str, int]:
    """Test stays of each group over all splits: all, the paper's groups, then the wards, the largest first."""
    counts = pd.DataFrame([{group: found["stays"] for group, found in run.items()} for run in runs]).sum()
    first = [group for group in (_EVERY, NEWBORN, *wards_of) if group in counts]
    wards = counts.drop(first).sort_values(ascending=False, kind="stable")
    return {group: int(counts[group]) for group in (*first, *wards.index)}


def _values(runs: list[dict], group: str, metric: str) -> np.ndarray:
    """The metric of each split, in per cent where it is a share; nan for a split without such stays."""
    scale = 1 if metric.startswith("rank_errors") else 100
    return np.array([scale * run[group][metric] if group in run else np.nan for run in runs])


def _table(measured: dict, stays: dict[str, int], large: list[str]) -> pd.DataFrame:
    rows = []
    for group, count in stays.items():
        for name, runs in measured.items():
            if group in large:
                cells = {column: mean_se(_values(runs, group, key)) for key, column in _COLUMNS.items()}
                rows.append({"group": group, "test stays": count, "ranked by": name, **cells})
        if group not in large:
            rows.append(
                {"group": group, "test stays": count, "ranked by": "too few stays"}
                | dict.fromkeys(_COLUMNS.values(), "–")
            )
    return pd.DataFrame(rows)


def _claims(runs: list[dict], large: list[str]) -> list[dict]:
    claims = []
    for better, worse in _CLAIMS:
        for metric in ("ndcg", "rank_errors@50"):
            row = {"claim": f"{better} over {worse} stays: {_COLUMNS[metric]}", "printed": "better"}
            if {better, worse} <= set(large):
                gains = _values(runs, better, metric) - _values(runs, worse, metric)
                sign = -1 if metric.startswith("rank_errors") else 1
                row |= {"here": mean_se(gains, sign=True), "confirmed here": confirmed(sign * gains)}
            else:
                row |= {"here": "–", "confirmed here": "too few such stays"}
            claims.append(row)
    return claims


def _draw(measured: dict, large: list[str], stem: Path) -> None:
    of_group = {
        name: {group: _values(runs, group, "recall@30") for group in large} for name, runs in measured.items()
    }
    values = pd.DataFrame(of_group).map(np.nanmean)
    errors = pd.DataFrame(of_group).map(standard_error)
    ylabel = "Recall@30, test stays (%)"
    bar_plot(stem.with_suffix(".png"), values, ylabel, errors=errors, title="CAC table S9: patient groups")
