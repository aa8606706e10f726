import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.errors import InputError
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import (
    groups_at,
    hierarchy_reconstruction,
    levels,
    neighbour_counts,
    purity,
    sample_codes,
)

# Two chapters; I has the blocks I1-I2 (categories I1, I2) and I3-I3, J has J1-J1. I3 is a leaf category.
PARENTS = {
    "I": None,
    "I1-I2": "I",
    "I1": "I1-I2",
    "I1.0": "I1",
    "I1.1": "I1",
    "I2": "I1-I2",
    "I2.0": "I2",
    "I2.1": "I2",
    "I3-I3": "I",
    "I3": "I3-I3",
    "J": None,
    "J1-J1": "J",
    "J1": "J1-J1",
    "J1.0": "J1",
    "J1.1": "J1",
}
SYSTEM = CodeSystem("toy", tuple(PARENTS), dict.fromkeys(PARENTS, ""), PARENTS, category_level=2)
LEAVES = ("I1.0", "I1.1", "I2.0", "I2.1", "I3", "J1.0", "J1.1")


def one_hot(groups):
    return np.eye(len(set(groups)))[np.unique(groups, return_inverse=True)[1]]


def perfect_vectors():
    """Chapters far apart, then blocks, then categories; leaves of one category a little apart."""
    parts = [scale * one_hot(groups_at(SYSTEM, LEAVES, depth)) for depth, scale in enumerate((9, 3, 1))]
    return CodeVectors(LEAVES, np.hstack([*parts, 0.1 * np.eye(len(LEAVES))]))


def test_groups_of_a_leaf_category_and_of_a_group():
    assert groups_at(SYSTEM, ["I1.0", "I3", "J"], 0) == ["I", "I", "J"]
    assert groups_at(SYSTEM, ["I1.0", "I3", "J"], 1) == ["I1-I2", "I3-I3", "J"]
    assert groups_at(SYSTEM, ["I1.0", "I3", "J"], 2) == ["I1", "I3", "J"]


def test_purity_by_hand():
    # Cluster 0 holds A A B: 2 in its largest group; cluster 1 holds B C: 1. 3 of 5.
    assert purity(["A", "A", "B", "B", "C"], [0, 0, 0, 1, 1]) == 0.6


def test_perfect_vectors_rebuild_every_level():
    table = hierarchy_reconstruction(perfect_vectors(), SYSTEM)
    assert table["level"].tolist() == ["chapter", "block", "category"]
    assert table["codes"].tolist() == [7, 7, 7]
    assert table["clusters"].tolist() == [2, 3, 4]
    np.testing.assert_allclose(table["purity"], 1)
    np.testing.assert_allclose(table["nmi"], 1)
    assert (table["purity_shuffled"] < 1).all()


def many(groups, seed=0):
    """A system of chapters with the numbers of codes given, and its leaves."""
    parents = {f"C{i}": None for i in range(len(groups))}
    for i, size in enumerate(groups):
        parents |= {f"C{i}.{j}": f"C{i}" for j in range(size)}
    system = CodeSystem("many", tuple(parents), dict.fromkeys(parents, ""), parents)
    return system, system.leaves


def test_random_vectors_score_as_shuffled_clusters_do():
    system, leaves = many((700, 200, 100))
    vectors = CodeVectors(leaves, np.random.default_rng(0).normal(size=(1000, 8)))
    row = hierarchy_reconstruction(vectors, system).iloc[0]
    # Each cluster of hundreds is led by the largest chapter: its share of all codes.
    assert row["purity_shuffled"] == pytest.approx(0.7, abs=0.001)
    assert row["purity"] == pytest.approx(0.7, abs=0.001)
    assert row["nmi"] < 0.02
    assert row["nmi_shuffled"] < 0.02


def test_unit_length_by_default():
    # By angle there are two groups, by length two others.
    system, leaves = many((2, 2))
    vectors = CodeVectors(leaves, [[1, 0], [100, 0], [0, 1], [0, 100]])
    by_angle = hierarchy_reconstruction(vectors, system)
    as_given = hierarchy_reconstruction(
        CodeVectors(leaves, [[1, 0], [99, 99], [0, 1], [100, 100]]), system, normalise=False
    )
    assert by_angle["purity"].tolist() == [1.0]
    assert as_given["purity"].tolist() == [0.5]


def test_codes_and_levels_can_be_chosen():
    table = hierarchy_reconstruction(perfect_vectors(), SYSTEM, ["I1.0", "I2.0", "I3"], levels=["block"])
    assert table[["level", "codes", "clusters", "purity"]].values.tolist() == [["block", 3, 2, 1.0]]


def test_the_same_seed_gives_the_same_table():
    vectors = CodeVectors(LEAVES, np.random.default_rng(0).normal(size=(7, 3)))
    first, again = (hierarchy_reconstruction(vectors, SYSTEM, seed=5) for _ in range(2))
    assert first.equals(again)


def test_equal_vectors_make_one_cluster():
    table = hierarchy_reconstruction(CodeVectors(LEAVES, np.ones((7, 2))), SYSTEM, levels=["chapter"])
    assert table["purity"].tolist() == [pytest.approx(5 / 7)]
    assert table["nmi"].tolist() == [0]


def test_icd9_has_no_blocks():
    vectors = CodeVectors(["428.0", "786.2"], np.eye(2))
    assert hierarchy_reconstruction(vectors, icd9cm(), vectors.codes)["level"].tolist() == [
        "chapter",
        "category",
    ]
    with pytest.raises(InputError, match="icd9cm has no level 'block'; it has chapter, category"):
        hierarchy_reconstruction(vectors, icd9cm(), vectors.codes, levels=["block"])


def test_levels():
    assert levels(SYSTEM) == levels(icd10cm()) == {"chapter": 0, "block": 1, "category": 2}
    assert levels(icd9cm()) == {"chapter": 0, "category": 1}
    assert levels(many((2, 2))[0]) == {"chapter": 0}


def test_a_code_without_a_vector_is_named():
    with pytest.raises(InputError, match=r"'J1\.1' has no vector"):
        hierarchy_reconstruction(perfect_vectors().select(LEAVES[:-1]), SYSTEM)


def test_neighbours_by_hand():
    # cos(a, b) = 0.8, cos(b, c) = 0.6, cos(a, c) = 0; d is opposite to a.
    vectors = CodeVectors(["a", "b", "c", "d"], [[1, 0], [0.8, 0.6], [0, 1], [-1, 0]])
    found = neighbour_counts(vectors, 0.6)
    assert (found.threshold, found.codes, found.mean, found.median, found.maximum, found.alone) == (
        0.6,
        4,
        1.0,
        1.0,
        2,
        0.25,
    )
    assert neighbour_counts(vectors, 0.7).mean == 0.5
    assert neighbour_counts(vectors, 0.9).alone == 1


def test_neighbours_of_some_codes_among_all():
    vectors = CodeVectors(["a", "b", "c", "d"], [[1, 0], [0.8, 0.6], [0, 1], [-1, 0]])
    found = neighbour_counts(vectors, 0.6, ["d", "b"])
    assert (found.codes, found.mean, found.maximum, found.alone) == (2, 1.0, 2, 0.5)
    assert neighbour_counts(vectors, 0.6, vectors.codes[::-1]).mean == neighbour_counts(vectors, 0.6).mean
    with pytest.raises(InputError, match="'E11' has no vector"):
        neighbour_counts(vectors, 0.6, ["E11"])


def test_neighbours_of_no_code_are_refused():
    vectors = CodeVectors(["a", "b"], [[1, 0], [0.8, 0.6]])
    with pytest.raises(InputError, match="no code whose neighbours"):
        neighbour_counts(vectors, codes=[])


def test_a_sample_of_codes():
    codes = [f"A{row}" for row in range(50)]
    drawn = sample_codes(codes, 10, seed=3)
    assert drawn == sample_codes(codes, 10, seed=3) != sample_codes(codes, 10, seed=4)
    assert len(set(drawn)) == 10
    assert list(drawn) == [code for code in codes if code in drawn]
    assert sample_codes(codes, None) == sample_codes(codes, 50) == sample_codes(codes, 99) == tuple(codes)
    for count in (0, -1):
        with pytest.raises(InputError, match=f"at least one code must be drawn. Received: {count}"):
            sample_codes(codes, count)


def test_a_code_is_no_neighbour_of_itself_however_its_cosine_is_rounded():
    random = np.random.default_rng(0).normal(size=(3000, 29))
    codes = [f"A{row}" for row in range(3000)]
    assert neighbour_counts(CodeVectors(codes, random), 1.0).maximum == 0


def test_neighbours_at_the_threshold_are_those_of_the_graph():
    random = np.random.default_rng(0).normal(size=(40, 2))
    vectors = CodeVectors([f"A{row}" for row in range(40)], random)
    threshold = vectors.similarity("A3", "A7")
    graph = RelevanceGraph.from_vectors(vectors, threshold=abs(threshold))
    edges = graph.matrix.nnz - 40
    assert neighbour_counts(vectors, abs(threshold)).mean == edges / 40
