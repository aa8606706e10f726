"""CAC figure 1: what is known of each code, and what cherry-picking codes costs."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from experiments.cac.cherry_picking import CherryPick, cherry_pick
from experiments.cac.claims import confirmed, mean_se, reaches, standard_error, write_claims
from experiments.harness import show
from experiments.rows.stays import level_labels, node_scores, test_scores, trained
from experiments.tasks.stays import StaysTask
from icd_relevancy.data import StaySplit
from icd_relevancy.metrics.code_information import entropy_reduction, rank_ratio
from icd_relevancy.metrics.ranking import recall_at_k
from icd_relevancy.reporting import line_plot

_ALL, _RARE, _PICKED, _FILTERED = "all codes", "low-frequency", "cherry-picked", "filtered out"
_FREQUENT = "cherry-picked or filtered out"
_CHANCE = "all codes, stays shuffled"
_ON_ALL, _ON_PICKED, _DUMMY = "trained on all codes", "trained on cherry-picked codes", "training frequencies"
_PANELS = {
    "information": ("entropy reduction of a code", np.round(np.arange(-5, 11) / 10, 1)),
    "ranks": ("relative difference of its median ranks, with it against without", np.arange(-10, 11) / 10),
}
_SHARES = {
    "known (%)": ("information", lambda values: values > 0),
    "known by a tenth (%)": ("information", lambda values: values >= 0.1),
    "better (%)": ("ranks", lambda values: values < 0),
    "halved (%)": ("ranks", lambda values: values <= -0.5),
    "a tenth (%)": ("ranks", lambda values: values < -0.9),
}
_GAINS = (9, 30)  # K at which training on all codes is compared with training on picked ones


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """CAC figure 1.

    A code is known to the extent that its entropy is reduced by the network's probability (a), and well ranked
    where its median rank on stays with it is better than on stays without it (b), both on test stays and for
    every node; by chance, with the stays shuffled, a code of few test stays is too. Recall@K is that of the
    codes as stays were given them: of the cherry-picked ones (c), and of all (d). Mean and standard error over
    the splits.
    """
    least = settings["min_count"].get(task.config.data, settings["min_count"]["other"])
    codes = cherry_pick(task.nodes, least, settings["excluded"])
    measured = {key: settings[key] for key in ("excluded", "network", "estimator", "ks")} | {
        "min_count": least
    }
    runs = task.of_splits("figure1", measured, lambda split: _measures(task, settings, codes, split))
    of_codes = _code_values(runs, codes)
    recalls = {name: _curves(runs, name) for name in ("picked", "all")}
    print(f"{task}, at least {least}: {codes}")
    show(_code_table(of_codes), stem)
    show(_recall_table(recalls), stem.with_name(f"{stem.name}-recall"))
    write_claims(_claims(of_codes, recalls, settings["claimed"]), stem)
    _draw(of_codes, recalls, stem)


def _measures(task: StaysTask, settings: dict, codes: CherryPick, split: StaySplit) -> dict:
    config = task.network(**settings["network"])
    scores = {
        _DUMMY: test_scores(task, {"ranker": "frequency"}, split),
        _ON_PICKED: node_scores(task, trained(task, split, config, codes.picked), split.test),
        _ON_ALL: node_scores(task, trained(task, split, config), split.test),
    }
    labels, known = task.nodes.labels[split.test], scores[_ON_ALL]
    shuffled = known[np.random.default_rng(task.config.seed).permutation(len(known))]
    columns, given = level_labels(task)["billing"]
    of_subset = {"picked": codes.picked[columns], "all": np.ones(len(columns), bool)}
    return {
        name: {
            "information": _listed(entropy_reduction(labels, values, settings["estimator"])),
            "ranks": _listed(rank_ratio(labels, values) - 1),
        }
        for name, values in ((_ALL, known), (_CHANCE, shuffled))
    } | {
        subset: {
            name: _recalls(given[split.test][:, mask], values[:, columns[mask]], settings["ks"])
            for name, values in scores.items()
        }
        for subset, mask in of_subset.items()
    }


def _listed(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def _recalls(labels, scores: np.ndarray, ks: list[int]) -> dict[str, float]:
    ks = [k for k in ks if k <= labels.shape[1]]
    return dict(zip(map(str, ks), recall_at_k(labels, scores, ks).tolist(), strict=True))


def _code_values(runs: list[dict], codes: CherryPick) -> dict[str, dict[str, np.ndarray]]:
    """For each subset of the codes and each panel the values, `(splits, codes)`, nan where there is none."""
    found = {
        name: {panel: np.array([run[name][panel] for run in runs], np.float64) for panel in _PANELS}
        for name in (_ALL, _CHANCE)
    }
    masks = {_RARE: codes.rare, _PICKED: codes.picked, _FILTERED: codes.filtered_out, _FREQUENT: ~codes.rare}
    subsets = {
        name: {panel: values[:, mask] for panel, values in found[_ALL].items()}
        for name, mask in masks.items()
    }
    return {_ALL: found[_ALL], **subsets, _CHANCE: found[_CHANCE]}


def _shares(values: np.ndarray, holds) -> np.ndarray:
    """Per cent of the codes with a value for which it holds, for each split; nan without any."""
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return 100 * (holds(values) & defined).sum(axis=1) / defined.sum(axis=1)


def _code_table(of_codes: dict) -> pd.DataFrame:
    rows = []
    for name, panels in of_codes.items():
        values = panels["information"]
        row = {"codes": name, "number": values.shape[1]}
        row["with a test stay"] = mean_se((~np.isnan(values)).sum(axis=1), digits=1)
        rows.append(row | {column: mean_se(_shares(panels[p], of)) for column, (p, of) in _SHARES.items()})
    return pd.DataFrame(rows)


def _curves(runs: list[dict], subset: str) -> dict[str, pd.DataFrame]:
    """Recall@K in per cent of each model, a row a split."""
    return {
        name: 100 * pd.DataFrame([run[subset][name] for run in runs]).rename(columns=int)
        for name in (_DUMMY, _ON_PICKED, _ON_ALL)
    }


def _recall_table(recalls: dict) -> pd.DataFrame:
    return pd.DataFrame(
        {"recall of": {"picked": _PICKED, "all": _ALL}[subset], "model": name}
        | {f"Recall@{k} (%)": mean_se(values[k]) for k in values}
        for subset, curves in recalls.items()
        for name, values in curves.items()
    ).fillna("–")


def _claims(of_codes: dict, recalls: dict, printed: dict) -> list[dict]:
    claims = [_as_well_known(of_codes, printed["p"])]
    for subset, column, claim in (
        (_RARE, "known (%)", "something is known of low-frequency codes (%)"),
        (_RARE, "known by a tenth (%)", "the entropy of low-frequency codes falls by a tenth (%)"),
        (_ALL, "better (%)", "codes rank better on stays with them (%)"),
        (_ALL, "halved (%)", "the rank of codes is at least halved (%)"),
        (_ALL, "a tenth (%)", "the rank of codes is less than a tenth (%)"),
        (_FREQUENT, "better (%)", "frequent codes rank better on stays with them (%)"),
        (_FREQUENT, "halved (%)", "the rank of frequent codes is at least halved (%)"),
    ):
        panel, holds = _SHARES[column]
        shares, figure = _shares(of_codes[subset][panel], holds), printed[subset][column]
        claims.append(_row(claim, figure, mean_se(shares), reaches(shares, figure)))
    for subset, on, expected in (("picked", _PICKED, "no difference"), ("all", _ALL, "better")):
        for k in _GAINS:
            if k not in recalls[subset][_ON_ALL]:
                continue
            gains = recalls[subset][_ON_ALL][k] - recalls[subset][_ON_PICKED][k]
            figure = printed["gains"].get(subset, {}).get(k)
            shown = expected if figure is None else f"+{figure}"
            claim = f"Recall@{k} on {on}, trained on all over trained on picked (points)"
            claims.append(_row(claim, shown, mean_se(gains, sign=True), confirmed(gains, expected)))
    return claims


def _as_well_known(of_codes: dict, printed: float) -> dict:
    """The Mann-Whitney test on each code's mean over the splits: a code must not count once a split."""
    picked, filtered = (_code_means(of_codes[name]["information"]) for name in (_PICKED, _FILTERED))
    claim = "filtered-out codes are known as well as cherry-picked ones (Mann-Whitney p)"
    if not len(picked) or not len(filtered):
        return _row(claim, printed, "–", "no such codes with a test stay")
    p = mannwhitneyu(picked, filtered).pvalue
    here = f"{p:.3f}; medians {np.median(filtered):.3f} and {np.median(picked):.3f}"
    is_no_worse = p >= 0.05 or np.median(filtered) >= np.median(picked)
    return _row(claim, printed, here, "yes" if is_no_worse else "no")


def _code_means(values: np.ndarray) -> np.ndarray:
    values = values[:, ~np.isnan(values).all(axis=0)]
    return np.nanmean(values, axis=0)


def _row(claim: str, printed, here: str, found: str) -> dict:
    return {"claim": claim, "printed": printed, "here": here, "confirmed here": found}


def _draw(of_codes: dict, recalls: dict, stem: Path) -> None:
    for letter, (panel, (xlabel, grid)) in zip("ab", _PANELS.items(), strict=True):
        values, errors = {}, {}
        for name in (_ALL, _RARE, _PICKED, _FILTERED, _CHANCE):
            shares = np.array([_shares(of_codes[name][panel], lambda v, at=at: v <= at) for at in grid])
            if not np.isnan(shares).all():
                values[name], errors[name] = np.nanmean(shares, axis=1), list(map(standard_error, shares))
        _draw_lines(stem, letter, pd.DataFrame(values, grid), pd.DataFrame(errors, grid), xlabel, "codes (%)")
    for letter, (subset, on) in zip("cd", {"picked": _PICKED, "all": _ALL}.items(), strict=True):
        values = pd.DataFrame({name: curve.mean() for name, curve in recalls[subset].items()})
        errors = pd.DataFrame({name: curve.apply(standard_error) for name, curve in recalls[subset].items()})
        _draw_lines(stem, letter, values, errors, "K", f"Recall@K on {on}, test stays (%)")


def _draw_lines(stem: Path, letter: str, values, errors, xlabel: str, ylabel: str) -> None:
    path = stem.with_name(f"{stem.name}-{letter}.png")
    line_plot(path, values, xlabel, ylabel, errors=errors, title=f"CAC figure 1{letter}")
