"""Code vectors: points whose cosine says how related two codes are."""

from importlib import import_module

from icd_relevancy.vectors.baselines import hierarchy_only_vectors, one_hot_vectors
from icd_relevancy.vectors.code_pairs import CodePairs, pair_auc, pair_report, read_code_pairs
from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.denmune import DenMune, denmune
from icd_relevancy.vectors.icd2vec import icd2vec_vectors
from icd_relevancy.vectors.icdcodex import icdcodex_vectors
from icd_relevancy.vectors.nnbsvr import nnbsvr_vectors
from icd_relevancy.vectors.reduction import Reduction, elbow, reduce
from icd_relevancy.vectors.validation import hierarchy_reconstruction, neighbour_counts

# These import Keras, which code vectors that are only read do not need.
_WITH_KERAS = ("TextToVector", "TextToVectorConfig")

__all__ = [
    "CodePairs",
    "CodeVectors",
    "DenMune",
    "Reduction",
    "TextToVector",
    "TextToVectorConfig",
    "denmune",
    "elbow",
    "hierarchy_only_vectors",
    "hierarchy_reconstruction",
    "icd2vec_vectors",
    "icdcodex_vectors",
    "neighbour_counts",
    "nnbsvr_vectors",
    "one_hot_vectors",
    "pair_auc",
    "pair_report",
    "read_code_pairs",
    "reduce",
]


def __getattr__(name: str):
    if name in _WITH_KERAS:
        return getattr(import_module("icd_relevancy.vectors.text_to_vector"), name)
    raise AttributeError(f"module 'icd_relevancy.vectors' has no attribute {name!r}")
