"""Arrays and sparse matrices of files from elsewhere."""

import errno
import io
import struct
import zipfile

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files import safe_reading
from icd_relevancy.files.safe_reading import checked_csr, read_array, read_arrays, reading

GOOD = {"data": [1.0, 2.0], "indices": [0, 1], "indptr": [0, 1, 2], "shape": (2, 2)}


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_arrays_come_back(tmp_path):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "a.npy", np.asfortranarray(values))
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), values)
    found = read_arrays(npz(a=values, codes=np.array(["J18.9"])), ("a", "codes"))
    np.testing.assert_array_equal(found["a"], values)
    assert found["codes"].tolist() == ["J18.9"]
    found["a"][0, 0] = 7  # not a view of the file


def test_a_header_cannot_ask_for_more_than_there_is(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 29), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    (tmp_path / "a.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"0" * 64
    )
    with pytest.raises(ValueError, match="does not fit"):
        read_array(tmp_path / "a.npy")


def test_objects_are_not_unpacked(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="does not fit"):
        read_array(tmp_path / "a.npy")


def test_a_small_file_cannot_unpack_to_gigabytes(monkeypatch):
    monkeypatch.setattr(safe_reading, "ALWAYS_ALLOWED", 2**20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (200_000_000,)}
        )
        for _ in range(200):
            member.write(bytes(1_000_000))
    with pytest.raises(ValueError, match="out of proportion"):
        read_arrays(buffer.getvalue(), ("a",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"indptr": [0, 10**9, 2]},
        {"indptr": [0, 2, 1]},
        {"indptr": [1, 1, 2]},
        {"indptr": [0, 2]},
        {"indptr": [-5, 1, 2]},
        {"indices": [0, 2]},
        {"indices": [-1, 0]},
        {"indices": [0.0, 1.0]},
        {"data": [1.0]},
        {"data": [1.0, float("nan")]},
        {"data": ["a", "b"]},
        {"data": [[1.0, 2.0]]},
    ],
    ids=str,
)
def test_sparse_arrays_that_point_outside_are_refused(wrong):
    with pytest.raises(ValueError, match="sparse matrix"):
        checked_csr(**{**GOOD, **wrong})


def test_good_sparse_arrays_are_a_matrix():
    np.testing.assert_array_equal(checked_csr(**GOOD).toarray(), sparse.diags([1.0, 2.0]).toarray())


@pytest.mark.parametrize(
    "error", [ValueError("Mrs Miller"), RecursionError(), MemoryError(), Exception("Miller")]
)
def test_damage_is_one_line_without_its_content(error):
    with pytest.raises(InputError) as told, reading("a.npz", "a graph"):
        raise error
    assert str(told.value) == (
        f"a.npz: not a graph, or damaged ({type(error).__name__}); copy it again or make it anew"
    )
    assert told.value.__cause__ is None


def test_what_says_enough_by_itself_passes():
    for error in (
        InputError("row 3"),
        FileNotFoundError("a"),
        ImportError("lime"),
        OSError(errno.ENOSPC, "full"),
    ):
        with pytest.raises(type(error)), reading("a.npz", "a graph"):
            raise error


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("epocs", "'epocs'"),
        (True, "True"),
        pytest.param(10**5000, "(not shown: a long number)", id="a long number"),
        ({"a": 1}, "(not shown: a dict)"),
        ("a b", "(not shown: 3 characters of text)"),
        ("a\x1b[31m", "'a\\x1b[31m'"),
        ("x" * 41, "(not shown: 41 characters of text)"),
        ("患者1", "'患者1'"),
        ("患者王小明男六十五岁因肺炎入院", "(not shown: 15 characters of text)"),
    ],
)
def test_only_what_cannot_be_text_is_quoted(value, shown):
    assert shown_word(value) == shown
