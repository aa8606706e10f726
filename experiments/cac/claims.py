"""What the paper concludes beside what is found here: means with their error, and whether both say the same."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.harness import show

ONE_SPLIT = "one split"


def standard_error(values) -> float:
    """Standard error of the mean over the splits; nan with fewer than two values that are not nan."""
    values = _defined(values)
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def mean_se(values, scale: float = 1.0, digits: int = 2, sign: bool = False) -> str:
    """Mean and standard error of the mean over the splits for which there is a value, as text."""
    values = scale * _defined(values)
    if not len(values):
        return "–"
    mean = f"{values.mean():{'+' if sign else ''}.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {standard_error(values):.{digits}f}"


def verdict(gains) -> str:
    """`better` or `worse` where the mean gain over the splits is more than two standard errors from 0."""
    gains, error = _defined(gains), standard_error(gains)
    if np.isnan(error):
        return ONE_SPLIT
    return "no difference" if abs(gains.mean()) <= 2 * error else "better" if gains.mean() > 0 else "worse"


def confirmed(gains, expected: str = "better") -> str:
    """Whether the verdict on gains is the one that the paper comes to."""
    found = verdict(gains)
    return found if found == ONE_SPLIT else "yes" if found == expected else f"no, {found}"


def reaches(values, printed: float) -> str:
    """Whether a share of ours is not below the printed one by more than two standard errors."""
    values, error = _defined(values), standard_error(values)
    return ONE_SPLIT if np.isnan(error) else "yes" if values.mean() + 2 * error >= printed else "no"


def write_claims(claims: list[dict], stem: Path) -> None:
    """Writes and prints a table of `claim`, `printed`, `here` and `confirmed here`, beside the results."""
    table = pd.DataFrame(claims)[["claim", "printed", "here", "confirmed here"]].astype(str)
    show(table, stem.with_name(f"{stem.name}-claims"))


def _defined(values) -> np.ndarray:
    values = np.array(values, np.float64)
    return values[~np.isnan(values)]
