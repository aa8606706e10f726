"""Code systems: what a code is called, where it stands in its hierarchy, and what is known of it."""

from icd_relevancy.codes.by_name import atc, code_system, code_system_from_table, knowledge_from_table
from icd_relevancy.codes.features import Feature
from icd_relevancy.codes.icd import general_equivalence_mappings, icd9cm, icd10cm
from icd_relevancy.codes.knowledge import CodeKnowledge, code_knowledge
from icd_relevancy.codes.links import CodeLinks
from icd_relevancy.codes.mapping import CodeMapping
from icd_relevancy.codes.system import CodeSystem, NormalisationReport, code_system_name

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
