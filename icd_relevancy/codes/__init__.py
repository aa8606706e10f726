"""Code systems: what a code is called and where it stands in its hierarchy."""

from pathlib import Path

from icd_relevancy.codes.code_links import CodeLinks
from icd_relevancy.codes.feature import Feature
from icd_relevancy.codes.gems import general_equivalence_mappings
from icd_relevancy.codes.icd9cm import icd9cm
from icd_relevancy.codes.icd10cm import icd10cm
from icd_relevancy.codes.knowledge import CodeKnowledge, code_knowledge
from icd_relevancy.codes.knowledge_table import knowledge_from_table
from icd_relevancy.codes.mapping import CodeMapping
from icd_relevancy.codes.packaged import PACKAGED
from icd_relevancy.codes.system import CodeSystem, NormalisationReport, code_system_name
from icd_relevancy.codes.table import atc, code_system_from_table
from icd_relevancy.errors import InputError, shown_path

__all__ = [
    "CodeKnowledge",
    "CodeLinks",
    "CodeMapping",
    "CodeSystem",
    "Feature",
    "NormalisationReport",
    "atc",
    "code_knowledge",
    "code_system",
    "code_system_from_table",
    "code_system_name",
    "general_equivalence_mappings",
    "icd9cm",
    "icd10cm",
    "knowledge_from_table",
]


def code_system(name_or_path: str | Path) -> CodeSystem:
    """The code system of that name, or the one read from that table.

    Args:
        name_or_path: `"icd10cm"` or `"icd9cm"`, as `code_system_name` reads them, or the path of a table as in
            `code_system_from_table`.

    Returns:
        A `CodeSystem`.

    Raises:
        InputError: neither a known name nor a readable table.

    Example:
        >>> from icd_relevancy.codes import code_system
        >>> code_system("icd9cm").title("428.9")
        'Heart failure, unspecified'
    """
    name = code_system_name(name_or_path)
    if name in PACKAGED:
        return PACKAGED[name]()
    if not Path(name).suffix and not Path(name).exists():
        raise InputError(
            f"{shown_path(name)}: no such code system; give {', '.join(PACKAGED)} or the file of a table"
        )
    return code_system_from_table(name_or_path)
