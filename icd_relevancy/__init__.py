"""Reference toolkit for automated ICD coding: relevancy-aware losses, metrics and models on Keras 3.

The public names are imported when they are first used, so that `import icd_relevancy` does not load TensorFlow.
"""

from importlib import import_module

from icd_relevancy._registration import register_with_keras
from icd_relevancy._version import __version__

_HOME = {
    "BHML": "losses",
    "CodeSystem": "codes",
    "CodeVectors": "vectors",
    "InputError": "errors",
    "Notes": "data",
    "PLCL": "losses",
    "RelevanceGraph": "relevance",
    "RelevancyF1Score": "metrics",
    "RelevancyPrecision": "metrics",
    "RelevancyRecall": "metrics",
    "RelevancyReport": "metrics",
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

__all__ = ["__version__", *_HOME]


register_with_keras()


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"icd_relevancy.{_HOME[name]}"), name)
    if name in _SUBPACKAGES:
        return import_module(f"icd_relevancy.{name}")
    raise AttributeError(f"module 'icd_relevancy' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBPACKAGES])
