"""Metrics: streaming ones for `compile`, exact ones on arrays.

The Keras metrics are imported when they are first used, so that the NumPy ones do not load TensorFlow.
"""

from typing import TYPE_CHECKING

from icd_relevancy.metrics import calibration, code_information, multilabel, ranking
from icd_relevancy.metrics.relevancy_report import RelevancyReport, relevancy_report
from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.metrics.relevancy import (
        RelevancyF1Score,
        RelevancyFalseNegatives,
        RelevancyFalsePositives,
        RelevancyPrecision,
        RelevancyRecall,
        RelevancyTruePositives,
    )
    from icd_relevancy.metrics.streaming import NDCG, MicroAUPRC, RankErrorsAtRecall, RecallAtK

__all__ = [
    "NDCG",
    "MicroAUPRC",
    "RankErrorsAtRecall",
    "RecallAtK",
    "RelevancyF1Score",
    "RelevancyFalseNegatives",
    "RelevancyFalsePositives",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyReport",
    "RelevancyTruePositives",
    "calibration",
    "code_information",
    "multilabel",
    "ranking",
    "relevancy_report",
]

_STREAMING = ("MicroAUPRC", "NDCG", "RankErrorsAtRecall", "RecallAtK")
_RELEVANCY = (
    "RelevancyF1Score",
    "RelevancyFalseNegatives",
    "RelevancyFalsePositives",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyTruePositives",
)

__getattr__, __dir__ = attach(
    __name__,
    {
        **dict.fromkeys(_STREAMING, "icd_relevancy.metrics.streaming"),
        **dict.fromkeys(_RELEVANCY, "icd_relevancy.metrics.relevancy"),
    },
)
