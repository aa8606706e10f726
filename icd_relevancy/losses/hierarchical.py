"""Losses that know the hierarchy of the labels."""

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from icd_relevancy.errors import InputError
from icd_relevancy.hierarchy import Hierarchy, check_hierarchy, check_outputs
from icd_relevancy.losses.base import CheckedLoss, check_scores
from icd_relevancy.losses.by_name import LossLabels, NoSettings, loss
from icd_relevancy.losses.imbalance import checked_weights, weighted_crossentropy

# In place of a score that must not be the maximum: far below the logits of a network, and still a float16.
_BELOW_ALL_LOGITS = -6e4


def mc_loss(y_true, y_pred, hierarchy, from_logits=False, label_weights=None):
    """Max constraint loss of each note: a code is as probable as its most probable descendant.

    Formula, D(j) being j and all its descendants:

    `1/m Σ_j −y_j log max_{k ∈ D(j)} y_k p_k − (1 − y_j) log(1 − max_{k ∈ D(j)} p_k)`

    Args:
        y_true: Multi-hot true labels with all their ancestors (`Hierarchy.roll_up_labels`), `(batch, m)`.
        y_pred: Probabilities, or logits with `from_logits`, `(batch, m)`.
        hierarchy: The `Hierarchy` of the m labels.
        from_logits: Whether `y_pred` are logits. Defaults to False.
        label_weights: A weight for each label, `(m,)`. Defaults to None: 1.

    Returns:
        One value a note, `(batch,)`.

    Raises:
        ValueError: Outside compiled code, if a label or probability lies outside [0, 1] or a value is not finite.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> value = mc_loss([[1.0, 0.0, 1.0]], [[0.1, 0.5, 0.25]], Hierarchy([-1, 0, 0]))
    >>> round(float(value[0]), 4)  # (log 4 + log 2 + log 4) / 3
    1.1552

    Reference: CAC §2.5.
    """
    y_true, y_pred = _by_level(y_true, y_pred, hierarchy, from_logits)
    is_true = y_true > 0.5
    lowest = _BELOW_ALL_LOGITS if from_logits else 0.0
    # Side by side, because a walk through the levels costs its number of steps rather than their width.
    both = ops.concatenate([ops.where(is_true, y_pred, lowest), y_pred], axis=1)
    true_below, all_below = ops.split(hierarchy.max_below(both), 2, axis=1)
    constrained = ops.where(is_true, true_below, all_below)
    return _crossentropy(y_true, constrained, hierarchy, from_logits, label_weights)


def tree_min(y_true, y_pred, hierarchy, from_logits=False, label_weights=None):
    """Tree-min loss of each note: a true code is as probable as its least probable ancestor.

    Formula, A(j) being j and all its ancestors, D(j) j and all its descendants:

    `1/m Σ_j −y_j log min_{k ∈ A(j)} p_k − (1 − y_j) log(1 − max_{k ∈ D(j)} p_k)`

    Args:
        y_true, y_pred, hierarchy, from_logits, label_weights: As in `mc_loss`.

    Returns:
        One value a note, `(batch,)`.

    Raises:
        ValueError: As `mc_loss`.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> value = tree_min([[1.0, 0.0, 1.0]], [[0.25, 0.5, 0.75]], Hierarchy([-1, 0, 0]))
    >>> round(float(value[0]), 4)  # (log 4 + log 2 + log 4) / 3
    1.1552

    Reference: CAC §2.5.
    """
    y_true, y_pred = _by_level(y_true, y_pred, hierarchy, from_logits)
    constrained = ops.where(y_true > 0.5, hierarchy.min_above(y_pred), hierarchy.max_below(y_pred))
    return _crossentropy(y_true, constrained, hierarchy, from_logits, label_weights)


class _HierarchicalLoss(CheckedLoss):
    def __init__(self, hierarchy, from_logits, label_weights, reduction, name, dtype):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_hierarchy(hierarchy)
        self.hierarchy = hierarchy
        self.from_logits = from_logits
        self.label_weights = checked_weights("label_weights", label_weights)
        if label_weights is not None and len(self.label_weights) != len(hierarchy):
            raise InputError(
                f"label_weights has {len(self.label_weights)} entries; the hierarchy {len(hierarchy)}"
            )

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        check_outputs(self.hierarchy, y_pred)
        return self._loss(y_true, y_pred, self.hierarchy, self.from_logits, self.label_weights)

    def get_config(self):
        weights = None if self.label_weights is None else self.label_weights.tolist()
        return {
            **super().get_config(),
            "hierarchy": self.hierarchy.get_config(),
            "from_logits": self.from_logits,
            "label_weights": weights,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "hierarchy": Hierarchy.from_config(config["hierarchy"])})


@keras.saving.register_keras_serializable(package="icd_relevancy")
class MCLoss(_HierarchicalLoss):
    """Max constraint loss: cross-entropy of probabilities rolled up along the hierarchy, by true labels.

    Formula, D(j) being j and all its descendants, averaged over the notes:

    `1/m Σ_j −y_j log max_{k ∈ D(j)} y_k p_k − (1 − y_j) log(1 − max_{k ∈ D(j)} p_k)`

    The factor `y_k` keeps a wrong child from taking the credit for its true parent. Equal maxima share the
    gradient.

    Relations: read the trained network through `RollUp`, whose probabilities these are. `TreeMin` pulls on the
    weakest ancestor of a true code instead. In CAC §3.4 neither ranks better than
    `keras.losses.BinaryCrossentropy` on all labels, the control of every comparison. On a hierarchy of roots
    alone both are that.

    Args:
        hierarchy: The `Hierarchy` of the m labels. True labels come with all their ancestors
            (`Hierarchy.roll_up_labels`).
        from_logits: Whether the predictions are logits. Defaults to False.
        label_weights: A weight for each label, `(m,)`, such as `level_weights`. Defaults to None: 1.
        reduction: As in every Keras loss. Defaults to `"sum_over_batch_size"`.
        name: Defaults to `"mc_loss"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Raises:
        InputError: If the weights or the predictions are of another number of labels.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> from icd_relevancy.losses import MCLoss
    >>> loss = MCLoss(Hierarchy([-1, 0, 0]))
    >>> round(float(loss([[1.0, 0.0, 1.0]], [[0.1, 0.5, 0.25]])), 4)  # (log 4 + log 2 + log 4) / 3
    1.1552

    Reference: CAC §2.5.
    """

    _loss = staticmethod(mc_loss)

    def __init__(
        self,
        hierarchy: Hierarchy,
        from_logits: bool = False,
        label_weights: ArrayLike | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mc_loss",
        dtype=None,
    ):
        super().__init__(hierarchy, from_logits, label_weights, reduction, name, dtype)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class TreeMin(_HierarchicalLoss):
    """Tree-min loss: cross-entropy of the least consistent probability along each code's path and below it.

    Formula, A(j) being j and all its ancestors, D(j) j and all its descendants, averaged over the notes:

    `1/m Σ_j −y_j log min_{k ∈ A(j)} p_k − (1 − y_j) log(1 − max_{k ∈ D(j)} p_k)`

    Relations: see `MCLoss`, which differs for true labels only.

    Args:
        hierarchy, from_logits, label_weights, reduction, dtype: As in `MCLoss`.
        name: Defaults to `"tree_min"`.

    Raises:
        InputError: If the weights or the predictions are of another number of labels.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> from icd_relevancy.losses import TreeMin
    >>> loss = TreeMin(Hierarchy([-1, 0, 0]))
    >>> round(float(loss([[1.0, 0.0, 1.0]], [[0.25, 0.5, 0.75]])), 4)  # (log 4 + log 2 + log 4) / 3
    1.1552

    Reference: CAC §2.5.
    """

    _loss = staticmethod(tree_min)

    def __init__(
        self,
        hierarchy: Hierarchy,
        from_logits: bool = False,
        label_weights: ArrayLike | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tree_min",
        dtype=None,
    ):
        super().__init__(hierarchy, from_logits, label_weights, reduction, name, dtype)


def _by_level(y_true, y_pred, hierarchy, from_logits):
    y_pred = ops.convert_to_tensor(y_pred)
    check_scores(y_true, y_pred, from_logits)
    return hierarchy.to_levels(ops.cast(y_true, y_pred.dtype)), hierarchy.to_levels(y_pred)


def _crossentropy(y_true, y_pred, hierarchy, from_logits, label_weights):
    """One value a note from rows in the order of the levels, which the mean over the labels need not undo."""
    if label_weights is not None:
        label_weights = np.asarray(label_weights)[hierarchy.order]
    return weighted_crossentropy(
        ops.transpose(y_true), ops.transpose(y_pred), label_weights, from_logits=from_logits
    )


@loss()
def build_mcloss(settings: NoSettings, labels: LossLabels) -> MCLoss:
    """`mcloss` by name."""
    return MCLoss(labels.hierarchy, label_weights=labels.weights)


@loss()
def build_treemin(settings: NoSettings, labels: LossLabels) -> TreeMin:
    """`treemin` by name."""
    return TreeMin(labels.hierarchy, label_weights=labels.weights)
