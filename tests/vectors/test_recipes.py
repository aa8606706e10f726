"""Hierarchy-only vectors, ICD2Vec and ICD-Codex."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.encoding.pretrained import encoder_hash
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.vectors import recipes
from icd_relevancy.vectors.by_name import RECIPES
from icd_relevancy.vectors.recipes import (
    _code_text,
    _random_walks,
    hierarchy_only_vectors,
    icd2vec_vectors,
    icdcodex_vectors,
)


@pytest.fixture(scope="module")
def short_codes():
    parents = {"I": None, "A-B": "I", "A0": "A-B", "A0.1": "A0", "A0.9": "A0", "B2": "A-B", "C-D": "I"}
    return CodeSystem("toy", tuple(parents), dict.fromkeys(parents, ""), parents, category_level=2)


def test_hand_worked_characters(short_codes):
    # Characters: first A B C; second "" 0 2; third "" 1 9. The group C-D has no codes and is read as C.
    scaled = {"A0": [0, 0.5, 0], "A0.1": [0, 0.5, 0.5], "A0.9": [0, 0.5, 1], "B2": [0.5, 1, 0]}
    mean = np.mean([*scaled.values(), [1, 0, 0]], axis=0)
    below = np.mean(list(scaled.values()), axis=0)
    expected = {**scaled, "A-B": below, "C-D": [1, 0, 0], "I": np.mean([*scaled.values(), [1, 0, 0]], axis=0)}
    vectors = hierarchy_only_vectors(short_codes)
    for code in short_codes.codes[1:]:
        row = vectors.vectors[vectors.codes.index(code)]
        np.testing.assert_allclose(row, expected[code] - mean, atol=1e-6, err_msg=code)
    # The chapter is the mean of all codes, so it is moved off the centre.
    np.testing.assert_allclose(vectors.vectors[0], [recipes._NUDGE, 0, 0], atol=1e-6)


def test_positions_are_a_choice(short_codes):
    vectors = hierarchy_only_vectors(short_codes, positions=2)
    assert (vectors.vectors.shape, vectors.meta["positions"]) == ((7, 2), 2)
    some = hierarchy_only_vectors(short_codes, codes=["B2", "A0.9"], positions=2)
    assert some.codes == ("B2", "A0.9")
    np.testing.assert_array_equal(some.vectors, vectors.select(some.codes).vectors)
    with pytest.raises(InputError, match="positions must be at least 1"):
        hierarchy_only_vectors(short_codes, positions=0)


@pytest.mark.parametrize(("system", "positions"), [(icd9cm, 5), (icd10cm, 7)])
def test_real_systems_where_codes_written_alike_are_near(system, positions):
    vectors = hierarchy_only_vectors(system())
    assert vectors.vectors.shape == (len(system()), positions)
    assert np.linalg.norm(vectors.vectors, axis=1).min() >= recipes._NUDGE
    at_codes = [system().level(code) >= system().category_level for code in system().codes]
    assert np.ptp(vectors.vectors[at_codes], axis=0) == pytest.approx(1)
    if system is icd9cm:
        return
    vectors = vectors.select(["J18.9", "J18.8", "J18", "B37.81", "T81.40XA"])
    assert vectors.most_similar("J18.9", k=1)[0][0] == "J18.8"
    assert vectors.similarity("J18.9", "T81.40XA") < 0 < vectors.similarity("J18.9", "J18")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_no_code_is_left_without_direction(count):
    codes = tuple("12345"[:count])
    table = hierarchy_only_vectors(CodeSystem("flat", codes, dict.fromkeys(codes, ""), dict.fromkeys(codes)))
    assert np.abs(table.vectors).max(axis=1).min() > 0


def test_refused_codes(short_codes):
    with pytest.raises(InputError, match="'Z9' is not a code of toy"):
        hierarchy_only_vectors(short_codes, codes=["A0", "Z9"])
    with pytest.raises(InputError, match="'A0' is listed twice"):
        hierarchy_only_vectors(short_codes, codes=["A0", "A0"])


@pytest.fixture(scope="module")
def titled():
    titles = {
        "10": "Respiratory (J00-J99)",
        "J18": "Pneumonia",
        "J18.9": "pneumonia with fever",
        "J45": "asthma",
        "J45.9": "asthma",
    }
    parents = {"10": None, "J18": "10", "J18.9": "J18", "J45": "10", "J45.9": "J45"}
    terms = {"J18": ("consolidation", "Pneumonia", "cough (with fever)")}
    notes = {"J18": ("fever",), "10": ("diseases of the lung (J40-J70)",)}
    return CodeSystem("toy", tuple(titles), titles, parents, terms, notes, category_level=1)


def test_text_of_a_code(titled):
    assert _code_text(titled, "J18") == "Pneumonia; consolidation; cough (with fever); fever"
    assert _code_text(titled, "10") == "Respiratory; diseases of the lung"
    assert _code_text(titled, "J45") == "asthma"
    with pytest.raises(InputError, match="'J99' is not a code of toy"):
        _code_text(titled, "J99")


def test_vectors_are_the_embeddings_of_the_texts(titled, miniature_encoder, tmp_path):
    vectors = icd2vec_vectors(
        titled, encoder=miniature_encoder, cache=tmp_path, max_length=32, progress=False
    )
    assert vectors.codes == titled.codes
    texts = [_code_text(titled, code) for code in titled.codes]
    alone = embed(texts, miniature_encoder, 32, progress=False)
    np.testing.assert_allclose(vectors.vectors, alone, atol=1e-6)
    assert vectors.similarity("J45", "J45.9") == pytest.approx(1)
    assert vectors.similarity("J18", "J45") < 0.99
    assert vectors.meta == {
        "recipe": "icd2vec-1",
        "code_system": "toy",
        "encoder": str(miniature_encoder),
        "encoder_hash": encoder_hash(miniature_encoder),
        "pooling": "mean",
        "max_length": 32,
    }
    assert list(tmp_path.rglob("*.npz"))


def test_an_encoder_keeps_its_own_settings(titled, miniature_encoder):
    encoder = TransformerEncoder(miniature_encoder, pooling="cls", max_length=8)
    vectors = icd2vec_vectors(titled, codes=["J45", "J18"], encoder=encoder, progress=False)
    assert vectors.codes == ("J45", "J18")
    expected = embed(["asthma", _code_text(titled, "J18")], encoder, progress=False)
    np.testing.assert_allclose(vectors.vectors, expected, atol=1e-6)
    assert (vectors.meta["pooling"], vectors.meta["max_length"]) == ("cls", 8)
    assert vectors.meta["encoder_hash"] == encoder.fingerprint()


def test_codes_are_checked_before_the_encoder_is_looked_for(titled):
    with pytest.raises(InputError, match="'J99' is not a code of toy"):
        icd2vec_vectors(titled, codes=["J99"], encoder="/no/such/folder")
    with pytest.raises(InputError, match="'J18' is listed twice"):
        icd2vec_vectors(titled, codes=["J18", "J18"], encoder="/no/such/folder")
    with pytest.raises(InputError, match="no such encoder folder"):
        icd2vec_vectors(titled, encoder="/no/such/folder")


def test_the_module_imports_no_tensorflow():
    code = "import sys, icd_relevancy.vectors.recipes; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


SMALL = {"dimensions": 16, "walk_length": 12, "walks": 20, "window": 4}


def tree(parents: dict) -> CodeSystem:
    return CodeSystem("toy", tuple(parents), dict.fromkeys(parents, ""), parents)


@pytest.fixture(scope="module")
def two_trees():
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


def test_walks_go_along_edges_from_every_node(two_trees):
    paths = _random_walks(two_trees, walk_length=9, walks=30, p=2.0, q=0.5)
    assert paths.shape == (7 * 30, 9)
    np.testing.assert_array_equal(np.bincount(paths[:, 0]), np.full(7, 30))
    edges = {(0, 1), (0, 2), (0, 3), (0, 6), (4, 5), (4, 6)}
    steps = {(min(step), max(step)) for path in paths.tolist() for step in pairwise(path)}
    assert steps == edges


def test_infinite_p_goes_back_only_at_ends(two_trees):
    paths = _random_walks(two_trees, walk_length=12, walks=100, p=np.inf)
    before, at, after = paths[:, :-2], paths[:, 1:-1], paths[:, 2:]
    has_choice = np.isin(at, [0, 4, 6])
    assert not (before == after)[has_choice].any()
    assert (before == after)[~has_choice].all()


def test_tiny_p_goes_to_and_fro(two_trees):
    paths = _random_walks(two_trees, walk_length=6, walks=100, p=1e-12)
    np.testing.assert_array_equal(paths[:, 2:], paths[:, :-2])


@pytest.mark.parametrize(("p", "q", "back"), [(1, 1, 1 / 4), (1, 0.5, 1 / 7), (0.5, 2, 4 / 7), (2, 1, 1 / 7)])
def test_share_of_steps_back(two_trees, p, q, back):
    """From A1 over A, which has four neighbours, back to A1: 1/p of 1/p + 3/q."""
    paths = _random_walks(two_trees, walk_length=3, walks=20_000, p=p, q=q)
    ends = paths[(paths[:, 0] == 1), 2]
    shares = np.bincount(ends, minlength=7) / len(ends)
    on = (1 - back) / 3
    np.testing.assert_allclose(shares, [0, back, on, on, 0, 0, on], atol=0.015)


def test_first_step_is_uniform(two_trees):
    paths = _random_walks(two_trees, walk_length=2, walks=20_000, p=9, q=9)
    ends = paths[paths[:, 0] == 0, 1]
    np.testing.assert_allclose(np.bincount(ends, minlength=7)[[1, 2, 3, 6]] / len(ends), 0.25, atol=0.015)


def test_seed_of_walks(two_trees):
    first, second, other = (_random_walks(two_trees, 5, 4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_single_code_walks_to_the_root_and_back():
    walks = _random_walks(tree({"A": None}), walk_length=3, walks=1)
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
def test_refused_settings(two_trees, settings, message):
    pytest.importorskip("gensim")
    with pytest.raises(InputError, match=message):
        icdcodex_vectors(two_trees, **settings)


def test_without_gensim_the_extra_is_named(two_trees, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(InputError, match=r'pip install "icd_relevancy\[text\]"'):
        icdcodex_vectors(two_trees)


def test_every_name_is_a_recipe():
    made = {
        "nnbsvr": "nnbsvr",
        "icd2vec": "icd2vec",
        "icdcodex": "icdcodex",
        "hierarchy-only": "hierarchy_only",
    }
    assert {name: RECIPES.find(name).__name__ for name in RECIPES.names} == {
        name: f"{function}_vectors" for name, function in made.items()
    }
