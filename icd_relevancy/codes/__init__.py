"""Code systems: what a code is called, where it stands in its hierarchy, and what is known of it."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.codes.by_name import atc, code_system, code_system_from_table, knowledge_from_table
    from icd_relevancy.codes.features import Feature
    from icd_relevancy.codes.icd import general_equivalence_mappings, icd9cm, icd10cm
    from icd_relevancy.codes.knowledge import CodeKnowledge, code_knowledge
    from icd_relevancy.codes.links import CodeLinks
    from icd_relevancy.codes.mapping import CodeMapping
    from icd_relevancy.codes.system import CodeSystem, NormalisationReport, code_system_name

_HOME = {
    "CodeKnowledge": "knowledge",
    "CodeLinks": "links",
    "CodeMapping": "mapping",
    "CodeSystem": "system",
    "Feature": "features",
    "NormalisationReport": "system",
    "atc": "by_name",
    "code_knowledge": "knowledge",
    "code_system": "by_name",
    "code_system_from_table": "by_name",
    "code_system_name": "system",
    "general_equivalence_mappings": "icd",
    "icd10cm": "icd",
    "icd9cm": "icd",
    "knowledge_from_table": "by_name",
}

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

__getattr__, __dir__ = attach(
    __name__, {name: f"icd_relevancy.codes.{module}" for name, module in _HOME.items()}
)
