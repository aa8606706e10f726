"""Code vectors: points whose cosine says how related two codes are."""

from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.hierarchy_title import hierarchy_title_vectors
from icd_relevancy.vectors.reduction import Reduction, reduce

__all__ = ["CodeVectors", "Reduction", "hierarchy_title_vectors", "reduce"]
