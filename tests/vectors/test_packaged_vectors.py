"""What the packaged vectors of ICD-10-CM say of the curated pairs; floors a little below what was measured."""

import pytest

from icd_relevancy.vectors import CodeVectors, read_code_pairs
from icd_relevancy.vectors.pairs import pair_auc, pair_report

OPPOSITES = ("hyper_hypo", "tumour_behaviour", "sex", "excess_deficiency")


@pytest.fixture(scope="module")
def vectors():
    return CodeVectors.load("icd10cm")


@pytest.fixture(scope="module")
def pairs():
    return read_code_pairs()


def test_opposites_do_not_match(vectors, pairs):
    report = pair_report(vectors, pairs, [0.76]).set_index("kind").loc[list(OPPOSITES)]
    assert report["must_not_pairs"].sum() == 140
    assert (report["must_not_below"] >= 0.9).all()


@pytest.mark.parametrize("split", ["development", "test"])
def test_all_pairs(vectors, pairs, split):
    judged = pairs.select(split=split)
    of_all = pair_report(vectors, judged, [0.76]).set_index("kind").loc["all"]
    assert of_all["must_reached"] > 0.69
    assert of_all["must_not_below"] > 0.86
    assert pair_auc(vectors, judged) > 0.82


def test_examples_of_the_paper(vectors):
    assert vectors.similarity("P74.31", "P74.32") < 0.76
    assert vectors.similarity("I25.9", "I25.89") >= 0.76
