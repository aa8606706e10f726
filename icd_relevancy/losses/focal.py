"""Focal losses: what is predicted well already counts little."""

import keras
from keras import ops
from numpy.typing import ArrayLike

from icd_relevancy._arguments import is_number, received
from icd_relevancy.errors import InputError
from icd_relevancy.losses.base import CheckedLoss, check_scores
from icd_relevancy.losses.by_name import FocusSettings, LossLabels, NoSettings, loss
from icd_relevancy.losses.imbalance import WeightedCrossentropy, imbalance_ratios, label_frequencies

# A code of a single note would else weigh as much as all other notes together.
_LARGEST_CLASS_WEIGHT = 10.0


@keras.saving.register_keras_serializable(package="icd_relevancy")
class FocalLoss(CheckedLoss, keras.losses.BinaryFocalCrossentropy):
    """Focal loss over all labels: what is predicted well already counts little.

    Formula: `1/m Σ_j −(1 − t_j)^γ log t_j`, t being p for a true label and 1 − p for another; with α, a true
    label weighs α and another 1 − α.

    Relations: γ = 0 is `keras.losses.BinaryCrossentropy`. It is `keras.losses.BinaryFocalCrossentropy`, with
    the balance of the classes left out as in CAC unless α is given. `FocalWeightedCrossentropy` adds it to a
    weighted cross-entropy.

    Args:
        gamma: γ, 0 or at least 1: between them the gradient of a certain prediction is infinite. Defaults to
            2; CAC searches 1 to 4.
        alpha: α in [0, 1], or None for equal weights. Defaults to None.
        from_logits: Whether the predictions are logits. Defaults to False.
        reduction: As in every Keras loss. Defaults to `"sum_over_batch_size"`.
        name: Defaults to `"focal_loss"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Raises:
        InputError: If γ or α is out of range.

    Example:

    >>> from icd_relevancy.losses import FocalLoss
    >>> round(float(FocalLoss(gamma=2)([[1.0]], [[0.5]])), 4)  # log 2 / 4
    0.1733

    Reference: CAC §2.6.
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | None = None,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_loss",
        dtype=None,
    ):
        _check_focus(gamma, alpha)
        super().__init__(
            apply_class_balancing=alpha is not None,
            alpha=0.25 if alpha is None else alpha,
            gamma=gamma,
            from_logits=from_logits,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )
        self.alpha = alpha

    def call(self, y_true, y_pred):
        check_scores(y_true, y_pred, self.from_logits)
        return super().call(y_true, y_pred)

    def get_config(self):
        return {
            **keras.losses.Loss.get_config(self),
            "gamma": self.gamma,
            "alpha": self.alpha,
            "from_logits": self.from_logits,
        }


@keras.saving.register_keras_serializable(package="icd_relevancy")
class FocalWeightedCrossentropy(WeightedCrossentropy):
    """Weighted cross-entropy for the rare labels plus focal loss for the hard examples.

    Formula: `1/m Σ_j (−c_j (w_j y_j log p_j + (1 − y_j) log(1 − p_j)) − φ β_j (1 − t_j)^γ log t_j)`, t being p
    and β being α for a true label, 1 − p and 1 − α for another.

    Relations: φ = 0 is `WeightedCrossentropy`, and with `positive_weights` of `imbalance_ratios` that is `IRW`;
    the second part alone is `FocalLoss`. The weights lift what is rare, the focus what is still wrong, rare or
    not. HMHAN gives neither the weights nor the balance of the parts; a rare label's plain ratio is in the
    hundreds and lets its false positives pass, so cap it.

    Args:
        positive_weights: w, `(m,)`, such as `imbalance_ratios(label_frequencies(labels), cap)` of the training
            part. Defaults to None: 1.
        label_weights: c, `(m,)`. Defaults to None: 1.
        gamma: γ, 0 or at least 1. Defaults to 2.
        alpha: α in [0, 1], or None for equal weights. Defaults to 0.25.
        focal_weight: φ, from 0. Defaults to 1.
        from_logits, reduction, dtype: As in `FocalLoss`.
        name: Defaults to `"focal_weighted_crossentropy"`.

    Raises:
        InputError: If γ, α or φ is out of range, a weight is negative or not finite, or there is not one for
            each label.

    Example:

    >>> from icd_relevancy.losses import FocalWeightedCrossentropy, imbalance_ratios
    >>> loss = FocalWeightedCrossentropy(imbalance_ratios([0.25]))
    >>> round(float(loss([[1.0]], [[0.5]])), 4)  # (3 + 0.25 / 4) log 2
    2.1228

    Reference: HMHAN §III.D, §IV.A.
    """

    def __init__(
        self,
        positive_weights: ArrayLike | None = None,
        label_weights: ArrayLike | None = None,
        gamma: float = 2.0,
        alpha: float | None = 0.25,
        focal_weight: float = 1.0,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_weighted_crossentropy",
        dtype=None,
    ):
        super().__init__(label_weights, positive_weights, from_logits, reduction, name, dtype)
        _check_focus(gamma, alpha)
        if not is_number(focal_weight, 0) or focal_weight == float("inf"):
            raise InputError(
                f"focal_weight must be a number from 0. {received('focal_weight', focal_weight)}"
            )
        self.gamma, self.alpha, self.focal_weight = gamma, alpha, focal_weight

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        focal = keras.losses.binary_focal_crossentropy(
            y_true,
            y_pred,
            apply_class_balancing=self.alpha is not None,
            alpha=0.25 if self.alpha is None else self.alpha,
            gamma=self.gamma,
            from_logits=self.from_logits,
        )
        return super().call(y_true, y_pred) + self.focal_weight * focal

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "alpha": self.alpha,
            "focal_weight": self.focal_weight,
        }


def _check_focus(gamma, alpha) -> None:
    if not is_number(gamma, 0, 0) and not is_number(gamma, 1):
        raise InputError(f"gamma must be 0 or at least 1. {received('gamma', gamma)}")
    if alpha is not None and not is_number(alpha, 0, 1):
        raise InputError(f"alpha must lie in [0, 1]. {received('alpha', alpha)}")


@loss(FocusSettings)
def build_focal(settings: FocusSettings, labels: LossLabels) -> FocalLoss:
    """`focal` of stays by name."""
    return FocalLoss(settings.gamma)


@loss()
def build_focal_weighted(settings: NoSettings, labels: LossLabels) -> FocalWeightedCrossentropy:
    """`focal` of notes by name."""
    return FocalWeightedCrossentropy(imbalance_ratios(label_frequencies(labels.y), _LARGEST_CLASS_WEIGHT))
