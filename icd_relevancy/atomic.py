"""Files and folders that appear whole or not at all."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icd_relevancy.errors import InputError


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
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = holder / path.name
    try:
        if folder:
            temporary.mkdir()
        yield temporary
        _swap(temporary, path, holder / f"{path.name}.replaced", folder)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise InputError(f"{path}: the disk is full; free some space and run again") from error
        raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)


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
