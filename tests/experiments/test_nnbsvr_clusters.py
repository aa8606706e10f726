import numpy as np
import pytest

from experiments.nnbsvr.clusters import hdbscan, tsne
from experiments.nnbsvr.printed import printed_features
from icd_relevancy.codes import CodeSystem, code_knowledge, icd9cm
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors

PARENTS = {"I": None, "I1.0": "I", "I2.0": "I", "I3": "I", "J": None, "J1.0": "J"}
SYSTEM = CodeSystem("toy", tuple(PARENTS), dict.fromkeys(PARENTS, ""), PARENTS)


def many(sizes):
    """A system of chapters with the numbers of codes given, and its leaves."""
    parents = {f"C{i}": None for i in range(len(sizes))}
    for i, size in enumerate(sizes):
        parents |= {f"C{i}.{j}": f"C{i}" for j in range(size)}
    system = CodeSystem("many", tuple(parents), dict.fromkeys(parents, ""), parents)
    return system, system.leaves


def test_tsne_keeps_far_chapters_apart():
    system, leaves = many((20, 20))
    random = np.random.default_rng(0)
    vectors = CodeVectors(leaves, 10 * np.repeat(np.eye(2, 5), 20, axis=0) + random.normal(0, 0.5, (40, 5)))
    picture = tsne(vectors, leaves, system)
    assert picture.codes == leaves
    assert picture.chapters == ("C0",) * 20 + ("C1",) * 20
    assert picture.points.shape == (40, 2)
    assert picture.silhouette > 0.8
    assert picture.silhouette_2d > 0.6
    np.testing.assert_array_equal(picture.points, tsne(vectors, leaves, system).points)


def test_the_silhouette_by_hand():
    # Each code lies at distance 0 from its twin, which is its whole chapter: silhouette 1.
    system, leaves = many((2, 2))
    assert tsne(CodeVectors(leaves, [[1, 0], [2, 0], [0, 1], [0, 3]]), leaves, system).silhouette == 1


@pytest.mark.parametrize("codes", [("I1.0", "I2.0", "I3"), ("I1.0", "J1.0")])
def test_tsne_needs_chapters_to_compare(codes):
    with pytest.raises(InputError, match="needs at least two of them"):
        tsne(CodeVectors(codes, np.eye(len(codes))), codes, SYSTEM)


def test_hdbscan_finds_blobs_and_noise():
    blob = np.random.default_rng(0).normal(size=(60, 2))
    found = hdbscan(np.vstack([blob, blob + 50, [[200.0, 0.0]]]), min_cluster_size=20)
    assert found.clusters == 2
    assert found.labels[-1] == -1
    assert found.noise == (found.labels == -1).sum()
    assert len({*found.labels[:60]} - {-1}) == 1


def test_printed_features_are_one_number_each_between_0_and_1():
    matrix, names = printed_features(code_knowledge("icd9cm"))
    assert len(names) == len(set(names)) == matrix.shape[1] >= 68
    np.testing.assert_allclose(matrix.min(axis=0), 0)
    np.testing.assert_allclose(matrix.max(axis=0), 1, rtol=1e-6)
    row = icd9cm().codes.index("185")
    assert matrix[row, names.index("male_only")] == 1
    assert "title" not in names


def test_printed_ranks_follow_the_alphabet():
    system = CodeSystem(
        "toy", ("a1", "b1", "c1"), dict.fromkeys(("a1", "b1", "c1"), "x"), dict.fromkeys(("a1", "b1", "c1"))
    )
    matrix, names = printed_features(code_knowledge(system), groups=["hierarchy"])
    np.testing.assert_allclose(matrix[:, names.index("position_1")], [0, 0.5, 1])
