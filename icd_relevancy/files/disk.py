"""Files and folders that appear whole or not at all, and the folder of what is kept for another time."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from icd_relevancy.errors import InputError

_NO_SPACE_BYTES = 2**16
# What the folder beside a path that is written is called, and the lock in it that a living writer holds.
_LOCK, _REPLACED = ".icd_relevancy.lock", ".replaced-"
_HOLDER = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}")


@contextmanager
def replacing(path, folder: bool = False, private: bool = False) -> Iterator[Path]:
    """Yields a temporary path, a new file or `folder`, and renames it to `path` when the block ends without an error.

    After an error it is removed and `path` is as it was. What a killed process left beside `path` is put right first.
    Of several writers at once the last one stays. `private` lets the owner alone read it, as patients' data ask.
    """
    path = Path(path)
    with _full_disk_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        recover(path)
        holder, lock = _new_holder(path)
    temporary = holder / path.name
    try:
        # Inside the removal of the temporary files, which would free the space that is looked for.
        with _full_disk_named(path):
            if folder:
                temporary.mkdir()
            yield temporary
            if private:
                _make_private(temporary)
            _swap(temporary, path, holder, folder)
    finally:
        lock.release()
        shutil.rmtree(holder, ignore_errors=True)


def recover(path) -> None:
    """Brings back an older folder that a killed writer moved aside; what a living process writes stays as it is."""
    path = Path(path).absolute()
    try:
        holders = [
            (entry, match["name"]) for entry in path.parent.iterdir() if (match := _holder(entry, path))
        ]
    except OSError:
        return  # no folder, or none that may be read: then nothing was written there
    for holder, name in holders:
        lock = FileLock(holder / _LOCK)
        with suppress(Timeout, OSError):
            lock.acquire(blocking=False)
            for older in sorted(holder.glob(f"*{_REPLACED}*"), reverse=True):
                if not (path.parent / name).exists():
                    older.rename(path.parent / name)
            lock.release()
            shutil.rmtree(holder, ignore_errors=True)
        lock.release()


def _holder(entry: Path, path: Path) -> re.Match | None:
    match = _HOLDER.fullmatch(entry.name)
    if not match or entry.is_symlink() or not entry.is_dir():
        return None
    # A kill may come before the lock is there; a folder of somebody else's has other things in it.
    lock = entry / _LOCK
    has_lock = lock.exists() and not lock.is_symlink()
    return match if has_lock or (match["name"] == path.name and not any(entry.iterdir())) else None


def _new_holder(path: Path) -> tuple[Path, FileLock]:
    """A folder beside a path, and the lock in it that tells that its writer lives."""
    while True:
        holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        lock = FileLock(holder / _LOCK)
        try:
            lock.acquire(blocking=False)
        except (Timeout, FileNotFoundError):
            continue  # another process took it for one that was left, before the lock was there
        if holder.exists():
            return holder, lock


@contextmanager
def _full_disk_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _is_full_disk(error, path.parent):
            raise InputError(f"{path}: the disk is full; free some space and run again") from error
        raise


def _is_full_disk(error: OSError, folder: Path) -> bool:
    if error.errno is not None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # Libraries that write by C alone lose the number; NumPy only tells that less was written than asked for.
    short_write = re.fullmatch(r"\d+ requested and \d+ written", str(error))
    return bool(short_write) or shutil.disk_usage(folder).free < _NO_SPACE_BYTES


def _make_private(path: Path) -> None:
    for inner in path.rglob("*") if path.is_dir() else ():
        inner.chmod(0o700 if inner.is_dir() else 0o600)
    path.chmod(0o700 if path.is_dir() else 0o600)


def _swap(temporary: Path, path: Path, holder: Path, folder: bool) -> None:
    # A folder cannot be renamed over another: the older one steps aside, and back if the rename fails.
    for attempt in count():
        replaced = holder / f"{path.name}{_REPLACED}{attempt:06}"
        if folder and path.exists():
            with suppress(FileNotFoundError):  # where another writer was quicker
                path.rename(replaced)
        try:
            temporary.replace(path)
            return
        except OSError as error:
            if folder and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue  # another writer put its own there in between
            if replaced.exists():
                replaced.rename(path)
            raise


def cache_folder() -> Path:
    """The cache folder: `$ICD_RELEVANCY_CACHE` where it is set, else `~/.cache/icd_relevancy`; it need not exist."""
    given = os.environ.get("ICD_RELEVANCY_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "icd_relevancy"


def private_folder(path) -> Path:
    """Makes a folder, and those above it that are missing, for its owner alone: caches tell of patients."""
    path = Path(path)
    for folder in [*reversed(path.parents), path]:
        # Not by `parents=True`, which gives the folders above the permissions of any other.
        folder.mkdir(mode=0o700, exist_ok=True)
    return path
