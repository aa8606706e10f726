"""Training and what it stands on; the names are imported when they are first used."""

from typing import TYPE_CHECKING

from icd_relevancy._lazy import attach

if TYPE_CHECKING:
    from icd_relevancy.layers.embedding_cache import embed
    from icd_relevancy.training.bag_of_words import BagOfWords
    from icd_relevancy.training.config import TrainingConfig
    from icd_relevancy.training.evaluation import evaluate_scores
    from icd_relevancy.training.fitting import fit
    from icd_relevancy.training.joint_coder import JointCoder, load_coder
    from icd_relevancy.training.medication_coder import MedicationCoder
    from icd_relevancy.training.medication_config import MedicationConfig
    from icd_relevancy.training.medication_search import tune_medication
    from icd_relevancy.training.note_coder import NoteCoder
    from icd_relevancy.training.resampling import ml_smote
    from icd_relevancy.training.structured_features import StructuredFeatures
    from icd_relevancy.training.thresholds import tune_threshold
    from icd_relevancy.training.wards import patient_groups, ranking_by_group

_HOME = {
    "BagOfWords": "bag_of_words",
    "JointCoder": "joint_coder",
    "MedicationCoder": "medication_coder",
    "MedicationConfig": "medication_config",
    "NoteCoder": "note_coder",
    "StructuredFeatures": "structured_features",
    "TrainingConfig": "config",
    "evaluate_scores": "evaluation",
    "fit": "fitting",
    "load_coder": "joint_coder",
    "ml_smote": "resampling",
    "patient_groups": "wards",
    "ranking_by_group": "wards",
    "tune_medication": "medication_search",
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
        "embed": "icd_relevancy.layers.embedding_cache",
    },
    modules=_HOME.values(),
)
