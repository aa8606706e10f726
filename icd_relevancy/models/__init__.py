"""Models, and the controls they are compared with."""

from icd_relevancy.models.medication import medication_network, predict_blocks, predict_streamed
from icd_relevancy.models.medication_baselines import FrequencyDummy, mean_of_children
from icd_relevancy.models.note_classifier import note_classifier

__all__ = [
    "FrequencyDummy",
    "mean_of_children",
    "medication_network",
    "note_classifier",
    "predict_blocks",
    "predict_streamed",
]
