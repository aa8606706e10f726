import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from experiments.nnbsvr.denmune import NOISE_TYPE_1, NOISE_TYPE_2, denmune
from icd_relevancy.errors import InputError


def polar(radius, angle):
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def three_spirals(random):
    turn = np.linspace(0, 1, 104)
    arms = [polar(1 + 9 * turn, 2 * np.pi * (arm / 3 + 1.1 * turn)) for arm in range(3)]
    return np.vstack(arms) + random.normal(0, 0.05, (312, 2)), np.repeat([0, 1, 2], 104)


def two_moons(random):
    """Jain's crescents: the lower one three times as dense as the upper."""
    upper = polar(12, random.uniform(0, np.pi, 97))
    lower = polar(12, -random.uniform(0, np.pi, 276)) + np.array([12, 2])
    return np.vstack([upper, lower]) + random.normal(0, 0.9, (373, 2)), np.repeat([0, 1], [97, 276])


def rings(random):
    sizes = [100, 300, 500]
    circles = [
        polar(radius + random.normal(0, 0.12, size), np.linspace(0, 2 * np.pi, size))
        for radius, size in zip((1, 3, 5), sizes, strict=True)
    ]
    return np.vstack(circles), np.repeat([0, 1, 2], sizes)


def r15(random):
    around = np.arange(7) * 2 * np.pi / 7
    centres = np.vstack([[[0, 0]], polar(2.5, around), polar(6, around)])
    return np.repeat(centres, 40, axis=0) + random.normal(0, 0.35, (600, 2)), np.repeat(np.arange(15), 40)


def d31(random):
    centres = [(5 * i + 2.5 * (j % 2), 4.5 * j) for j in range(6) for i in range(6)][:31]
    return np.repeat(centres, 100, axis=0) + random.normal(0, 0.75, (3100, 2)), np.repeat(np.arange(31), 100)


def aggregation(random):
    """Seven discs of 34 to 273 points and unlike density, some close to each other."""
    discs = [(10, 10, 5, 273), (10, 24, 4, 170), (30, 8, 3.4, 130), (30, 22, 3.2, 105)]
    discs += [(20, 20, 1.6, 34), (34, 15.2, 1.6, 40), (18, 3, 1.8, 36)]
    parts = [
        polar(radius * np.sqrt(random.uniform(0, 1, size)), random.uniform(0, 2 * np.pi, size))
        + np.array([x, y])
        for x, y, radius, size in discs
    ]
    return np.vstack(parts), np.repeat(np.arange(7), [size for *_, size in discs])


SHAPES = [
    (three_spirals, 8, 3, 0.99),
    (two_moons, 25, 2, 0.99),
    (rings, 10, 3, 0.99),
    (r15, 15, 15, 0.97),
    (d31, 15, 31, 0.97),
    (aggregation, 10, 7, 0.99),
]


@pytest.mark.parametrize(
    ("shape", "k", "clusters", "least"), SHAPES, ids=lambda value: getattr(value, "__name__", str(value))
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_shapes_of_its_paper(shape, k, clusters, least, seed):
    points, truth = shape(np.random.default_rng(seed))
    found = denmune(points, k)
    assert found.clusters == clusters
    # Noise counts as one more group, so points wrongly left out lower the score.
    assert adjusted_rand_score(truth, found.labels) >= least


@pytest.mark.parametrize("k", [1, 4, 10, 25])
def test_every_point_is_counted_once(k):
    points = np.random.default_rng(0).normal(size=(300, 5))
    found = denmune(points, k)
    assert found.strong_points + found.weak_points + found.noise_type_1 == 300
    assert found.succeeded_to_merge + found.failed_to_merge == found.weak_points
    assert (found.labels == NOISE_TYPE_1).sum() == found.noise_type_1
    assert (found.labels == NOISE_TYPE_2).sum() == found.noise_type_2 == found.failed_to_merge
    assert set(found.labels[found.labels >= 0]) == set(range(found.clusters))
    assert found.dimensions == 5


def naive(points, k):
    """The algorithm word by word, for points without equals; returns the clusters as sets and the noises."""
    n = len(points)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(n, np.inf))
    refers = [set(np.argsort(row)[:k]) for row in distances]
    density = [sum(p in refers[q] for q in range(n)) for p in range(n)]
    mutual = [{q for q in refers[p] if p in refers[q]} for p in range(n)]
    order = sorted(range(n), key=lambda p: (-density[p], *points[p]))
    clusters = []
    for p in order:
        if density[p] >= k:
            joined = {p} | mutual[p]
            for cluster in [cluster for cluster in clusters if cluster & joined]:
                joined |= cluster
                clusters.remove(cluster)
            clusters.append(joined)
    left = [p for p in order if density[p] and not any(p in cluster for cluster in clusters)]
    moved = True
    while moved:
        moved = False
        for p in list(left):
            shared = [cluster & mutual[p] for cluster in clusters]
            if any(shared):
                best = max(
                    (len(both), -min(distances[p][list(both)]), i) for i, both in enumerate(shared) if both
                )
                clusters[best[-1]].add(p)
                left.remove(p)
                moved = True
    return {frozenset(map(int, cluster)) for cluster in clusters}, set(left), density.count(0)


@pytest.mark.parametrize("k", [3, 5, 8])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_algorithm_word_by_word(k, seed):
    points = np.random.default_rng(seed).normal(size=(150, 2))
    clusters, left, type_1 = naive(points, k)
    found = denmune(points, k)
    assert {frozenset(np.flatnonzero(found.labels == c).tolist()) for c in range(found.clusters)} == clusters
    assert set(np.flatnonzero(found.labels == NOISE_TYPE_2)) == left
    assert found.noise_type_1 == type_1


def test_a_point_far_away_is_noise_of_type_1():
    # Each of the three refers to the other two; nobody refers to the fourth.
    found = denmune(np.array([[0.0], [1.0], [2.1], [50.0]]), k=2)
    np.testing.assert_array_equal(found.labels, [0, 0, 0, NOISE_TYPE_1])
    assert (found.strong_points, found.weak_points, found.noise_type_1) == (3, 0, 1)


def test_a_pair_that_meets_no_cluster_is_noise_of_type_2():
    # k = 3: the four at 0 refer to each other. The two at 50 refer to each other, so both are weak, and to 3.3
    # or beyond, which does not refer back.
    found = denmune(np.array([[0.0], [1.0], [2.1], [3.3], [50.0], [51.0]]), k=3)
    np.testing.assert_array_equal(found.labels, [0, 0, 0, 0, NOISE_TYPE_2, NOISE_TYPE_2])
    assert (found.strong_points, found.weak_points, found.failed_to_merge, found.succeeded_to_merge) == (
        4,
        2,
        2,
        0,
    )


def test_equal_points_are_in_one_cluster():
    random = np.random.default_rng(0)
    pile = np.repeat([[100.0, 0.0]], 40, axis=0)
    points = np.vstack([random.normal(size=(60, 2)), pile, random.normal(size=(5, 2))[[0, 0, 1, 1, 1]]])
    found = denmune(points, k=8)
    assert len(set(found.labels[60:100])) == 1
    assert found.labels[60] >= 0
    assert not (set(found.labels[60:100]) & set(found.labels[:60]))
    assert found.labels[100] == found.labels[101]
    assert found.labels[102] == found.labels[103] == found.labels[104]


def test_only_equal_points():
    found = denmune(np.ones((5, 3)), k=2)
    np.testing.assert_array_equal(found.labels, np.zeros(5))
    assert (found.clusters, found.strong_points) == (1, 5)


def test_the_order_of_the_points_does_not_matter():
    points, _ = r15(np.random.default_rng(3))
    order = np.random.default_rng(4).permutation(len(points))
    assert adjusted_rand_score(denmune(points, 15).labels[order], denmune(points[order], 15).labels) == 1


def test_cluster_0_holds_the_densest_point():
    random = np.random.default_rng(0)
    # All five points of the pentagon refer to its centre, which only one of them has for a neighbour.
    hub = np.vstack([[[0, 0]], polar(1, np.arange(5) * 2 * np.pi / 5)])
    even = random.normal(size=(20, 2)) + 30
    found = denmune(np.vstack([even, hub]), k=1)
    assert found.labels[20] == 0


@pytest.mark.parametrize("k", [0, 5, 6])
def test_k_out_of_range(k):
    with pytest.raises(InputError, match=f"between 1 and 4.*k={k}"):
        denmune(np.eye(5), k)


@pytest.mark.parametrize("points", [np.zeros(5), np.array([[0.0], [np.nan]])])
def test_points_that_are_no_finite_matrix(points):
    with pytest.raises(InputError, match="finite matrix"):
        denmune(points, 1)
