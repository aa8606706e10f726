"""Losses for `keras.Model.compile`, and the regulariser of the hierarchy."""

from typing import TYPE_CHECKING

from icd_relevancy.registry import attach

if TYPE_CHECKING:
    from icd_relevancy.layers.constraints import HierL2
    from icd_relevancy.losses.focal import FocalLoss, FocalWeightedCrossentropy
    from icd_relevancy.losses.hierarchical import MCLoss, TreeMin, mc_loss, tree_min
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

_HOME = {
    "focal": "FocalLoss FocalWeightedCrossentropy",
    "hierarchical": "MCLoss TreeMin mc_loss tree_min",
    "imbalance": "IRNW IRW WeightedCrossentropy imbalance_ratios label_frequencies level_weights weighted_crossentropy",
    "joint": "JointSystemLoss",
    "relevancy": "BHML PLCL TLCL WHML plcl tlcl",
}

# Importing all of them would load Keras for whoever only reads which there are.
__getattr__, __dir__ = attach(
    __name__,
    {
        "HierL2": "icd_relevancy.layers.constraints",
        **{
            name: f"icd_relevancy.losses.{module}"
            for module, names in _HOME.items()
            for name in names.split()
        },
    },
)
