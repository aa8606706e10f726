"""What tells a kept result from one of other sources, notes, stays or codes, so that none is read back in its place."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import icd_relevancy
from icd_relevancy.codes import CodeSystem

_PACKAGE, _EXPERIMENTS = Path(icd_relevancy.__file__).parent, Path(__file__).parent
# No kept result is computed by these; the settings in YAML are part of the name of every result.
_LEFT_OUT = ("__pycache__", ".*")
_LEFT_OUT_OF_PACKAGE = (*_LEFT_OUT, "cli", "reporting")
_LEFT_OUT_OF_EXPERIMENTS = (*_LEFT_OUT, "*.yaml", "*.md", "benchmarks")


def digest_of(texts: str | Iterable[str], more: bytes = b"") -> str:
    """16 hexadecimal digits that other lines, or other bytes after them, do not share."""
    joined = texts if isinstance(texts, str) else "\n".join(texts)
    return hashlib.sha256(joined.encode() + more).hexdigest()[:16]


@cache
def sources_digest(package: Path = _PACKAGE, experiments: Path = _EXPERIMENTS) -> str:
    """16 hexadecimal digits that two states of the sources do not share.

    All modules and data files count but those that no kept result is computed by: one that is computed once too
    often does no harm, one that outlives the code that made it does.
    """
    digest = hashlib.sha256()
    for folder, left_out in ((package, _LEFT_OUT_OF_PACKAGE), (experiments, _LEFT_OUT_OF_EXPERIMENTS)):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(fnmatch(part, no) for part in name.parts for no in left_out):
                digest.update(f"{name.as_posix()} {path.stat().st_size}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def columns_digest(records) -> str:
    """A digest of `Notes` or `Stays`: of every column, as patients decide on folds and wards on groups."""
    return _digest_of_fields(records, left_out="source")


@cache
def system_digest(system: CodeSystem) -> str:
    """A digest of all that a code system knows: another title or parent makes other vectors."""
    return _digest_of_fields(system)


def _digest_of_fields(record, left_out: str = "") -> str:
    names = [field.name for field in fields(record) if field.name != left_out]
    # Numbers of NumPy, and what else is no JSON, are told as they are written.
    return digest_of(json.dumps([[name, getattr(record, name)] for name in names], default=str))
