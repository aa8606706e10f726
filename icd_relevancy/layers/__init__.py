"""Keras layers, and the hierarchy of labels that some of them follow."""

from icd_relevancy.layers.code_hierarchy import Hierarchy
from icd_relevancy.layers.encoder import TransformerEncoder
from icd_relevancy.layers.hierarchy_constraints import MeanOfChildren, RollDown, RollUp

__all__ = ["Hierarchy", "MeanOfChildren", "RollDown", "RollUp", "TransformerEncoder"]
