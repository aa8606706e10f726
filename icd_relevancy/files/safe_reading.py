"""Files from elsewhere, read so that a damaged or hostile one gives one clear line and nothing else."""

import errno
import gzip
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError

# What a small file may unpack to; beyond that a hundred times its size. A graph that packs better is not packed.
ALWAYS_ALLOWED = 2**29
_MOST_COMPRESSED = 100
# What is no fault of a file: a full disk, too many open files, a disk that fails.
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO)
_SURROGATE = re.compile("[\ud800-\udfff]")
# What pandas says of a file without quoting it.
_PLACE_IN_CSV = re.compile(r"Expected \d+ fields in line \d+, saw \d+|EOF inside string starting at row \d+")


@contextmanager
def reading(place, what: str, advice: str = "copy it again or make it anew") -> Iterator[None]:
    """Turns whatever a library raises for a damaged file into one `InputError` that quotes nothing of the file.

    An `InputError`, a missing package, a file that is missing or may not be read, and a fault of the machine say enough
    by themselves. `what` has its article, such as `"a relevance graph"`.
    """
    try:
        yield
    except (InputError, ImportError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            raise
        raise _damaged(place, what, advice, error) from None
    # Every library has exceptions of its own for damage, down to the bare Exception. Their texts quote the file.
    except Exception as error:
        raise _damaged(place, what, advice, error) from None


def _damaged(place, what: str, advice: str, error: Exception) -> InputError:
    return InputError(f"{place}: not {what}, or damaged ({type(error).__name__}); {advice}")


@contextmanager
def readable(file) -> Iterator[None]:
    """`reading` of a table or a text, a path or `Content`, which tells where the damage is."""
    # Here, because graphs of one's own model are read by this module too, and need neither.
    import pandas as pd
    import pyarrow as pa

    with reading(file, "a table or a text that can be read", "copy it again or save it anew"):
        try:
            yield
        except UnicodeDecodeError:
            place = _first_undecodable(file)
            raise InputError(f"{file}: {place} is not UTF-8; save the file as UTF-8") from None
        except pd.errors.EmptyDataError:
            raise InputError(f"{file}: the file is empty and cannot be read as a table") from None
        except (pd.errors.ParserError, pa.ArrowInvalid) as error:
            match = _PLACE_IN_CSV.search(str(error))
            problem = match[0] if match else "not in the format that its name says, or damaged"
            raise InputError(f"{file}: cannot be parsed: {problem}") from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise InputError(f"{file}: not a whole gzip file; fetch or compress it again") from None


def opened(file):
    """The bytes of a file, unpacked where its name ends in `.gz`, or of `Content`."""
    if hasattr(file, "content"):
        return io.BytesIO(file.content)
    return gzip.open(file) if str(file).lower().endswith(".gz") else open(file, "rb")


def _first_undecodable(file) -> str:
    start = 0
    with opened(file) as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"line {number} (byte {start + error.start})"
            start += len(line)
    return "the text"


def has_lone_surrogate(value) -> bool:
    """Whether a text of a JSON value holds half of a surrogate pair, which no file can be written with."""
    if isinstance(value, str):
        # Texts are long and many, and a search is faster than to encode them.
        return bool(_SURROGATE.search(value))
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except RecursionError:
        # No text is nested so deeply; whoever expects one refuses the value.
        return False
    return False


def read_array(path) -> np.ndarray:
    """The array of a `.npy` file; `ValueError` if it holds objects, or less or more than its header says."""
    with open(path, "rb") as file:
        return _array_of(file, Path(path).stat().st_size)


def read_arrays(file, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Arrays of a `.npz` file, a path or its bytes, none larger than a file of its size can honestly hold."""
    size = len(file) if isinstance(file, bytes) else Path(file).stat().st_size
    allowed, arrays = ALWAYS_ALLOWED + _MOST_COMPRESSED * size, {}
    with zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file) as archive:
        for name in names:
            member = archive.getinfo(f"{name}.npy")
            allowed -= member.file_size
            if allowed < 0:
                raise ValueError("the arrays are out of proportion to the file")
            with archive.open(member) as stream:
                arrays[name] = _array_of(stream, member.file_size)
    return arrays


def _array_of(stream, size: int) -> np.ndarray:
    major, _ = np.lib.format.read_magic(stream)
    read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[major]
    shape, fortran, dtype = read_header(stream)
    length = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or min(shape, default=0) < 0 or stream.tell() + length != size:
        raise ValueError("the header does not fit the content")
    content = stream.read(length)
    if len(content) != length:
        raise EOFError("the content ends early")
    # A copy, as the bytes themselves cannot be written to.
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C").copy()


def checked_csr(data, indices, indptr, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A CSR matrix of arrays from a file, which is complete, finite, and points nowhere outside itself."""
    data, indices, indptr = np.asarray(data), np.asarray(indices), np.asarray(indptr)
    if not {indices.dtype.kind, indptr.dtype.kind} <= set("iu") or data.dtype.kind not in "biuf":
        raise ValueError("a sparse matrix needs numbers, and whole ones for its indices")
    if not (data.ndim == indices.ndim == indptr.ndim == 1) or len(indptr) != shape[0] + 1:
        raise ValueError("the arrays of a sparse matrix do not fit each other")
    if len(indices) and (indices.min() < 0 or indices.max() >= shape[1]):
        raise ValueError("a sparse matrix points outside itself")
    if indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[1:] < indptr[:-1]).any():
        raise ValueError("the rows of a sparse matrix are out of order")
    if len(data) != len(indices) or not np.isfinite(data).all():
        raise ValueError("a sparse matrix has a value that is not finite, or too few")
    # Only now: SciPy itself reads such arrays unchecked.
    matrix = sparse.csr_matrix((data, indices, indptr), shape=shape)
    matrix.check_format(full_check=True)
    return matrix


def checked_words(words) -> tuple[str, ...]:
    """The words of a list from a file; `ValueError` if one is no text or is there twice."""
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError("the words must be a list of text")
    if len(set(words)) < len(words):
        raise ValueError("a word is there twice")
    return tuple(words)
