"""Metrics: streaming ones for `compile`, exact ones on arrays.

The Keras metrics are imported when they are first used, so that the NumPy ones do not load TensorFlow.
"""

from icd_relevancy.metrics import multilabel, ranking
from icd_relevancy.metrics.relevancy_report import RelevancyReport, relevancy_report

__all__ = [
    "RelevancyF1Score",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyReport",
    "multilabel",
    "ranking",
    "relevancy_report",
]


def __getattr__(name: str):
    if name in ("RelevancyF1Score", "RelevancyPrecision", "RelevancyRecall"):
        from icd_relevancy.metrics import relevancy

        return getattr(relevancy, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
