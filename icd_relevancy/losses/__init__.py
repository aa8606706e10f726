"""Losses for `keras.Model.compile`, and the regulariser of the hierarchy."""

from icd_relevancy.losses.focal import FocalLoss, FocalWeightedCrossentropy
from icd_relevancy.losses.hierarchical import HierL2, MCLoss, TreeMin, mc_loss, tree_min
from icd_relevancy.losses.imbalance import (
    IRNW,
    IRW,
    WeightedCrossentropy,
    imbalance_ratios,
    label_frequencies,
    level_weights,
    weighted_crossentropy,
)
from icd_relevancy.losses.joint import JointSystemLoss
from icd_relevancy.losses.relevancy import BHML, PLCL, TLCL, WHML, plcl, tlcl

__all__ = [
    "BHML",
    "IRNW",
    "IRW",
    "PLCL",
    "TLCL",
    "WHML",
    "FocalLoss",
    "FocalWeightedCrossentropy",
    "HierL2",
    "JointSystemLoss",
    "MCLoss",
    "TreeMin",
    "WeightedCrossentropy",
    "imbalance_ratios",
    "label_frequencies",
    "level_weights",
    "mc_loss",
    "plcl",
    "tlcl",
    "tree_min",
    "weighted_crossentropy",
]
