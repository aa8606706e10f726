"""Every loss of the package, ready to be called on three labels."""

from icd_relevancy import BHML, PLCL, TLCL, WHML, RelevanceGraph
from icd_relevancy.layers import Hierarchy
from icd_relevancy.losses import (
    IRNW,
    IRW,
    FocalLoss,
    FocalWeightedCrossentropy,
    JointSystemLoss,
    MCLoss,
    TreeMin,
    WeightedCrossentropy,
)

LABELS = 3
GRAPH = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A01", "A02", "B01"], 0.76)
HIERARCHY = Hierarchy([-1, 0, 0])
FREQUENCIES = [0.5, 0.25, 0.1]

LOSSES = {
    "tlcl": lambda **options: TLCL(GRAPH, **options),
    "plcl": lambda **options: PLCL(GRAPH, **options),
    "bhml": lambda **options: BHML(GRAPH, **options),
    "whml": lambda **options: WHML(0.25, GRAPH, **options),
    "whml of losses": lambda **options: WHML(0.75, GRAPH, "binary", "losses", **options),
    "weighted": lambda **options: WeightedCrossentropy([1, 2, 3], **options),
    "irw": lambda **options: IRW(FREQUENCIES, **options),
    "irnw": lambda **options: IRNW(FREQUENCIES, **options),
    "focal": lambda **options: FocalLoss(**options),
    "focal weighted": lambda **options: FocalWeightedCrossentropy([1, 2, 3], **options),
    "mc_loss": lambda **options: MCLoss(HIERARCHY, **options),
    "tree_min": lambda **options: TreeMin(HIERARCHY, **options),
    "joint whml": lambda **options: JointSystemLoss(WHML(0.25, GRAPH), **options),
    "joint weighted": lambda **options: JointSystemLoss(WeightedCrossentropy(), **options),
}
