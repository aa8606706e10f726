"""Notes by the name of a public source, or from a file."""

from collections.abc import Callable

from icd_relevancy.codes import code_system_name
from icd_relevancy.data.notes import Notes, read_notes
from icd_relevancy.data.sources.by_name import split_source
from icd_relevancy.data.sources.cmc2007 import read_cmc2007
from icd_relevancy.data.sources.codiesp import read_codiesp
from icd_relevancy.data.sources.mimic4_notes import read_mimic4_notes

NOTE_SOURCES: dict[str, Callable[[str, str | None], Notes]] = {
    "cmc2007": lambda path, code_system: read_cmc2007(path),
    "codiesp": lambda path, code_system: read_codiesp(path, language="en"),
    "codiesp-es": lambda path, code_system: read_codiesp(path, language="es"),
    "mimic4-notes": read_mimic4_notes,
}


def load_notes(data, code_system: str | None = "icd10cm", require_codes: bool = True) -> Notes:
    """Reads notes as the command line names them.

    Args:
        data: A file by the notes schema (CSV, TSV, Parquet, JSON lines), or `SOURCE:PATH` with SOURCE one of
            `cmc2007`, `codiesp`, `codiesp-es`, `mimic4-notes` and PATH its folder.
        code_system: `"icd10cm"` or `"icd9cm"`: the codes to read from a source that has both
            (`mimic4-notes`), or None for both of them; the others have one. Defaults to `"icd10cm"`.
        require_codes: Whether a file must have codes. Defaults to True.

    Raises:
        InputError: If the source is another, or for what its reader finds.

    Example:

    >>> from icd_relevancy.data import load_notes
    >>> notes = load_notes("cmc2007:data/cmc2007")  # doctest: +SKIP
    """
    source, path = split_source(data, NOTE_SOURCES, "notes")
    if source is None:
        return read_notes(path, require_codes=require_codes)
    return NOTE_SOURCES[source](path, code_system and code_system_name(code_system))
