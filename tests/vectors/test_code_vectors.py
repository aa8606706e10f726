import json
import re

import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.code_vectors import label_vectors

CODES = ("J18.9", "J18.8", "I10", "Z00")
VECTORS = np.array([[1, 0], [1, 1], [0, 2], [0, 0]], dtype=float)


@pytest.fixture
def vectors():
    return CodeVectors(CODES, VECTORS, {"recipe": "by hand"})


def test_similarity(vectors):
    assert vectors.similarity("J18.9", "J18.8") == pytest.approx(np.sqrt(0.5))
    assert vectors.similarity("J18.9", "I10") == 0
    assert vectors.similarity("I10", "I10") == pytest.approx(1)
    assert vectors.similarity("Z00", "Z00") == 0  # a vector of zeros


def test_most_similar_is_sorted_and_leaves_the_code_out(vectors):
    found = vectors.most_similar("J18.8", k=3)
    assert [code for code, _ in found] == ["J18.9", "I10", "Z00"]
    assert [value for _, value in found] == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    assert vectors.most_similar("Z00", k=10)[0] == ("J18.9", 0.0)


def test_frozen_float32(vectors):
    assert vectors.vectors.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        vectors.vectors[0, 0] = 3
    assert len(vectors) == 4
    assert "I10" in vectors
    assert "I11" not in vectors


def test_select_keeps_the_order_asked_for(vectors):
    chosen = vectors.select(["I10", "J18.9"])
    assert chosen.codes == ("I10", "J18.9")
    np.testing.assert_array_equal(chosen.vectors, [[0, 2], [1, 0]])


@pytest.mark.parametrize(
    ("codes", "array", "message"),
    [
        (["A", "A"], np.ones((2, 3)), "'A' is listed twice"),
        (["A", "B"], np.ones((3, 3)), r"Received shape: \(3, 3\)"),
        (["A", "B"], np.ones(2), r"Received shape: \(2,\)"),
        (["A", "B"], [[1, 2], [np.nan, 1]], "code 'B' holds NaN"),
        (["A", "B"], [[np.inf, 2], [1, 1]], "code 'A' holds NaN or infinity"),
        ([1, 2], np.ones((2, 2)), "code 1 is of type int, not str; read the codes as text"),
        (["A", None], np.ones((2, 2)), "code None is of type NoneType, not str"),
        (["A"], [[1e300]], "code 'A' holds NaN or infinity"),
    ],
)
def test_bad_tables(codes, array, message):
    with pytest.raises(InputError, match=message):
        CodeVectors(codes, array)


def test_unknown_codes_are_named(vectors):
    for call in (
        vectors.most_similar,
        lambda code: vectors.similarity("I10", code),
        lambda c: vectors.select([c]),
    ):
        with pytest.raises(InputError, match=r"'X99' has no vector"):
            call("X99")


@pytest.fixture
def vectors_on_disk():
    return CodeVectors(CODES[:3], VECTORS[:3], {"recipe": "by hand"})


def test_round_trip(vectors_on_disk, tmp_path):
    vectors_on_disk.save(tmp_path / "deep" / "mine")
    again = CodeVectors.load(tmp_path / "deep" / "mine")
    assert again.codes == CODES[:3]
    assert again.meta == {"recipe": "by hand"}
    np.testing.assert_array_equal(again.vectors, vectors_on_disk.vectors)
    assert not again.vectors.flags.writeable


def test_save_refuses_what_load_refuses(vectors, vectors_on_disk, tmp_path):
    vectors_on_disk.save(tmp_path / "mine")
    with pytest.raises(InputError) as by_save:
        vectors.save(tmp_path / "mine")
    assert CodeVectors.load(tmp_path / "mine").codes == CODES[:3]
    np.save(tmp_path / "mine" / "vectors.npy", VECTORS)
    (tmp_path / "mine" / "codes.json").write_text(json.dumps(CODES))
    with pytest.raises(InputError) as by_load:
        CodeVectors.load(tmp_path / "mine")
    assert "the vector of code 'Z00' is all zeros" in str(by_save.value)
    assert str(by_load.value) == str(by_save.value)


def test_save_replaces_and_leaves_nothing_behind(vectors_on_disk, tmp_path):
    vectors_on_disk.save(tmp_path / "mine")
    vectors_on_disk.select(["I10"]).save(tmp_path / "mine")
    assert CodeVectors.load(tmp_path / "mine").codes == ("I10",)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_interrupted_save_keeps_the_old_folder(vectors_on_disk, tmp_path, monkeypatch):
    vectors_on_disk.save(tmp_path / "mine")

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(json, "dumps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        vectors_on_disk.select(["I10"]).save(tmp_path / "mine")
    monkeypatch.undo()
    assert CodeVectors.load(tmp_path / "mine").codes == CODES[:3]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_save_refuses_a_folder_of_something_else(vectors, tmp_path):
    (tmp_path / "notes.csv").write_text("mine")
    with pytest.raises(InputError, match="holds no code vectors"):
        vectors.save(tmp_path)
    assert (tmp_path / "notes.csv").read_text() == "mine"


def test_load_by_name_and_damaged(vectors_on_disk, tmp_path, monkeypatch):
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(tmp_path))
    vectors_on_disk.save(tmp_path / "vectors" / "mine")
    assert CodeVectors.load("mine").codes == CODES[:3]
    with pytest.raises(InputError, match="no code vectors at"):
        CodeVectors.load("other")
    (tmp_path / "vectors" / "mine" / "vectors.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="cannot be read"):
        CodeVectors.load("mine")


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("meta.json", "[]", "meta.json holds no object"),
        ("meta.json", "null", "meta.json holds no object"),
        ("codes.json", "null", "codes.json holds no list"),
        ("codes.json", '"J18"', "codes.json holds no list"),
        ("codes.json", '[["J18.9"], "J18.8", "I10"]', "not str"),
    ],
)
def test_files_of_other_json_are_refused(vectors_on_disk, tmp_path, file, text, names):
    vectors_on_disk.save(tmp_path / "mine")
    (tmp_path / "mine" / file).write_text(text)
    with pytest.raises(InputError, match=f"mine: these code vectors cannot be read .*{names}"):
        CodeVectors.load(tmp_path / "mine")


def test_packaged_names_are_built_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(tmp_path))
    built = CodeVectors.load("icd9cm")
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(
        r"icd-relevancy: building vectors of the \d+ codes of icd9cm; this takes a minute or two\n", told.err
    )
    assert built.meta["code_system"] == "icd9cm"
    assert built.meta["recipe"].startswith("nnbsvr-2 simple-icd-10-cm-")
    stamp = (tmp_path / "vectors" / "icd9cm" / "vectors.npy").stat().st_mtime_ns
    monkeypatch.setattr(
        "icd_relevancy.vectors.nnbsvr.nnbsvr_points", lambda knowledge: pytest.fail("built again")
    )
    np.testing.assert_array_equal(CodeVectors.load("icd9cm").vectors, built.vectors)
    assert capsys.readouterr().err == ""
    assert (tmp_path / "vectors" / "icd9cm" / "vectors.npy").stat().st_mtime_ns == stamp


PARENTS = {"R": None, "R05": "R", "R05.9": "R05", "R50": "R", "R50.9": "R50"}
SYSTEM = CodeSystem("toy", tuple(PARENTS), dict.fromkeys(PARENTS, ""), PARENTS)
FEW = CodeVectors(["R05", "R05.9"], [[1, 0], [0, 1]], {"recipe": "by hand"})


def test_own_vector_then_the_nearest_ancestors():
    found = label_vectors(["R05.1", "R05.9", "R05"], FEW, SYSTEM)
    assert found.codes == ("R05.1", "R05.9", "R05")
    np.testing.assert_array_equal(found.vectors, [[1, 0], [0, 1], [1, 0]])
    assert found.meta == {"recipe": "by hand"}


def test_a_label_that_only_the_vectors_know():
    extra = CodeVectors(["LOCAL"], [[1.0]])
    np.testing.assert_array_equal(label_vectors(["LOCAL"], extra, SYSTEM).vectors, [[1]])


@pytest.mark.parametrize("label", ["R50.9", "Q00"])
def test_a_label_without_a_vector_is_named(label):
    with pytest.raises(InputError, match=f"label '{label}' has no vector"):
        label_vectors(["R05", label], FEW, SYSTEM)


def test_all_labels_without_a_vector_are_named_at_once():
    """They were named one a run."""
    labels = ["R05", "Miller", *[f"Q{number}" for number in range(10, 40)]]
    with pytest.raises(
        InputError, match=r"31 labels have no vector, .* toy: \(not shown: it is no code\), 'Q10', .*"
    ) as told:
        label_vectors(labels, FEW, SYSTEM)
    assert str(told.value).endswith(
        "'Q28' and 11 more; correct the codes, choose their code system, or leave out the labels"
    )
    with pytest.raises(InputError, match="2 codes have no vector: 'Q10', 'Q11'; normalise them"):
        FEW.select(["Q10", "R05", "Q11"])


def test_no_labels():
    with pytest.raises(InputError, match="no labels"):
        label_vectors([], FEW, SYSTEM)


@pytest.mark.parametrize(
    ("number", "message"),
    [(0, "the vector of code 'R05.9' is all zeros"), (np.nan, ".*code 'R05.9' holds NaN")],
)
def test_a_saved_vector_of_zeros_or_nan_is_refused_by_its_code(tmp_path, number, message):
    FEW.save(tmp_path / "mine")
    np.save(tmp_path / "mine" / "vectors.npy", np.array([[1, 0], [number, 0]], np.float32))
    with pytest.raises(InputError, match=f"mine: {message}"):
        CodeVectors.load(tmp_path / "mine")
