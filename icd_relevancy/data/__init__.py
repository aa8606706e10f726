"""Notes: readers of public sources and of the notes schema, synthetic notes, label matrices and splits."""

from icd_relevancy.data.cmc2007 import read_cmc2007
from icd_relevancy.data.codiesp import read_codiesp
from icd_relevancy.data.labels import encode_labels
from icd_relevancy.data.mimic4_notes import read_mimic4_notes
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.notes_table import read_notes
from icd_relevancy.data.sources import load_notes
from icd_relevancy.data.splits import stratified_group_folds, train_validation_split
from icd_relevancy.data.synthetic import iter_synthetic_notes, synthetic_notes

__all__ = [
    "Notes",
    "encode_labels",
    "iter_synthetic_notes",
    "load_notes",
    "read_cmc2007",
    "read_codiesp",
    "read_mimic4_notes",
    "read_notes",
    "stratified_group_folds",
    "synthetic_notes",
    "train_validation_split",
]
