"""Writers that are killed, and several at once: real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from icd_relevancy.files.disk import recover, replacing

# Writes a folder, and stops for ever where it is told to.
WRITER = """
import sys, time
from pathlib import Path
from icd_relevancy.files import disk

def stop(*_, **__):
    Path("stopped").touch()
    time.sleep(600)

path, place = Path("model"), sys.argv[1]
if place == "before the lock":
    disk.FileLock = stop
if place == "the older one stepped aside":
    Path.replace = stop
if place == "before the removal":
    disk.shutil.rmtree = stop
with disk.replacing(path, folder=True) as temporary:
    (temporary / "a").write_text("new")
    if place == "while it writes":
        stop()
    (temporary / "b").write_text("new")
"""


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """Starts a writer of `model` that stops at a place, beside an older `model`."""
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("model/a").write_text("old")
    running = []

    def start(place: str) -> subprocess.Popen:
        writer = subprocess.Popen([sys.executable, "-c", WRITER, place], env=os.environ)
        running.append(writer)
        while not Path("stopped").exists():
            assert writer.poll() is None
            time.sleep(0.01)
        Path("stopped").unlink()
        return writer

    yield start
    for writer in running:
        writer.kill()
        writer.wait()


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("before the lock", ["a"]),
        ("while it writes", ["a"]),
        ("the older one stepped aside", ["a"]),
        ("before the removal", ["a", "b"]),
    ],
)
def test_what_a_killed_writer_left_is_put_right(stopped, place, kept):
    writer = stopped(place)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(list(Path().iterdir())) > 1 or not Path("model").exists()
    recover("model")
    assert [path.name for path in Path().iterdir()] == ["model"]
    assert sorted(path.name for path in Path("model").iterdir()) == kept
    assert Path("model/a").read_text() == ("new" if "b" in kept else "old")


def test_the_next_writer_puts_it_right(stopped):
    writer = stopped("while it writes")
    writer.kill()
    writer.wait()
    with replacing("model", folder=True) as temporary:
        (temporary / "c").write_text("next")
    assert [path.name for path in Path().iterdir()] == ["model"]
    assert [path.name for path in Path("model").iterdir()] == ["c"]


def test_a_living_writer_is_left_alone(stopped):
    stopped("while it writes")
    recover("model")
    (holder,) = (path for path in Path().iterdir() if path.name != "model")
    with replacing("model", folder=True) as temporary:
        (temporary / "c").write_text("second")
    assert (holder / "model" / "a").read_text() == "new"
    assert [path.name for path in Path("model").iterdir()] == ["c"]


def test_a_folder_of_others_is_left_alone(tmp_path):
    theirs = tmp_path / ".model.abcdefgh"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    empty = tmp_path / ".other.abcdefgh"
    empty.mkdir()
    recover(tmp_path / "model")
    assert (theirs / "notes.txt").read_text() == "mine"
    assert empty.is_dir()


def test_several_writers_of_one_folder(tmp_path):
    writing = """
import sys
from icd_relevancy.files.disk import replacing
for number in range(40):
    with replacing("model", folder=True) as temporary:
        for name in "ab":
            (temporary / name).write_text(sys.argv[1])
"""
    writers = [subprocess.Popen([sys.executable, "-c", writing, name], cwd=tmp_path) for name in "12"]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "a").read_text() == (tmp_path / "model" / "b").read_text()


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_private_is_for_its_owner_alone(tmp_path, folder):
    path = tmp_path / "page"
    before = os.umask(0)
    try:
        with replacing(path, folder=folder, private=True) as temporary:
            (temporary / "inner" if folder else temporary).write_text("Mrs Miller")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == (0o700 if folder else 0o600)
    if folder:
        assert (path / "inner").stat().st_mode & 0o777 == 0o600
