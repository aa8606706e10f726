"""Metrics: streaming ones for `compile`, exact ones on arrays.

The Keras metrics are imported when they are first used, so that the NumPy ones do not load TensorFlow.
"""

import importlib

from icd_relevancy.metrics import calibration, code_information, multilabel, ranking
from icd_relevancy.metrics.relevancy_report import RelevancyReport, relevancy_report

__all__ = [
    "NDCG",
    "MicroAUPRC",
    "RankErrorsAtRecall",
    "RecallAtK",
    "RelevancyF1Score",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyReport",
    "calibration",
    "code_information",
    "multilabel",
    "ranking",
    "relevancy_report",
]

_KERAS_METRICS = {
    "MicroAUPRC": "streaming",
    "NDCG": "streaming",
    "RankErrorsAtRecall": "streaming",
    "RecallAtK": "streaming",
    "RelevancyF1Score": "relevancy",
    "RelevancyPrecision": "relevancy",
    "RelevancyRecall": "relevancy",
}


def __getattr__(name: str):
    if name in _KERAS_METRICS:
        return getattr(importlib.import_module(f"icd_relevancy.metrics.{_KERAS_METRICS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
