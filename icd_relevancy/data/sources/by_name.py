"""Notes and stays as a user names them: a file, `SOURCE:PATH`, or `module:name:PATH` of a reader of one's own."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icd_relevancy.codes.system import code_system_name
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.registry import Registry

# The names of the sources are asked for where nothing is read.
if TYPE_CHECKING:
    from icd_relevancy.data.notes import Notes
    from icd_relevancy.data.stays import Stays

_HERE = "icd_relevancy.data.sources"
_NAMES = {
    "notes": {
        "cmc2007": f"{_HERE}.cmc2007:_majority",
        "codiesp": f"{_HERE}.codiesp:_english",
        "codiesp-es": f"{_HERE}.codiesp:_spanish",
        "mimic4-notes": f"{_HERE}.mimic:read_mimic4_notes",
    },
    "stays": {
        "eicu": f"{_HERE}.eicu:read_eicu",
        "mimic3": f"{_HERE}.mimic:_mimic3",
        "mimic4": f"{_HERE}.mimic:read_mimic4_hosp",
        "omop": f"{_HERE}.omop:read_omop",
    },
}
SOURCES = Registry("source", _NAMES["notes"] | _NAMES["stays"])
_OWN = re.compile(r"([A-Za-z_][\w.]*:[A-Za-z_]\w*):(.+)", re.ASCII)


def source(of: str, systems: tuple[str, ...] = ("icd10cm",)) -> Callable:
    """Marks a reader, so that `SOURCE:PATH` finds it by the index and `module:name:PATH` by its place.

    Args:
        of: `"notes"`, of a function of a path and the name of a code system (None for all it has) that returns `Notes`,
            or `"stays"`, of one of a path, such a name and whether stays must have codes, that returns `Stays`.
        systems: The code systems that its codes may be of, the usual one first.

    Example:

    >>> from icd_relevancy.data import read_notes
    >>> from icd_relevancy.data.sources.by_name import source
    >>> @source(of="notes", systems=("icd9cm",))
    ... def read_ward(path, code_system):
    ...     return read_notes(f"{path}/ward.csv")
    """
    return SOURCES.entry(of=of, systems=systems)


@dataclass(frozen=True)
class Source:
    """What a user named as a source."""

    of: str
    systems: tuple[str, ...]
    read: Callable
    path: str


def source_names(of: str) -> tuple[str, ...]:
    """Our sources of notes or of stays."""
    return tuple(_NAMES[of])


def _split(data) -> tuple[str | None, str]:
    """The name of a source and its path; None and `data` for a file."""
    name, _, path = str(data).partition(":")
    own = None if name in SOURCES.names else _OWN.fullmatch(str(data))
    # A file's own name may hold a colon, and a single letter before it is a Windows drive.
    if not (own or (path and re.fullmatch(r"[A-Za-z][\w-]+", name))) or Path(data).exists():
        return None, str(data)
    return own.groups() if own else (name, path)


def source_systems(data) -> tuple[str, ...]:
    """The code systems of what a user named, the usual one first; ICD-10-CM of a file and of an unknown source."""
    name, _ = _split(data)
    return SOURCES.about(name)["systems"] if SOURCES.knows(name) else ("icd10cm",)


def find_source(data, of: str | None = None) -> Source | None:
    """The source of notes or stays (of either for None) that a user named, None for a file."""
    name, path = _split(data)
    if name is None:
        return None
    names = _NAMES[of] if of else SOURCES.names
    if name not in names and ":" not in name:
        kinds = of or " and ".join(_NAMES)
        raise InputError(
            f"{data}: unknown source {shown_word(name)}; the sources of {kinds} are {', '.join(names)}"
        )
    if not Path(path).exists():
        raise InputError(f"{data}: no such file or folder: {path}")
    about = SOURCES.about(name)
    if of not in (None, about["of"]):
        raise InputError(f"{data}: source {name} is of {about['of']}, not of {of}")
    return Source(**about, read=SOURCES.find(name), path=path)


def load_notes(data, code_system: str | None = "icd10cm", require_codes: bool = True) -> "Notes":
    """Reads notes as the command line names them.

    Args:
        data: A file by the notes schema (CSV, TSV, Parquet, JSON lines), or `SOURCE:PATH` with SOURCE one of
            `cmc2007`, `codiesp`, `codiesp-es`, `mimic4-notes`, or `module:name` of a reader of your own (see
            `icd_relevancy.data.sources.by_name.source`), and PATH its folder.
        code_system: `"icd10cm"` or `"icd9cm"`: the codes to read from a source that has both
            (`mimic4-notes`), or None for both of them; the others have one. Defaults to `"icd10cm"`.
        require_codes: Whether a file must have codes. Defaults to True.

    Raises:
        InputError: If the source is another, or for what its reader finds.

    Example:

    >>> from icd_relevancy.data import load_notes
    >>> notes = load_notes("cmc2007:data/cmc2007")  # doctest: +SKIP
    """
    from icd_relevancy.data.notes import Notes, read_notes

    named = find_source(data, "notes")
    if named is None:
        return read_notes(data, require_codes=require_codes)
    return _checked(data, named.read(named.path, code_system and code_system_name(code_system)), Notes)


def load_stays(data, code_system: str = "icd10cm", require_codes: bool = True) -> "Stays":
    """Reads stays as the command line names them.

    Args:
        data: A file by the stays schema (CSV, TSV, Parquet, JSON lines), or `SOURCE:PATH` with SOURCE one of
            `eicu`, `mimic3`, `mimic4`, `omop`, or `module:name` of a reader of your own (see
            `icd_relevancy.data.sources.by_name.source`), and PATH its folder.
        code_system: `"icd10cm"` or `"icd9cm"`: the codes to read from a source that has both; `mimic3` has
            ICD-9-CM only. Defaults to `"icd10cm"`.
        require_codes: Whether a file must have codes, and a source's stays without are left out. Defaults to True.

    Raises:
        InputError: If the source is another, or for what its reader finds.

    Example:

    >>> from icd_relevancy.data import load_stays
    >>> stays = load_stays("eicu:data/eicu_demo", "icd9cm")  # doctest: +SKIP
    """
    from icd_relevancy.data.stays import Stays, read_stays

    named = find_source(data, "stays")
    if named is None:
        return read_stays(data, require_codes)
    return _checked(data, named.read(named.path, code_system_name(code_system), require_codes), Stays)


def _checked(data, read, kind: type):
    if not isinstance(read, kind):
        raise InputError(f"{data}: the reader must return {kind.__name__}; it gave a {type(read).__name__}")
    return read
