"""Means with their error, and whether they say what the paper says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.cac.claims import confirmed, mean_se, reaches, standard_error, verdict, write_claims


def test_mean_and_standard_error():
    # Standard deviation 1 (n - 1) over three splits; a split without a value does not count.
    assert standard_error([1, 2, 3]) == pytest.approx(1 / np.sqrt(3))
    assert mean_se([1, np.nan, 2, 3]) == "2.00 ± 0.58"
    assert mean_se([0.1, 0.2, 0.3], scale=100, digits=1) == "20.0 ± 5.8"
    assert mean_se([1, 3], sign=True) == "+2.00 ± 1.00"
    assert mean_se([-1, -3], sign=True) == "-2.00 ± 1.00"
    assert mean_se([2.5]) == "2.50"
    assert mean_se([np.nan]) == "–"
    assert np.isnan(standard_error([2.5, np.nan]))


@pytest.mark.parametrize(
    ("gains", "found", "better", "equal"),
    [
        ((2, 3, 4), "better", "yes", "no, better"),
        ((-2, -3, -4), "worse", "no, worse", "no, worse"),
        ((-1, 1, 3), "no difference", "no, no difference", "yes"),
        ((0, 0, 0), "no difference", "no, no difference", "yes"),
        ((5,), "one split", "one split", "one split"),
        ((5, np.nan), "one split", "one split", "one split"),
    ],
)
def test_a_difference_is_more_than_two_standard_errors(gains, found, better, equal):
    assert verdict(gains) == found
    assert confirmed(gains) == better
    assert confirmed(gains, "no difference") == equal


def test_a_share_reaches_what_is_printed_within_two_standard_errors():
    # Mean 50, standard error 1.
    shares = 50 + np.sqrt(3) * np.array([-1, 0, 1])
    assert [reaches(shares, printed) for printed in (40, 51.9, 52.1)] == ["yes", "yes", "no"]
    assert reaches([50], 10) == "one split"


def test_claims_are_written(tmp_path, capsys):
    row = {
        "claim": "more is more (points)",
        "printed": 0.155,
        "here": "+1.00 ± 0.10",
        "confirmed here": "yes",
    }
    stem = Path(tmp_path) / "results" / "eicu-icd9cm"
    write_claims([row], stem)
    written = pd.read_csv(stem.with_name("eicu-icd9cm-claims.csv"), dtype=str)
    assert written.to_dict("records") == [{**row, "printed": "0.155"}]
    assert "| more is more (points) | 0.155" in capsys.readouterr().out
