"""The relevance graph: against the dense cosine, at its edges, and on disk."""

import contextlib
import json
import os

import numpy as np
import oracles
import pytest
from scipy import sparse

import icd_relevancy
from icd_relevancy import CodeVectors, RelevanceGraph, relevance
from icd_relevancy.atomic import replacing
from icd_relevancy.errors import InputError


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
    found = relevance._cosine_neighbours(unit, 0.7, block).toarray()
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
    assert len(caught) == 1
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


def test_from_similarity_of_no_codes():
    assert len(RelevanceGraph.from_similarity(np.zeros((0, 0)), [], 0.5)) == 0


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


@pytest.mark.parametrize("threshold", [-0.01, 1.01, np.nan])
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
    assert list(graph.neighbours("A").items()) == [
        ("C", pytest.approx(0.9)),
        ("B", pytest.approx(0.8)),
    ]
    assert graph.neighbours("D") == {}
    with pytest.raises(InputError, match="'Q'"):
        graph.neighbours("Q")


def test_identity_graph():
    graph = RelevanceGraph.identity(["A", "B"])
    assert graph.is_identity
    assert graph.threshold == 1.0
    np.testing.assert_array_equal(graph.matrix.toarray(), np.eye(2))
    assert repr(graph) == "RelevanceGraph(2 codes, threshold=1.0, 0.0 neighbours a code)"


def test_a_graph_with_one_pair_is_no_identity(graph):
    assert not graph.is_identity
    assert repr(graph) == "RelevanceGraph(4 codes, threshold=0.76, 1.0 neighbours a code)"


def test_select_orders_and_keeps_the_pairs(graph):
    part = graph.select(["C", "D", "A"])
    np.testing.assert_allclose(part.matrix.toarray(), [[1, 0, 0.9], [0, 1, 0], [0.9, 0, 1]], atol=1e-6)
    assert part.codes == ("C", "D", "A")
    assert part.threshold == graph.threshold
    assert part.matrix.has_sorted_indices
    assert len(graph.select([])) == 0
    with pytest.raises(InputError, match="2 of the labels, first 'X'"):
        graph.select(["A", "X", "Y"])


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
        RelevanceGraph.identity([]),
        RelevanceGraph.identity(["Ä 1", "長い名前の符号", ""]),
        RelevanceGraph.from_similarity(np.zeros((3, 3)), ["007", "7", "07"], 0),
    ],
    ids=["empty", "unicode", "stored zeros"],
)
def test_unusual_graphs_survive_the_disk_and_json(graph, tmp_path):
    graph.save(tmp_path / "graph.npz")
    assert same(RelevanceGraph.load(tmp_path / "graph.npz"), graph)
    assert same(RelevanceGraph.from_config(json.loads(json.dumps(graph.get_config()))), graph)


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_named(graph, tmp_path, share):
    path = tmp_path / "graph.npz"
    graph.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"graph\.npz.*build it again"):
        RelevanceGraph.load(path)


def test_damaged_bytes_are_named(tmp_path):
    path = tmp_path / "graph.npz"
    RelevanceGraph.identity(names(2000)).save(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"graph\.npz.*build it again"):
        RelevanceGraph.load(path)


def test_files_that_are_no_graph_are_named(tmp_path):
    np.save(tmp_path / "array.npy", np.eye(2))
    np.savez(tmp_path / "other.npz", a=np.eye(2))
    (tmp_path / "text.npz").write_text("codes,threshold\n")
    (tmp_path / "folder").mkdir()
    for name in ("array.npy", "other.npz", "text.npz", "folder"):
        with pytest.raises(InputError, match=name):
            RelevanceGraph.load(tmp_path / name)
    with pytest.raises(InputError, match="no such"):
        RelevanceGraph.load(tmp_path / "missing.npz")


def test_a_failed_save_keeps_the_old_file(graph, tmp_path, monkeypatch):
    path = tmp_path / "graph.npz"
    graph.save(path)

    def fail(self):
        raise RuntimeError("interrupted")

    monkeypatch.setattr(RelevanceGraph, "_to_bytes", fail)
    with pytest.raises(RuntimeError, match="interrupted"):
        RelevanceGraph.identity(["A"]).save(path)
    assert same(RelevanceGraph.load(path), graph)
    assert os.listdir(tmp_path) == ["graph.npz"]


def test_save_replaces_an_older_graph(graph, tmp_path):
    path = tmp_path / "graph.npz"
    RelevanceGraph.identity(["A"]).save(path)
    graph.save(path)
    assert same(RelevanceGraph.load(path), graph)
    assert os.listdir(tmp_path) == ["graph.npz"]


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("name", ["result", "replaced"])
def test_replacing_swaps_the_whole_or_leaves_the_old(tmp_path, folder, name):
    path = tmp_path / name

    def write(target, text):
        (target / "file" if folder else target).write_text(text)

    def read():
        return (path / "file" if folder else path).read_text()

    with replacing(path, folder=folder) as temporary:
        write(temporary, "old")
        assert not path.exists()
        assert temporary.parent.parent == tmp_path
    assert read() == "old"
    with contextlib.suppress(KeyboardInterrupt), replacing(path, folder=folder) as temporary:
        write(temporary, "half")
        raise KeyboardInterrupt
    assert read() == "old"
    with replacing(path, folder=folder) as temporary:
        write(temporary, "new")
        assert read() == "old"
    assert read() == "new"
    assert os.listdir(tmp_path) == [name]


def test_replacing_a_folder_keeps_the_old_one_if_the_new_one_is_gone(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path, folder=True) as temporary:
        temporary.rmdir()
    assert (path / "weights").read_text() == "old"


def test_a_full_disk_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match=r"table\.csv: the disk is full"), replacing(tmp_path / "table.csv"):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_the_default_graph_can_be_set_and_taken_back(graph):
    assert icd_relevancy.get_relevance() is None
    try:
        icd_relevancy.set_relevance(graph)
        assert icd_relevancy.get_relevance() is graph
    finally:
        icd_relevancy.set_relevance(None)
    assert icd_relevancy.get_relevance() is None
