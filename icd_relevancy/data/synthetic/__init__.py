"""Synthetic notes and stays."""

from icd_relevancy.data.synthetic.notes import iter_synthetic_notes, synthetic_notes
from icd_relevancy.data.synthetic.stays import synthetic_stays

__all__ = ["iter_synthetic_notes", "synthetic_notes", "synthetic_stays"]
