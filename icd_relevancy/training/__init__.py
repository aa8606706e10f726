"""Training and what it stands on; the names are imported when they are first used."""

from importlib import import_module

_HOME = {
    "BagOfWords": "training.bag_of_words",
    "JointCoder": "training.joint_coder",
    "MedicationCoder": "training.medication_coder",
    "MedicationConfig": "training.medication_config",
    "NoteCoder": "training.note_coder",
    "StructuredFeatures": "training.structured_features",
    "TrainingConfig": "training.config",
    "embed": "layers.embedding_cache",
    "evaluate_scores": "training.evaluation",
    "fit": "training.fit",
    "load_coder": "training.joint_coder",
    "ml_smote": "training.resampling",
    "patient_groups": "training.wards",
    "ranking_by_group": "training.wards",
    "tune_medication": "training.medication_search",
    "tune_threshold": "training.thresholds",
}

__all__ = list(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"icd_relevancy.{_HOME[name]}"), name)
    if f"training.{name}" in _HOME.values():
        return import_module(f"icd_relevancy.training.{name}")
    raise AttributeError(f"module 'icd_relevancy.training' has no attribute {name!r}")
