"""How well a model ranks in each ward or patient group of a hospital (CAC §3.5)."""

from collections.abc import Sequence

import numpy as np

from icd_relevancy.data import Stays
from icd_relevancy.errors import InputError
from icd_relevancy.metrics.positive_ranks import label_matrix, positive_ranks
from icd_relevancy.training.evaluation import PER_NOTE, ranking_scores

NEWBORN = "newborn"
# Whole years, which most sources have, tell 0 of all of the first year.
_NEWBORN_YEARS = 28 / 365.25


def patient_groups(stays: Stays) -> tuple[str | None, ...]:
    """The ward of each stay, or `"newborn"` for a patient of at most 28 days, or of 0 whole years.

    Args:
        stays: The n stays, some of which have a ward.

    Returns:
        n names, None for a stay whose ward is not known.

    Raises:
        InputError: If no stay has a ward.

    Example:

    >>> from icd_relevancy.data import Stays
    >>> stays = Stays("123", ((),) * 3, ((),) * 3, age=(0.0, 64.0, None), ward=("NB", "SURG", None))
    >>> patient_groups(stays)
    ('newborn', 'SURG', None)

    Reference: CAC §3.5.
    """
    if not any(stays.ward or ()):
        problem = (
            "no stay has a ward; fill the column ward, or add the source's table of wards (MIMIC: services)"
        )
        raise InputError(f"{stays.source or 'stays'}: {problem}")
    ages = stays.age or (None,) * len(stays)
    return tuple(
        NEWBORN if age is not None and age <= _NEWBORN_YEARS else ward
        for age, ward in zip(ages, stays.ward, strict=True)
    )


def ranking_by_group(
    y_true, y_score, groups: Sequence[str | None], min_stays: int = 10
) -> tuple[dict[str, dict], dict[str, int]]:
    """Ranking metrics of each group of stays, over the labels of all, with the standard errors of the means.

    Args:
        y_true: True labels, 0/1 array `(n, m)`, dense or scipy sparse. Stays without labels do not count.
        y_score: Scores `(n, m)`.
        groups: The group of each stay, None where not known.
        min_stays: Least number of stays to measure a group. Defaults to 10.

    Returns:
        `(measured, left_out)`. `measured` holds for each group, the largest first, `stays`, the metrics of
        `evaluate_scores` under `ranking`, and `standard_error`: a dictionary of those that are means over
        stays, None with a single stay. `left_out` holds the number of stays of each group that has too few.

    Raises:
        InputError: If there are not n groups, the labels are not 0 and 1, or `min_stays` is below 1.

    Example:

    >>> y_true, y_score = [[1, 0], [0, 1], [1, 0]], [[0.9, 0.1], [0.6, 0.5], [0.7, 0.2]]
    >>> measured, left_out = ranking_by_group(y_true, y_score, ("MED", "MED", "NB"), min_stays=2)
    >>> measured["MED"]["stays"], measured["MED"]["rank_errors@50"], left_out
    (2, 0.5, {'NB': 1})

    Reference: CAC §3.5, table S9.
    """
    labels, scores = label_matrix(y_true, "y_true"), np.asarray(y_score)
    if len(groups) != labels.shape[0]:
        raise InputError(f"groups must have one name a stay, {labels.shape[0]}. Received: {len(groups)}")
    if min_stays < 1:
        raise InputError(f"min_stays must be at least 1. Received: {min_stays}")
    labelled = np.diff(labels.indptr) > 0
    rows_by_group: dict[str, list[int]] = {}
    for row in np.flatnonzero(labelled).tolist():
        if groups[row] is not None:
            rows_by_group.setdefault(groups[row], []).append(row)
    measured, left_out = {}, {}
    for group, rows in sorted(rows_by_group.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(rows) < min_stays:
            left_out[group] = len(rows)
            continue
        ranks = positive_ranks(labels[rows], scores[rows])
        measured[group] = {
            "stays": len(rows),
            **ranking_scores(labels[rows], scores[rows]),
            "standard_error": {
                name: _standard_error(metric(ranks, average=None)) for name, metric in PER_NOTE.items()
            },
        }
    return measured, left_out


def _standard_error(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
