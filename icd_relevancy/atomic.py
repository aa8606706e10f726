"""Files and folders that appear whole or not at all."""

import errno
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icd_relevancy.errors import InputError

_NO_SPACE_BYTES = 2**16


@contextmanager
def replacing(path, folder: bool = False) -> Iterator[Path]:
    """Yields a temporary path beside `path` and renames it to `path` when the block ends without an error.

    After an error the temporary file or folder is removed and `path` is as it was.

    Args:
        path: The file or folder to write; its parent folders are made.
        folder: Whether the temporary path is a (new, empty) folder. An older folder at `path` is replaced.

    Raises:
        InputError: If the disk is full.

    Example:

    >>> from icd_relevancy.atomic import replacing
    >>> with replacing("results/table.csv") as temporary:
    ...     _ = temporary.write_text("a,b\\n")
    """
    path = Path(path)
    with _full_disk_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = holder / path.name
    try:
        # Inside the removal of the temporary files, which would free the space that is looked for.
        with _full_disk_named(path):
            if folder:
                temporary.mkdir()
            yield temporary
            _swap(temporary, path, holder / f"{path.name}.replaced", folder)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


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


def _swap(temporary: Path, path: Path, replaced: Path, folder: bool) -> None:
    # A folder cannot be renamed over another: the older one steps aside, and back if the rename fails.
    if folder and path.exists():
        path.rename(replaced)
    try:
        temporary.replace(path)
    except OSError:
        if replaced.exists():
            replaced.rename(path)
        raise
