import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import hierarchy_title_vectors
from icd_relevancy.vectors.hierarchy_title import hierarchy_title_features

THRESHOLD = 0.76


@pytest.fixture(scope="module")
def vectors():
    return hierarchy_title_vectors(icd10cm())


def test_all_nodes_have_a_vector(vectors):
    assert vectors.codes == icd10cm().codes
    assert np.linalg.norm(vectors.vectors, axis=1).min() > 0
    assert vectors.vectors.shape[1] == vectors.meta["svd_dimensions"] + 192


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("J18.9", "J18.8"),
        ("I25.9", "I25.2"),
        ("I25.9", "I25.89"),
        ("Z48.81", "Z48.89"),
        ("J02.9", "J02"),
        ("S52.501A", "S52.502A"),
        ("S52.501A", "S52.501D"),
        ("M17.11", "M17.12"),
    ],
)
def test_specificity_side_and_visit_are_near(vectors, a, b):
    assert vectors.similarity(a, b) >= THRESHOLD


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("P74.31", "P74.32"),
        ("E87.0", "E87.1"),
        ("E03.9", "E05.90"),
        ("C50.911", "C34.90"),
        ("J18.9", "J15.9"),
        ("N39.0", "R10.9"),
        ("I10", "I95.9"),
    ],
)
def test_different_diseases_are_apart(vectors, a, b):
    assert vectors.similarity(a, b) < THRESHOLD


def test_cosines_follow_the_features(vectors):
    features, _ = hierarchy_title_features(icd10cm())
    rows = np.random.default_rng(1).choice(len(vectors), 300, replace=False)
    exact = (features[rows] @ features[rows].T).toarray() / 2  # two groups of unit length
    reduced = vectors.select([vectors.codes[row] for row in rows])
    units = reduced.vectors / np.linalg.norm(reduced.vectors, axis=1, keepdims=True)
    assert np.abs(units @ units.T - exact).mean() < 0.06


def test_same_seed_same_vectors():
    top = "460-519"
    codes = (top, *icd9cm().descendants(top))
    system = CodeSystem("chapter", codes, icd9cm().titles, {**icd9cm().parents, top: None})
    first, second, other = (hierarchy_title_vectors(system, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert not np.array_equal(first.vectors, other.vectors)


def test_plain_reduction_and_choice_of_codes():
    vectors = hierarchy_title_vectors(icd9cm(), codes=["462", "428.0"], dimensions=29, residual_dimensions=0)
    assert vectors.codes == ("462", "428.0")
    assert vectors.vectors.shape == (2, 29)
    with pytest.raises(InputError, match="'nothing' has no vector"):
        hierarchy_title_vectors(icd9cm(), codes=["nothing"], dimensions=2, residual_dimensions=0)


def test_system_without_hierarchy():
    titles = {"1": "Asthma", "2": "Asthma, unspecified", "3": "Fracture", "4": "of the"}
    flat = CodeSystem("flat", tuple(titles), titles, dict.fromkeys(titles))
    vectors = hierarchy_title_vectors(flat)
    assert vectors.similarity("1", "2") == pytest.approx(1)
    assert abs(vectors.similarity("1", "3")) < 0.3
    assert not vectors.vectors[3].any()
    bare = CodeSystem("bare", ("1",), {"1": "of the"}, {"1": None})
    with pytest.raises(InputError, match="neither a hierarchy nor words"):
        hierarchy_title_vectors(bare)
