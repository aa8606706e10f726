"""Losses against imbalance: weights for rare labels, and for small levels of the hierarchy."""

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy import sparse

from icd_relevancy._arguments import is_number, received
from icd_relevancy.errors import InputError
from icd_relevancy.losses.base import CheckedLoss, check_scores
from icd_relevancy.losses.by_name import CapSettings, LossLabels, NoSettings, loss


def label_frequencies(labels) -> np.ndarray:
    """The share of the rows that carry each label.

    Args:
        labels: 0/1 matrix `(n, m)` of the training part, dense or scipy sparse.

    Returns:
        float64 `(m,)` in [0, 1].

    Raises:
        InputError: If the matrix has no rows.

    Example:

    >>> label_frequencies([[1, 0], [1, 1], [0, 0], [1, 0]]).tolist()
    [0.75, 0.25]

    Reference: CAC §2.6.
    """
    labels = sparse.csr_matrix(labels)
    if not labels.shape[0]:
        raise InputError("the label matrix has no rows; frequencies come from the training part")
    return np.asarray((labels != 0).sum(axis=0)).reshape(-1) / labels.shape[0]


def imbalance_ratios(frequencies, cap: float | None = None) -> np.ndarray:
    """The negatives of each label for one positive, `min(N / n₊ − 1, cap)`.

    A label that every row carries has nothing to balance: its ratio is taken as 1 rather than 0, which would
    leave it untrained.

    Args:
        frequencies: `n₊ / N` of each label, `(m,)`, in [0, 1].
        cap: The largest ratio. Defaults to None: no bound.

    Returns:
        float64 `(m,)`.

    Raises:
        InputError: If a frequency lies outside [0, 1], is 0 without a cap, or the cap is not above 0.

    Example:

    >>> imbalance_ratios([0.5, 0.25, 0.01], cap=20).tolist()
    [1.0, 3.0, 20.0]

    Reference: CAC §2.6.
    """
    try:
        frequencies = np.asarray(frequencies, np.float64)
    except (ValueError, TypeError):
        raise InputError(
            f"frequencies must be m shares in [0, 1]. Received: {type(frequencies).__name__}"
        ) from None
    outside = np.flatnonzero(~((frequencies >= 0) & (frequencies <= 1)))
    if frequencies.ndim != 1 or len(outside):
        wrong = f"label {outside[0]}" if len(outside) else f"shape {frequencies.shape}"
        raise InputError(f"frequencies must be m shares in [0, 1]. Received: {wrong}")
    if cap is not None and not (is_number(cap) and cap > 0):
        raise InputError(f"cap must be above 0. {received('cap', cap)}")
    never = np.flatnonzero(frequencies == 0)
    if len(never) and cap is None:
        raise InputError(f"label {never[0]} has no positive example; pass a cap or leave the label out")
    with np.errstate(divide="ignore"):
        ratios = np.minimum(1 / frequencies - 1, np.inf if cap is None else cap)
    return np.where(frequencies == 1, 1.0, ratios)


def level_weights(levels) -> np.ndarray:
    """Label weights that give every level of the hierarchy the same part of the loss; their mean is 1.

    Formula: `w_j = m / (L · m_l(j))` for L levels, of which that of label j has `m_l(j)` labels.

    Relations: with `WeightedCrossentropy(label_weights=level_weights(levels))` the network learns the
    re-weighted multitask; with `keras.losses.BinaryCrossentropy` on all labels the naive one, which CAC finds
    better; and on the labels of one level, `np.flatnonzero(levels == level)`, that level alone.

    Args:
        levels: The level of each label, such as `Hierarchy.levels`; `(m,)`, any values that can be compared.

    Returns:
        float64 `(m,)`.

    Raises:
        InputError: If there are no labels.

    Example:

    >>> level_weights([0, 1, 1, 1]).round(4).tolist()
    [2.0, 0.6667, 0.6667, 0.6667]

    Reference: CAC §2.4.
    """
    levels = np.asarray(levels)
    if levels.ndim != 1 or not len(levels):
        raise InputError(f"levels must be a list of one level a label. Received: shape {levels.shape}")
    _, level, sizes = np.unique(levels, return_inverse=True, return_counts=True)
    return len(levels) / (len(sizes) * sizes[level])


def weighted_crossentropy(
    y_true, y_pred, label_weights=None, positive_weights=None, from_logits: bool = False
):
    """Binary cross-entropy of each note, with a weight for each label and one for its positives.

    Formula: `1/m Σ_j c_j (−w_j y_j log p_j − (1 − y_j) log(1 − p_j))`.

    Args:
        y_true: Multi-hot true labels, `(batch, m)`.
        y_pred: Probabilities, or logits with `from_logits`, `(batch, m)`.
        label_weights: c, `(m,)`. Defaults to None: 1.
        positive_weights: w, `(m,)`. Defaults to None: 1.
        from_logits: Whether `y_pred` are logits. Defaults to False.

    Returns:
        One value a note, `(batch,)`.

    Raises:
        ValueError: Outside compiled code, if a label or probability lies outside [0, 1] or a value is not finite.

    Example:

    >>> value = weighted_crossentropy([[1.0, 0.0]], [[0.5, 0.5]], positive_weights=[3.0, 1.0])
    >>> round(float(value[0]), 4)  # 4 log 2 / 2
    1.3863

    Reference: CAC §2.6.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    check_scores(y_true, y_pred, from_logits)
    y_true = ops.cast(y_true, y_pred.dtype)
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    if positive_weights is not None:
        extra = ops.convert_to_tensor(np.asarray(positive_weights) - 1, dtype=y_pred.dtype)
        losses = losses * (1 + extra * y_true)
    if label_weights is not None:
        losses = losses * ops.convert_to_tensor(np.asarray(label_weights), dtype=y_pred.dtype)
    return ops.mean(losses, axis=-1)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class WeightedCrossentropy(CheckedLoss):
    """Binary cross-entropy with a weight for each label and one for its positives.

    Formula: `1/m Σ_j c_j (−w_j y_j log p_j − (1 − y_j) log(1 − p_j))`, averaged over the notes.

    Relations: with `label_weights=level_weights(levels)` it is CAC's re-weighted multitask. `IRW` and `IRNW`
    compute the weights from the labels' frequencies. Without weights it is
    `keras.losses.BinaryCrossentropy`.

    Args:
        label_weights, positive_weights: As in `weighted_crossentropy`.
        from_logits: Whether the predictions are logits. Defaults to False.
        reduction: As in every Keras loss. Defaults to `"sum_over_batch_size"`.
        name: Defaults to `"weighted_crossentropy"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Raises:
        InputError: If a weight is negative or not finite, or there is not one for each label.

    Example:

    >>> from icd_relevancy.losses import WeightedCrossentropy, level_weights
    >>> loss = WeightedCrossentropy(label_weights=level_weights([0, 1, 1]))
    >>> round(float(loss([[1.0, 0.0, 0.0]], [[0.5, 1.0, 0.0]])), 2)  # (1.5 · 0.69 + 0.75 · 15.94) / 3
    4.33

    Reference: CAC §2.4.
    """

    def __init__(
        self,
        label_weights: ArrayLike | None = None,
        positive_weights: ArrayLike | None = None,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "weighted_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.label_weights = checked_weights("label_weights", label_weights)
        self.positive_weights = checked_weights("positive_weights", positive_weights)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        _check_label_count(y_pred, "label weights", self.label_weights)
        _check_label_count(y_pred, "positive weights", self.positive_weights)
        return weighted_crossentropy(
            y_true, y_pred, self.label_weights, self.positive_weights, self.from_logits
        )

    def get_config(self):
        return {
            **super().get_config(),
            "label_weights": _as_list(self.label_weights),
            "positive_weights": _as_list(self.positive_weights),
            "from_logits": self.from_logits,
        }


class _FrequencyLoss(WeightedCrossentropy):
    """A weighted cross-entropy that is saved by the frequencies and the cap behind its weights."""

    def __init__(self, frequencies, cap, label_weights, from_logits, reduction, name, dtype):
        ratios = imbalance_ratios(frequencies, cap)
        super().__init__(label_weights, ratios, from_logits, reduction, name, dtype)
        self.frequencies = np.asarray(frequencies, np.float64)
        self.cap = cap

    def get_config(self):
        config = super().get_config()
        del config["positive_weights"], config["label_weights"]
        return {**config, "frequencies": _as_list(self.frequencies), "cap": self.cap}


@keras.saving.register_keras_serializable(package="icd_relevancy")
class IRW(_FrequencyLoss):
    """Imbalance Ratio Weighting: cross-entropy whose positives weigh as much as their label's negatives.

    Formula: `1/m Σ_j (−w_j y_j log p_j − (1 − y_j) log(1 − p_j))`, `w_j = min(1 / f_j − 1, cap)`.

    Relations: labels keep different sums of weights, and one label in ten thousand weighs enormously; `IRNW`
    normalises that. Neither improved the ranking in CAC §3.5, where plain cross-entropy does as well.

    Args:
        frequencies: f, the share of the training notes with each label, `(m,)`; see `label_frequencies`.
        cap: The largest weight. Defaults to None: no bound, which needs a positive example of every label.
        from_logits, reduction, dtype: As in `WeightedCrossentropy`.
        name: Defaults to `"irw"`.

    Raises:
        InputError: If a frequency lies outside [0, 1], is 0 without a cap, or the cap is not above 0.

    Example:

    >>> from icd_relevancy.losses import IRW
    >>> round(float(IRW(frequencies=[0.25])([[1.0]], [[0.5]])), 4)  # 3 log 2
    2.0794

    Reference: CAC §2.6.
    """

    def __init__(
        self,
        frequencies: ArrayLike,
        cap: float | None = None,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "irw",
        dtype=None,
    ):
        super().__init__(frequencies, cap, None, from_logits, reduction, name, dtype)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class IRNW(_FrequencyLoss):
    """Imbalance Ratio Normalised Weighting: `IRW`, with the mean weight of every label's examples at 1.

    Formula: `1/m Σ_j c_j (−w_j y_j log p_j − (1 − y_j) log(1 − p_j))`, `w_j = min(1 / f_j − 1, cap)`,
    `c_j = 1 / (1 + f_j (w_j − 1))`.

    Relations: see `IRW`.

    Args:
        frequencies, cap, from_logits, reduction, dtype: As in `IRW`.
        name: Defaults to `"irnw"`.

    Raises:
        InputError: As in `IRW`.

    Example:

    >>> from icd_relevancy.losses import IRNW
    >>> round(float(IRNW(frequencies=[0.25])([[1.0]], [[0.5]])), 4)  # 3 log 2 / 1.5
    1.3863

    Reference: CAC §2.6.
    """

    def __init__(
        self,
        frequencies: ArrayLike,
        cap: float | None = None,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "irnw",
        dtype=None,
    ):
        ratios = imbalance_ratios(frequencies, cap)
        mean = 1 + np.asarray(frequencies, np.float64) * (ratios - 1)
        super().__init__(frequencies, cap, 1 / mean, from_logits, reduction, name, dtype)


def checked_weights(name: str, weights) -> np.ndarray | None:
    """Weights as float64 `(m,)`, or None; refuses what is negative or not finite."""
    if weights is None:
        return None
    try:
        weights = np.asarray(weights, np.float64)
    except (ValueError, TypeError):
        raise InputError(
            f"{name} must be m finite numbers from 0. Received: {type(weights).__name__}"
        ) from None
    wrong = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if weights.ndim != 1 or len(wrong):
        shown = f"{weights[wrong[0]]} for label {wrong[0]}" if weights.ndim == 1 else f"shape {weights.shape}"
        raise InputError(f"{name} must be m finite numbers from 0. Received: {shown}")
    return weights


def _check_label_count(y_pred, what: str, weights) -> None:
    """Refuses predictions of another number of labels than the weights of a loss are."""
    if weights is not None and y_pred.shape[-1] != len(weights):
        raise InputError(f"the {what} are for {len(weights)} labels. Received: {y_pred.shape[-1]} outputs")


def _as_list(values):
    return None if values is None else values.tolist()


@loss()
def build_bce(settings: NoSettings, labels: LossLabels) -> keras.losses.Loss:
    """`bce` by name, weighed where the labels are."""
    weights = labels.weights
    return keras.losses.BinaryCrossentropy() if weights is None else WeightedCrossentropy(weights)


@loss(CapSettings)
def build_irw(settings: CapSettings, labels: LossLabels) -> IRW:
    """`irw` by name."""
    return IRW(_known_frequencies(labels), cap=settings.cap)


@loss(CapSettings)
def build_irnw(settings: CapSettings, labels: LossLabels) -> IRNW:
    """`irnw` by name."""
    return IRNW(_known_frequencies(labels), cap=settings.cap)


def _known_frequencies(labels: LossLabels) -> np.ndarray:
    # A code of the validation part alone has no ratio: it counts as if one stay had it.
    return np.maximum(label_frequencies(labels.y), 1 / labels.y.shape[0])
