"""Code vectors: points whose cosine says how related two codes are."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach
from icd_relevancy.vectors.baselines import hierarchy_only_vectors
from icd_relevancy.vectors.code_pairs import CodePairs, pair_auc, pair_report, read_code_pairs
from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.icd2vec import icd2vec_vectors
from icd_relevancy.vectors.icdcodex import icdcodex_vectors
from icd_relevancy.vectors.nnbsvr import nnbsvr_vectors
from icd_relevancy.vectors.reduction import Reduction, elbow, reduce
from icd_relevancy.vectors.validation import hierarchy_reconstruction, neighbour_counts

if TYPE_CHECKING:
    from icd_relevancy.vectors.text_to_vector import TextToVector, TextToVectorConfig

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

# These import Keras, which code vectors that are only read do not need.
__getattr__, __dir__ = attach(
    __name__, dict.fromkeys(("TextToVector", "TextToVectorConfig"), "icd_relevancy.vectors.text_to_vector")
)
