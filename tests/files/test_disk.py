import contextlib
import errno
import os
import shutil
from collections import namedtuple

import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.files import disk
from icd_relevancy.files.disk import replacing
from icd_relevancy.vectors import CodeVectors

Usage = namedtuple("Usage", "total used free")


def _fail(path, error):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("270000 requested and 15328 written"),
    ],
)
def test_a_full_disk_is_named_and_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(InputError, match=r"table\.csv: the disk is full; free some space"):
        _fail(path, error)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize(("free", "raised"), [(0, InputError), (10**9, OSError)])
def test_an_error_without_a_number_is_judged_by_the_free_space(tmp_path, monkeypatch, free, raised):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - free, free))
    with pytest.raises(raised) as caught:
        _fail(tmp_path / "table.csv", OSError("cannot write"))
    assert type(caught.value) is raised


def test_other_errors_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    with pytest.raises(PermissionError):
        _fail(tmp_path / "table.csv", PermissionError(errno.EACCES, "Permission denied"))


def test_no_space_for_the_temporary_folder(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk.tempfile, "mkdtemp", full)
    with pytest.raises(InputError, match="the disk is full"), replacing(tmp_path / "table.csv"):
        pass


def test_code_vectors_on_a_full_disk(tmp_path, monkeypatch):
    def short(*args, **kwargs):
        raise OSError("270000 requested and 15328 written")

    monkeypatch.setattr(np, "save", short)
    with pytest.raises(InputError, match="mine: the disk is full"):
        CodeVectors(["I10"], [[1.0]]).save(tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


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
