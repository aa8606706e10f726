"""The figure of the validation part that a training or a search is to improve (CAC §3.2)."""

from collections.abc import Callable

import numpy as np

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import multilabel, ranking
from icd_relevancy.training.thresholds import predicted_labels, tune_threshold


def monitored(name: str) -> Callable[[object, np.ndarray], float]:
    """The metric of that name, of true labels and scores `(n, m)`; of all of them more is better.

    F1 is at the threshold with the best micro-F1 of the same scores; macro-averages are over the codes for which they
    are defined.
    """
    if name in ("ndcg", "map", "r_precision"):
        return ranking.mean_average_precision if name == "map" else getattr(ranking, name)
    average, _, metric = name.partition("_")
    if average not in ("micro", "macro") or metric not in ("auprc", "auroc", "f1"):
        raise InputError(f"there is no metric {name!r} to improve; choose for example ndcg or micro_auprc")
    if metric == "f1":
        return lambda y_true, y_score: _tuned_f1(y_true, y_score, average)
    area = getattr(multilabel, metric)
    return lambda y_true, y_score: area(y_true, y_score, average)


def _tuned_f1(y_true, y_score, average: str) -> float:
    threshold, _ = tune_threshold(y_true, y_score)
    return multilabel.f1(y_true, predicted_labels(y_score, threshold), average)
