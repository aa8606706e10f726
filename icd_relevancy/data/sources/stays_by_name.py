"""Stays by the name of a public source, or from a file."""

from collections.abc import Callable

from icd_relevancy.codes import code_system_name
from icd_relevancy.data.sources.by_name import split_source
from icd_relevancy.data.sources.eicu import read_eicu
from icd_relevancy.data.sources.mimic import read_mimic3, read_mimic4_hosp
from icd_relevancy.data.sources.omop import read_omop
from icd_relevancy.data.stays import Stays, read_stays

STAY_SOURCES: dict[str, Callable[[str, str, bool], Stays]] = {
    "eicu": read_eicu,
    "mimic3": lambda path, code_system, require_codes: read_mimic3(path, require_codes),
    "mimic4": read_mimic4_hosp,
    "omop": read_omop,
}


def load_stays(data, code_system: str = "icd10cm", require_codes: bool = True) -> Stays:
    """Reads stays as the command line names them.

    Args:
        data: A file by the stays schema (CSV, TSV, Parquet, JSON lines), or `SOURCE:PATH` with SOURCE one of
            `eicu`, `mimic3`, `mimic4`, `omop` and PATH its folder.
        code_system: `"icd10cm"` or `"icd9cm"`: the codes to read from a source that has both; `mimic3` has
            ICD-9-CM only. Defaults to `"icd10cm"`.
        require_codes: Whether a file must have codes, and a source's stays without are left out. Defaults to True.

    Raises:
        InputError: If the source is another, or for what its reader finds.

    Example:

    >>> from icd_relevancy.data import load_stays
    >>> stays = load_stays("eicu:data/eicu_demo", "icd9cm")  # doctest: +SKIP
    """
    source, path = split_source(data, STAY_SOURCES, "stays")
    if source is None:
        return read_stays(path, require_codes)
    return STAY_SOURCES[source](path, code_system_name(code_system), require_codes)
