"""Training and what it stands on; the names are imported when they are first used."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.encoding.embeddings import embed
    from icd_relevancy.fitting.fit import fit
    from icd_relevancy.training.coder import load_coder
    from icd_relevancy.training.evaluation import evaluate_scores
    from icd_relevancy.training.notes.bag_of_words import BagOfWords
    from icd_relevancy.training.notes.coder import NoteCoder
    from icd_relevancy.training.notes.config import TrainingConfig
    from icd_relevancy.training.notes.joint_coder import JointCoder
    from icd_relevancy.training.notes.structured_features import StructuredFeatures
    from icd_relevancy.training.resampling import ml_smote
    from icd_relevancy.training.stays.coder import MedicationCoder
    from icd_relevancy.training.stays.config import MedicationConfig
    from icd_relevancy.training.stays.search import tune_medication
    from icd_relevancy.training.stays.wards import patient_groups, ranking_by_group
    from icd_relevancy.training.thresholds import tune_threshold

_HOME = {
    "BagOfWords": "notes.bag_of_words",
    "JointCoder": "notes.joint_coder",
    "MedicationCoder": "stays.coder",
    "MedicationConfig": "stays.config",
    "NoteCoder": "notes.coder",
    "StructuredFeatures": "notes.structured_features",
    "TrainingConfig": "notes.config",
    "evaluate_scores": "evaluation",
    "load_coder": "coder",
    "ml_smote": "resampling",
    "patient_groups": "stays.wards",
    "ranking_by_group": "stays.wards",
    "tune_medication": "stays.search",
    "tune_threshold": "thresholds",
}

__all__ = [
    "BagOfWords",
    "JointCoder",
    "MedicationCoder",
    "MedicationConfig",
    "NoteCoder",
    "StructuredFeatures",
    "TrainingConfig",
    "embed",
    "evaluate_scores",
    "fit",
    "load_coder",
    "ml_smote",
    "patient_groups",
    "ranking_by_group",
    "tune_medication",
    "tune_threshold",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        **{name: f"icd_relevancy.training.{module}" for name, module in _HOME.items()},
        "embed": "icd_relevancy.encoding.embeddings",
        "fit": "icd_relevancy.fitting.fit",
    },
    modules=["evaluation", "notes", "resampling", "stays", "thresholds"],
)
