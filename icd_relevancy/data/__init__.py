"""Notes and stays: readers of public sources and of the schemas, synthetic data, matrices and splits."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.data.code_systems import join_notes, split_by_code_system
    from icd_relevancy.data.ingredients import DrugMapping, DrugReport
    from icd_relevancy.data.labels import encode_labels
    from icd_relevancy.data.notes import Notes, read_notes
    from icd_relevancy.data.roll_up import RolledUp, roll_up
    from icd_relevancy.data.sources.by_name import load_notes, load_stays
    from icd_relevancy.data.sources.cmc2007 import read_cmc2007
    from icd_relevancy.data.sources.codiesp import read_codiesp
    from icd_relevancy.data.sources.eicu import read_eicu
    from icd_relevancy.data.sources.mimic import read_mimic3, read_mimic4_hosp, read_mimic4_notes
    from icd_relevancy.data.sources.omop import read_omop
    from icd_relevancy.data.splits import (
        StaySplit,
        monte_carlo_splits,
        stratified_group_folds,
        train_validation_split,
    )
    from icd_relevancy.data.stays import StayFeatures, Stays, encode_drugs, read_stays
    from icd_relevancy.data.synthetic.notes import iter_synthetic_notes, synthetic_notes
    from icd_relevancy.data.synthetic.stays import synthetic_stays

_HOME = {
    "DrugMapping": "ingredients",
    "DrugReport": "ingredients",
    "Notes": "notes",
    "RolledUp": "roll_up",
    "StayFeatures": "stays",
    "StaySplit": "splits",
    "Stays": "stays",
    "encode_drugs": "stays",
    "encode_labels": "labels",
    "iter_synthetic_notes": "synthetic.notes",
    "join_notes": "code_systems",
    "load_notes": "sources.by_name",
    "load_stays": "sources.by_name",
    "monte_carlo_splits": "splits",
    "read_cmc2007": "sources.cmc2007",
    "read_codiesp": "sources.codiesp",
    "read_eicu": "sources.eicu",
    "read_mimic3": "sources.mimic",
    "read_mimic4_hosp": "sources.mimic",
    "read_mimic4_notes": "sources.mimic",
    "read_notes": "notes",
    "read_omop": "sources.omop",
    "read_stays": "stays",
    "roll_up": "roll_up",
    "split_by_code_system": "code_systems",
    "stratified_group_folds": "splits",
    "synthetic_notes": "synthetic.notes",
    "synthetic_stays": "synthetic.stays",
    "train_validation_split": "splits",
}

__all__ = [
    "DrugMapping",
    "DrugReport",
    "Notes",
    "RolledUp",
    "StayFeatures",
    "StaySplit",
    "Stays",
    "encode_drugs",
    "encode_labels",
    "iter_synthetic_notes",
    "join_notes",
    "load_notes",
    "load_stays",
    "monte_carlo_splits",
    "read_cmc2007",
    "read_codiesp",
    "read_eicu",
    "read_mimic3",
    "read_mimic4_hosp",
    "read_mimic4_notes",
    "read_notes",
    "read_omop",
    "read_stays",
    "roll_up",
    "split_by_code_system",
    "stratified_group_folds",
    "synthetic_notes",
    "synthetic_stays",
    "train_validation_split",
]

__getattr__, __dir__ = attach(
    __name__, {name: f"icd_relevancy.data.{module}" for name, module in _HOME.items()}
)
