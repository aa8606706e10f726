"""Models."""

from icd_relevancy.models.note_classifier import note_classifier

__all__ = ["note_classifier"]
