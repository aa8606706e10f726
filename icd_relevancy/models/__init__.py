"""Models, and the controls they are compared with."""

from icd_relevancy.models.hmhan import (
    attention_classifier,
    attention_model,
    head_of,
    hmhan_classifier,
    no_attention_classifier,
)
from icd_relevancy.models.medication import (
    mean_network,
    medication_network,
    predict_blocks,
    predict_streamed,
)
from icd_relevancy.models.medication_baselines import FrequencyDummy, mean_of_children
from icd_relevancy.models.note_classifier import note_classifier

__all__ = [
    "FrequencyDummy",
    "attention_classifier",
    "attention_model",
    "head_of",
    "hmhan_classifier",
    "mean_network",
    "mean_of_children",
    "medication_network",
    "no_attention_classifier",
    "note_classifier",
    "predict_blocks",
    "predict_streamed",
]
