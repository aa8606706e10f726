import sys
from itertools import pairwise

import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.vectors.recipes import icdcodex_vectors, random_walks

SMALL = {"dimensions": 16, "walk_length": 12, "walks": 20, "window": 4}


def tree(parents: dict) -> CodeSystem:
    return CodeSystem("toy", tuple(parents), dict.fromkeys(parents, ""), parents)


@pytest.fixture(scope="module")
def toy():
    """Numbers: A 0, A1 1, A2 2, A3 3, B 4, B1 5, the root 6."""
    return tree({"A": None, "A1": "A", "A2": "A", "A3": "A", "B": None, "B1": "B"})


@pytest.fixture(scope="module")
def three_levels():
    """Three chapters of four categories of five codes."""
    parents = {}
    for chapter in "ABC":
        parents[chapter] = None
        for category in "0123":
            parents[chapter + category] = chapter
            parents |= {f"{chapter}{category}.{leaf}": chapter + category for leaf in range(5)}
    return tree(parents)


def test_walks_go_along_edges_from_every_node(toy):
    paths = random_walks(toy, walk_length=9, walks=30, p=2.0, q=0.5)
    assert paths.shape == (7 * 30, 9)
    np.testing.assert_array_equal(np.bincount(paths[:, 0]), np.full(7, 30))
    edges = {(0, 1), (0, 2), (0, 3), (0, 6), (4, 5), (4, 6)}
    steps = {(min(step), max(step)) for path in paths.tolist() for step in pairwise(path)}
    assert steps == edges


def test_infinite_p_goes_back_only_at_ends(toy):
    paths = random_walks(toy, walk_length=12, walks=100, p=np.inf)
    before, at, after = paths[:, :-2], paths[:, 1:-1], paths[:, 2:]
    has_choice = np.isin(at, [0, 4, 6])
    assert not (before == after)[has_choice].any()
    assert (before == after)[~has_choice].all()


def test_tiny_p_goes_to_and_fro(toy):
    paths = random_walks(toy, walk_length=6, walks=100, p=1e-12)
    np.testing.assert_array_equal(paths[:, 2:], paths[:, :-2])


@pytest.mark.parametrize(("p", "q", "back"), [(1, 1, 1 / 4), (1, 0.5, 1 / 7), (0.5, 2, 4 / 7), (2, 1, 1 / 7)])
def test_share_of_steps_back(toy, p, q, back):
    """From A1 over A, which has four neighbours, back to A1: 1/p of 1/p + 3/q."""
    paths = random_walks(toy, walk_length=3, walks=20_000, p=p, q=q)
    ends = paths[(paths[:, 0] == 1), 2]
    shares = np.bincount(ends, minlength=7) / len(ends)
    on = (1 - back) / 3
    np.testing.assert_allclose(shares, [0, back, on, on, 0, 0, on], atol=0.015)


def test_first_step_is_uniform(toy):
    paths = random_walks(toy, walk_length=2, walks=20_000, p=9, q=9)
    ends = paths[paths[:, 0] == 0, 1]
    np.testing.assert_allclose(np.bincount(ends, minlength=7)[[1, 2, 3, 6]] / len(ends), 0.25, atol=0.015)


def test_seed_of_walks(toy):
    first, second, other = (random_walks(toy, 5, 4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_single_code_walks_to_the_root_and_back():
    walks = random_walks(tree({"A": None}), walk_length=3, walks=1)
    assert sorted(walks.tolist()) == [[0, 1, 0], [1, 0, 1]]


def test_neighbours_in_the_tree_are_near(three_levels):
    pytest.importorskip("gensim")
    vectors = icdcodex_vectors(three_levels, codes=three_levels.leaves, **SMALL)
    for level, size, by_chance in ((2, 4, 0.07), (1, 19, 0.32)):
        found = [
            other[:level] == code[:level]
            for code in vectors.codes
            for other, _ in vectors.most_similar(code, k=size)
        ]
        assert np.mean(found) > 0.85 > 2 * by_chance
    assert vectors.meta == {
        "recipe": "icdcodex-1",
        "code_system": "toy",
        **SMALL,
        "epochs": 1,
        "p": 4.0,
        "q": 1.0,
        "learning_rate": 0.1,
        "seed": 0,
    }


def test_the_settings_of_the_walks_matter(three_levels):
    """The public icdcodex drops them on the way to node2vec."""
    pytest.importorskip("gensim")
    base = icdcodex_vectors(three_levels, **SMALL)
    again = icdcodex_vectors(three_levels, **SMALL)
    np.testing.assert_array_equal(base.vectors, again.vectors)
    for changed in ({"seed": 1}, {"walk_length": 6}, {"walks": 10}, {"p": 1.0}, {"q": 4.0}, {"window": 2}):
        other = icdcodex_vectors(three_levels, **{**SMALL, **changed})
        assert not np.allclose(base.vectors, other.vectors), changed


def test_codes_wanted_are_rows_of_the_whole(three_levels):
    pytest.importorskip("gensim")
    every = icdcodex_vectors(three_levels, **SMALL)
    some = icdcodex_vectors(three_levels, codes=["C3.4", "A"], **SMALL)
    assert every.codes == three_levels.codes
    np.testing.assert_array_equal(some.vectors, every.select(["C3.4", "A"]).vectors)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"codes": ["J99"]}, "'J99' is not a code of toy"),
        ({"codes": ["A", "A"]}, "'A' is listed twice"),
        ({"dimensions": 0}, "dimensions must be at least 1"),
        ({"walk_length": 1}, "walk_length must be at least 2"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"p": 0}, "p must be above 0"),
        ({"q": np.inf}, "q above 0 and finite"),
    ],
)
def test_refused_settings(toy, settings, message):
    pytest.importorskip("gensim")
    with pytest.raises(InputError, match=message):
        icdcodex_vectors(toy, **settings)


def test_without_gensim_the_extra_is_named(toy, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(InputError, match=r'pip install "icd_relevancy\[text\]"'):
        icdcodex_vectors(toy)
