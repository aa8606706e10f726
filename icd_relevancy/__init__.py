"""Reference toolkit for automated ICD coding: relevancy-aware losses, metrics and models on Keras 3.

The public names are imported when they are first used, so that `import icd_relevancy` does not load TensorFlow.
"""

from typing import TYPE_CHECKING

from icd_relevancy._keras import register_with_keras
from icd_relevancy._version import __version__
from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy import (  # noqa: F401
        codes,
        data,
        explain,
        layers,
        losses,
        metrics,
        models,
        reporting,
        text,
        training,
        vectors,
    )
    from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
    from icd_relevancy.data import Notes
    from icd_relevancy.errors import InputError
    from icd_relevancy.layers import TransformerEncoder
    from icd_relevancy.losses import BHML, PLCL, TLCL, WHML
    from icd_relevancy.metrics import (
        RelevancyF1Score,
        RelevancyFalseNegatives,
        RelevancyFalsePositives,
        RelevancyPrecision,
        RelevancyRecall,
        RelevancyReport,
        RelevancyTruePositives,
        relevancy_report,
    )
    from icd_relevancy.relevance.graph import RelevanceGraph, get_relevance, set_relevance
    from icd_relevancy.vectors import CodeVectors

_HOME = {
    "BHML": "losses",
    "CodeSystem": "codes",
    "CodeVectors": "vectors",
    "InputError": "errors",
    "Notes": "data",
    "PLCL": "losses",
    "RelevanceGraph": "relevance",
    "RelevancyF1Score": "metrics",
    "RelevancyFalseNegatives": "metrics",
    "RelevancyFalsePositives": "metrics",
    "RelevancyPrecision": "metrics",
    "RelevancyRecall": "metrics",
    "RelevancyReport": "metrics",
    "RelevancyTruePositives": "metrics",
    "TLCL": "losses",
    "TransformerEncoder": "layers",
    "WHML": "losses",
    "get_relevance": "relevance",
    "icd9cm": "codes",
    "icd10cm": "codes",
    "relevancy_report": "metrics",
    "set_relevance": "relevance",
}
_SUBPACKAGES = (
    "codes", "data", "explain", "layers", "losses", "metrics", "models", "reporting", "text", "training",
    "vectors",
)  # fmt: skip

__all__ = [
    "BHML",
    "PLCL",
    "TLCL",
    "WHML",
    "CodeSystem",
    "CodeVectors",
    "InputError",
    "Notes",
    "RelevanceGraph",
    "RelevancyF1Score",
    "RelevancyFalseNegatives",
    "RelevancyFalsePositives",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyReport",
    "RelevancyTruePositives",
    "TransformerEncoder",
    "__version__",
    "get_relevance",
    "icd9cm",
    "icd10cm",
    "relevancy_report",
    "set_relevance",
]

register_with_keras()

__getattr__, __dir__ = attach(
    __name__, {name: f"icd_relevancy.{module}" for name, module in _HOME.items()}, modules=_SUBPACKAGES
)
