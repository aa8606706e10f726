"""Code vectors: points whose cosine says how related two codes are."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.vectors.code_vectors import CodeVectors
    from icd_relevancy.vectors.pairs import CodePairs, pair_auc, pair_report, read_code_pairs
    from icd_relevancy.vectors.recipes import (
        hierarchy_only_vectors,
        icd2vec_vectors,
        icdcodex_vectors,
        nnbsvr_vectors,
    )
    from icd_relevancy.vectors.reduction import Reduction, elbow, reduce
    from icd_relevancy.vectors.text_to_vector import TextToVector, TextToVectorConfig
    from icd_relevancy.vectors.validation import hierarchy_reconstruction, neighbour_counts

_NAMES = {
    "code_vectors": ("CodeVectors",),
    "pairs": ("CodePairs", "pair_auc", "pair_report", "read_code_pairs"),
    "recipes": ("hierarchy_only_vectors", "icd2vec_vectors", "icdcodex_vectors", "nnbsvr_vectors"),
    "reduction": ("Reduction", "elbow", "reduce"),
    "text_to_vector": ("TextToVector", "TextToVectorConfig"),
    "validation": ("hierarchy_reconstruction", "neighbour_counts"),
}

__all__ = [
    "CodePairs",
    "CodeVectors",
    "Reduction",
    "TextToVector",
    "TextToVectorConfig",
    "elbow",
    "hierarchy_only_vectors",
    "hierarchy_reconstruction",
    "icd2vec_vectors",
    "icdcodex_vectors",
    "neighbour_counts",
    "nnbsvr_vectors",
    "pair_auc",
    "pair_report",
    "read_code_pairs",
    "reduce",
]

__getattr__, __dir__ = attach(
    __name__, {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}
)
