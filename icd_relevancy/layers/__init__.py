"""Keras layers, and the hierarchy of labels that some of them follow."""

from typing import TYPE_CHECKING

from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.layers.code_graph_attention import CodeGraphAttention
from icd_relevancy.layers.constraints import MeanOfChildren, RollDown, RollUp
from icd_relevancy.layers.hierarchical_attention import HierarchicalAttention, category_membership
from icd_relevancy.layers.joint_label_attention import JointLabelAttention
from icd_relevancy.layers.label_attention import LabelAttention
from icd_relevancy.layers.lexical import LabelOdds, LexicalLogits
from icd_relevancy.layers.masked import MaskedConv1D, TokenMean
from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.encoding.encoder import TransformerEncoder

__all__ = [
    "CodeGraphAttention",
    "HierarchicalAttention",
    "Hierarchy",
    "JointLabelAttention",
    "LabelAttention",
    "LabelOdds",
    "LexicalLogits",
    "MaskedConv1D",
    "MeanOfChildren",
    "RollDown",
    "RollUp",
    "TokenMean",
    "TransformerEncoder",
    "category_membership",
]

# An encoder is no layer of these, and stands beside them.
__getattr__, __dir__ = attach(__name__, {"TransformerEncoder": "icd_relevancy.encoding.encoder"})
