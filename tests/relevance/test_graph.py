"""The relevance graph: against the dense cosine, at its edges, and on disk."""

import base64
import json
import os

import numpy as np
import oracles
import pytest
from scipy import sparse

import icd_relevancy
from icd_relevancy import CodeVectors, RelevanceGraph
from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.relevance import graph_matrix as _graph_matrix


def names(count):
    return [f"C{number}" for number in range(count)]


def random_vectors(count, dimensions=4, seed=0):
    """Vectors in a narrow cone, so that most thresholds have matches."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, dimensions)).astype(np.float32) + 0.7


@pytest.fixture
def graph():
    return RelevanceGraph.from_similarity(
        [[1, 0.8, 0.9, 0], [0.8, 1, 0.2, 0], [0.9, 0.2, 1, 0], [0, 0, 0, 1]], ["A", "B", "C", "D"], 0.76
    )


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.76, 0.96])
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_from_vectors_equals_the_dense_cosine(count, threshold):
    vectors = random_vectors(count, seed=count)
    found = RelevanceGraph.from_vectors(CodeVectors(names(count), vectors), threshold=threshold)
    np.testing.assert_allclose(
        found.matrix.toarray(), oracles.cosine_matches(vectors, threshold), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("block", [1, 2, 3, 39, 40, 41, 512])
def test_the_block_size_does_not_matter(block):
    vectors = random_vectors(40).astype(np.float64)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = _graph_matrix.cosine_neighbours(unit, 0.7, block).toarray()
    np.testing.assert_allclose(found, oracles.cosine_matches(vectors, 0.7), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found, found.T)


def test_more_codes_than_a_block():
    vectors = random_vectors(1100, dimensions=3)
    found = RelevanceGraph.from_vectors(CodeVectors(names(1100), vectors), threshold=0.9)
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, 1)
    np.testing.assert_allclose(
        found.matrix.toarray(), np.where(cosines >= 0.9, cosines, 0), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("vectors", "threshold"),
    [([[1, 0], [0.8, 0.6]], 0.8), ([[1, 0], [0.6, 0.8]], 0.6), ([[1, 1], [1, 0]], np.sqrt(0.5))],
)
def test_a_pair_exactly_at_the_threshold_matches(vectors, threshold):
    """The vectors are float32, so their cosine can fall short of the threshold by its rounding."""
    found = RelevanceGraph.from_vectors(CodeVectors(["A", "B"], vectors), threshold=threshold)
    assert "B" in found.neighbours("A")


def test_a_pair_just_below_the_threshold_does_not_match():
    vectors = CodeVectors(["A", "B"], [[1, 0], [0.8, 0.6]])
    assert RelevanceGraph.from_vectors(vectors, threshold=0.80001).is_identity


@pytest.mark.parametrize("number", [np.float32, np.float64])
@pytest.mark.parametrize("make", [np.array, sparse.coo_matrix], ids=["dense", "sparse"])
def test_a_similarity_exactly_at_the_threshold_matches(make, number):
    matrix = make(np.array([[1, 0.76], [0.76, 1]], number))
    assert not RelevanceGraph.from_similarity(matrix, ["A", "B"], 0.76).is_identity


def test_threshold_one_matches_only_the_same_direction():
    rng = np.random.default_rng(3)
    first = rng.normal(size=29).astype(np.float32)
    vectors = [first, first, 3 * first, -first, rng.normal(size=29)]
    found = RelevanceGraph.from_vectors(CodeVectors(list("ABCDE"), np.array(vectors)), threshold=1.0)
    expected = np.eye(5)
    expected[:3, :3] = 1
    np.testing.assert_allclose(found.matrix.toarray(), expected, rtol=0, atol=1e-6)


def test_threshold_zero_matches_right_angles_but_not_opposites():
    vectors = CodeVectors(["A", "B", "C"], [[1, 0], [0, 1], [-1, 0]])
    found = RelevanceGraph.from_vectors(vectors, threshold=0)
    assert found.neighbours("A") == {"B": 0.0}
    assert set(found.neighbours("B")) == {"A", "C"}
    assert found.select(["A", "B"]).matrix.nnz == 4
    similarity = sparse.csr_matrix(np.eye(2))
    assert RelevanceGraph.from_similarity(similarity, ["A", "B"], 0).matrix.nnz == 4


def test_a_zero_vector_matches_itself_alone_and_is_named():
    vectors = CodeVectors(["A", "Z99", "B"], [[1, 0], [0, 0], [1, 0]])
    with pytest.warns(UserWarning, match="Z99") as caught:
        found = RelevanceGraph.from_vectors(vectors, threshold=0.5)
    assert [warning.filename for warning in caught] == [__file__]
    assert found.neighbours("Z99") == {}
    assert found.matrix.diagonal().tolist() == [1, 1, 1]


def test_codes_choose_and_order_the_rows():
    vectors = CodeVectors(["A", "B", "C"], [[1, 0], [0, 1], [1, 0.1]])
    found = RelevanceGraph.from_vectors(vectors, codes=["C", "A"], threshold=0.76)
    assert found.codes == ("C", "A")
    assert found.neighbours("C") == pytest.approx({"A": 1 / np.sqrt(1.01)})


def test_missing_codes_are_named():
    vectors = CodeVectors(["A"], [[1.0]])
    with pytest.raises(InputError, match="'X00'"):
        RelevanceGraph.from_vectors(vectors, codes=["A", "X00"])


def test_vectors_that_are_not_finite_are_named():
    class Table:
        codes = ("A", "X00")
        vectors = np.array([[1, 0], [np.nan, 1]])

    with pytest.raises(InputError, match=r"'X00'.*not finite"):
        RelevanceGraph.from_vectors(Table(), threshold=0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix], ids=["dense", "sparse"])
def test_similarities_that_are_not_finite_are_named(make, value):
    matrix = np.eye(3)
    matrix[1, 2] = matrix[2, 1] = value
    with pytest.raises(InputError, match=r"'B'.*not finite"):
        RelevanceGraph.from_similarity(make(matrix), ["A", "B", "C"], 0.5)


@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix, sparse.coo_array], ids=str)
def test_from_similarity_keeps_what_reaches_the_threshold(make):
    matrix = np.array([[0.2, 0.5, 0.8], [0.5, 0, -1], [0.8, -1, 1]])
    found = RelevanceGraph.from_similarity(make(matrix), ["A", "B", "C"], 0.5)
    np.testing.assert_allclose(found.matrix.toarray(), [[1, 0.5, 0.8], [0.5, 1, 0], [0.8, 0, 1]])
    assert found.matrix.dtype == np.float32
    assert found.threshold == 0.5


def test_from_similarity_adds_up_entries_listed_twice():
    matrix = sparse.coo_matrix(([0.4, 0.4, 0.4, 0.4], ([0, 0, 1, 1], [1, 1, 0, 0])), shape=(2, 2))
    found = RelevanceGraph.from_similarity(matrix, ["A", "B"], 0.76)
    assert found.neighbours("A") == pytest.approx({"B": 0.8})


def test_similarities_above_one_are_refused():
    """With them a loss would fall below 0. The diagonal is replaced by 1, whatever it holds."""
    with pytest.raises(InputError, match="exceeds 1"):
        RelevanceGraph.from_similarity([[1, 1.1], [1.1, 1]], ["A", "B"], 0.5)
    assert RelevanceGraph.from_similarity([[5, 0], [0, 5]], ["A", "B"], 0.5).is_identity


@pytest.mark.parametrize(
    "make",
    [
        lambda: RelevanceGraph([], sparse.csr_matrix((0, 0)), 0.5),
        lambda: RelevanceGraph.identity([]),
        lambda: RelevanceGraph.from_similarity(np.zeros((0, 0)), [], 0.5),
        lambda: RelevanceGraph.from_vectors(CodeVectors([], np.zeros((0, 3)))),
        lambda: RelevanceGraph.from_vectors(CodeVectors(["A01"], [[1.0]]), codes=[]),
        lambda: RelevanceGraph.identity(["A01"]).select([]),
        lambda: RelevanceGraph.from_codes([], TOY_VECTORS, code_system=TOY),
    ],
)
def test_a_graph_of_no_codes_is_refused(make):
    with pytest.raises(InputError, match=r"at least one code|no labels"):
        make()


def test_an_asymmetric_similarity_is_refused():
    with pytest.raises(InputError, match="symmetric"):
        RelevanceGraph.from_similarity([[1, 0.9], [0.1, 1]], ["A", "B"], 0.5)


def test_rounding_at_the_threshold_is_no_asymmetry():
    found = RelevanceGraph.from_similarity([[1, 0.76], [0.76 - 1e-8, 1]], ["A", "B"], 0.76)
    assert (found.matrix != found.matrix.T).nnz == 0


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (2, 2, 1), (4,)])
def test_a_similarity_of_another_shape_is_refused(shape):
    with pytest.raises(InputError, match="shape"):
        RelevanceGraph.from_similarity(np.ones(shape), ["A", "B"], 0.5)
    if len(shape) == 2:
        with pytest.raises(InputError, match="shape"):
            RelevanceGraph(["A", "B"], sparse.csr_matrix(np.ones(shape)), 0.5)


@pytest.mark.parametrize("threshold", [-0.01, 1.01, np.nan, "high", None, [0.5], True])
def test_a_threshold_outside_its_range_is_refused(threshold):
    vectors = CodeVectors(["A"], [[1.0]])
    for build in (
        lambda: RelevanceGraph.from_vectors(vectors, threshold=threshold),
        lambda: RelevanceGraph.from_similarity([[1]], ["A"], threshold),
        lambda: RelevanceGraph(["A"], sparse.eye(1), threshold),
    ):
        with pytest.raises(InputError, match="Received: threshold="):
            build()


def test_a_repeated_code_is_named():
    with pytest.raises(InputError, match="'B'"):
        RelevanceGraph.identity(["A", "B", "C", "B"])


def test_neighbours_stand_most_similar_first(graph):
    assert list(graph.neighbours("A").items()) == [("C", pytest.approx(0.9)), ("B", pytest.approx(0.8))]
    assert graph.neighbours("D") == {}
    with pytest.raises(InputError, match="'Q'"):
        graph.neighbours("Q")


def test_identity_graph(graph):
    identity = RelevanceGraph.identity(["A", "B"])
    assert identity.is_identity
    assert identity.threshold == 1.0
    np.testing.assert_array_equal(identity.matrix.toarray(), np.eye(2))
    assert repr(identity) == "RelevanceGraph(2 codes, threshold=1.0, 0.0 neighbours a code)"
    assert not graph.is_identity
    assert repr(graph) == "RelevanceGraph(4 codes, threshold=0.76, 1.0 neighbours a code)"


def test_select_orders_and_keeps_the_pairs(graph):
    part = graph.select(["C", "D", "A"])
    np.testing.assert_allclose(part.matrix.toarray(), [[1, 0, 0.9], [0, 1, 0], [0.9, 0, 1]], atol=1e-6)
    assert part.codes == ("C", "D", "A")
    assert part.threshold == graph.threshold
    assert part.matrix.has_sorted_indices
    with pytest.raises(InputError, match="lacks 2 of the labels: 'X', 'Y'; "):
        graph.select(["A", "X", "Y"])
    with pytest.raises(InputError, match=r"lacks 30 of the labels: 'X0', .*'X19' and 10 more; "):
        graph.select([f"X{i}" for i in range(30)])


def test_the_callers_matrix_stays_his_own():
    matrix = sparse.csr_matrix(np.eye(2, dtype=np.float32))
    graph = RelevanceGraph(["A", "B"], matrix, 0.5)
    matrix.data[:] = 7
    assert graph.matrix.diagonal().tolist() == [1, 1]


def same(one, other):
    return (
        one.codes == other.codes
        and one.threshold == other.threshold
        and (one.matrix != other.matrix).nnz == 0
        and one.matrix.nnz == other.matrix.nnz
    )


@pytest.mark.parametrize("name", ["graph.npz", "graph", "new/folder/graph.bin"])
def test_save_and_load_give_the_same_graph_under_the_name_given(graph, tmp_path, name):
    graph.save(tmp_path / name)
    assert (tmp_path / name).is_file()
    assert same(RelevanceGraph.load(tmp_path / name), graph)


@pytest.mark.parametrize(
    "graph",
    [
        RelevanceGraph.identity(["Ä 1", "長い名前の符号", ""]),
        RelevanceGraph.from_similarity(np.zeros((3, 3)), ["007", "7", "07"], 0),
    ],
    ids=["unicode", "stored zeros"],
)
def test_unusual_graphs_survive_the_disk_and_json(graph, tmp_path):
    graph.save(tmp_path / "graph.npz")
    assert same(RelevanceGraph.load(tmp_path / "graph.npz"), graph)
    assert same(RelevanceGraph.from_config(json.loads(json.dumps(graph.get_config()))), graph)


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.9, 0.999, "zeros"])
def test_a_truncated_or_damaged_file_is_named(tmp_path, share):
    path = tmp_path / "graph.npz"
    RelevanceGraph.identity(names(2000)).save(path)
    content = path.read_bytes()
    middle = len(content) // 2
    zeros = content[:middle] + bytes(50) + content[middle + 50 :]
    path.write_bytes(zeros if share == "zeros" else content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"graph\.npz.*build it again"):
        RelevanceGraph.load(path)


def arrays_of(graph):
    return {
        "codes": np.array(graph.codes),
        "threshold": np.float64(graph.threshold),
        "indptr": graph.matrix.indptr.copy(),
        "indices": graph.matrix.indices.copy(),
        "data": graph.matrix.data.copy(),
    }


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


# The rows of `graph` are A: A B C, B: A B, C: A C, D: D.
DAMAGE = {
    "a pointer beyond the end": lambda a: {"indptr": changed(a["indptr"], 2, 2**30)},
    "a last pointer beyond the end": lambda a: {"indptr": changed(a["indptr"], -1, 2**31 - 1)},
    "a negative pointer": lambda a: {"indptr": changed(a["indptr"], 1, -5)},
    "rows out of order": lambda a: {"indptr": changed(a["indptr"], 1, 6)},
    "a column beyond the end": lambda a: {"indices": changed(a["indices"], 1, 2**31 - 1)},
    "a negative column": lambda a: {"indices": changed(a["indices"], 1, -2)},
    "a column twice": lambda a: {"indices": changed(a["indices"], 1, 0)},
    "one way alone": lambda a: {"indices": changed(a["indices"], 1, 3)},
    "another value each way": lambda a: {"data": changed(a["data"], 1, 0.9)},
    "a value above 1": lambda a: {"data": changed(a["data"], slice(None), 1.5)},
    "values below the threshold": lambda a: {"threshold": np.float64(0.95)},
    "NaN": lambda a: {"data": changed(a["data"], 1, np.nan)},
    "no diagonal": lambda a: {"data": changed(a["data"], 0, 0.8)},
    "values of text": lambda a: {"data": a["data"].astype(str)},
    "columns of fractions": lambda a: {"indices": a["indices"] + 0.5},
    "a row too few": lambda a: {"indptr": a["indptr"][:-1]},
    "codes of numbers": lambda a: {"codes": np.arange(4)},
    "codes of bytes": lambda a: {"codes": a["codes"].astype("S")},
    "codes in a table": lambda a: {"codes": a["codes"].reshape(2, 2)},
    "a code twice": lambda a: {"codes": np.array(["A", "B", "C", "A"])},
    "no codes": lambda a: {
        "codes": np.array([], "U1"),
        "indptr": np.zeros(1, int),
        "indices": np.zeros(0, int),
    },
    "a threshold of NaN": lambda a: {"threshold": np.float64("nan")},
    "a threshold above 1": lambda a: {"threshold": np.float64(7)},
    "a threshold of text": lambda a: {"threshold": np.array("Mrs Miller")},
    "several thresholds": lambda a: {"threshold": np.array([0.5, 0.6])},
    "objects": lambda a: {"codes": np.array(a["codes"], object)},
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_graph_is_one_line(graph, tmp_path, kind):
    """Of these some ended the process by a signal, and others were taken for a graph."""
    arrays = arrays_of(graph)
    np.savez(tmp_path / "graph.npz", **{**arrays, **DAMAGE[kind](arrays)})
    with pytest.raises(
        InputError, match=r"graph\.npz: not a relevance graph, or damaged.*build it again"
    ) as told:
        RelevanceGraph.load(tmp_path / "graph.npz")
    assert "Miller" not in str(told.value)
    content = base64.b64encode((tmp_path / "graph.npz").read_bytes()).decode()
    with pytest.raises(InputError, match="the relevance graph of a saved model"):
        RelevanceGraph.from_config({"npz": content})


@pytest.mark.parametrize("config", [{}, {"npz": None}, {"npz": "no base 64!"}, {"npz": "AAAA"}, {"npz": 7}])
def test_a_damaged_configuration_is_one_line(config):
    with pytest.raises(InputError, match="the relevance graph of a saved model"):
        RelevanceGraph.from_config(config)


def test_every_byte_may_be_wrong(graph, tmp_path):
    """Whatever a flipped byte does, it is a graph or one line."""
    graph.save(tmp_path / "graph.npz")
    content = (tmp_path / "graph.npz").read_bytes()
    rng, refused = np.random.default_rng(0), 0
    for place in rng.integers(0, len(content), 200):
        damaged = bytearray(content)
        damaged[place] ^= int(rng.integers(1, 256))
        (tmp_path / "graph.npz").write_bytes(damaged)
        try:
            assert same(RelevanceGraph.load(tmp_path / "graph.npz"), graph)
        except InputError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 0.9], [0, 1]], "not symmetric"),
        ([[1, 0.9], [0.8, 1]], "not symmetric"),
        ([[1, 0.4], [0.4, 1]], r"outside \[threshold, 1\]"),
        ([[1, 1.2], [1.2, 1]], r"outside \[threshold, 1\]"),
        ([[1, np.nan], [np.nan, 1]], "not symmetric|outside"),
    ],
)
def test_a_matrix_that_is_no_graph_is_refused(matrix, message):
    with pytest.raises(InputError, match=message):
        RelevanceGraph(["A", "B"], sparse.csr_matrix(matrix), 0.5)


PARENTS = {"R": None, "R05": "R", "R05.1": "R05", "R05.9": "R05", "R50": "R", "R50.9": "R50"}
TOY = CodeSystem("toy", tuple(PARENTS), dict.fromkeys(PARENTS, ""), PARENTS)
TOY_VECTORS = CodeVectors(["R05", "R05.1", "R05.9", "R50"], [[1, 0], [1, 0.1], [1, 0.2], [0, 1]])


def test_raw_codes_become_a_graph_with_a_report():
    raw = ["r051", "R05.9", " R05.1 ", "R50.9", "R05.97"]
    graph = RelevanceGraph.from_codes(raw, TOY_VECTORS, code_system=TOY)
    assert graph.codes == ("R05.1", "R05.9", "R50.9")
    assert set(graph.neighbours("R05.1")) == {"R05.9"}
    assert graph.neighbours("R50.9") == {}
    assert graph.report.reformatted_codes == (("r051", "R05.1"), (" R05.1 ", "R05.1"))
    assert graph.report.ancestor_codes == (("R05.97", "R05.9"),)
    assert graph.report.unknown == 0
    assert RelevanceGraph.from_codes(raw, TOY_VECTORS, 0.999, code_system=TOY).threshold == 0.999
    assert RelevanceGraph.identity(["A"]).report is None


def test_unknown_raw_codes_are_left_out_and_named_at_once():
    raw = ["R05.1", *[f"Q{number}" for number in range(10, 40)], "Miller"]
    with pytest.warns(UserWarning, match="31 codes unknown to toy: 'Q10', .*'Q29' and 11 more") as caught:
        graph = RelevanceGraph.from_codes(raw, TOY_VECTORS, code_system=TOY)
    assert caught[0].filename == __file__
    assert graph.codes == ("R05.1",)
    assert graph.report.unknown_codes == tuple(raw[1:])
    with pytest.raises(InputError, match=r"2 codes unknown to toy: 'Q10', \(not shown.*correct them"):
        RelevanceGraph.from_codes(["Q10", "Miller"], TOY_VECTORS, code_system=TOY)


def test_the_system_of_raw_codes_is_that_of_the_vectors(miniature_cache, monkeypatch):
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(miniature_cache))
    vectors = CodeVectors(["428.0", "428.1"], [[1, 0], [1, 0.1]], {"code_system": "icd9cm"})
    assert RelevanceGraph.from_codes(["4280", "428.1"], vectors).codes == ("428.0", "428.1")
    assert RelevanceGraph.from_codes(["i10"]).codes == ("I10",)


def test_files_that_are_no_graph_are_named(tmp_path):
    np.save(tmp_path / "array.npy", np.eye(2))
    np.savez(tmp_path / "other.npz", a=np.eye(2))
    (tmp_path / "text.npz").write_text("codes,threshold\n")
    (tmp_path / "folder").mkdir()
    for name in ("array.npy", "other.npz", "text.npz"):
        with pytest.raises(InputError, match=name):
            RelevanceGraph.load(tmp_path / name)
    with pytest.raises(InputError, match="no such"):
        RelevanceGraph.load(tmp_path / "missing.npz")
    with pytest.raises(InputError, match="folder: no such"):
        RelevanceGraph.load(tmp_path / "folder")


def test_save_replaces_an_older_graph_or_leaves_it(graph, tmp_path, monkeypatch):
    path = tmp_path / "graph.npz"
    RelevanceGraph.identity(["A"]).save(path)
    graph.save(path)

    def fail(self):
        raise RuntimeError("interrupted")

    monkeypatch.setattr(RelevanceGraph, "_to_bytes", fail)
    with pytest.raises(RuntimeError, match="interrupted"):
        RelevanceGraph.identity(["A"]).save(path)
    assert same(RelevanceGraph.load(path), graph)
    assert os.listdir(tmp_path) == ["graph.npz"]


def test_the_default_graph_can_be_set_and_taken_back(graph):
    assert icd_relevancy.get_relevance() is None
    try:
        icd_relevancy.set_relevance(graph)
        assert icd_relevancy.get_relevance() is graph
    finally:
        icd_relevancy.set_relevance(None)
    assert icd_relevancy.get_relevance() is None
