"""What all losses share: checked scores, an empty batch that costs nothing, and settings that can be read."""

import keras
import numpy as np
from keras import ops

from icd_relevancy._arguments import WithSettings

# A float32 that should be 1 can come out of a product or a mean a few units in the last place above it.
_ROUNDING = 1e-6


class CheckedLoss(WithSettings, keras.losses.Loss):
    """A Keras loss that is 0 for a batch of no notes."""

    def __call__(self, y_true, y_pred, sample_weight=None):
        loss = super().__call__(y_true, y_pred, sample_weight)
        # Keras hands the values of no notes back without adding them up.
        return ops.sum(loss) if tuple(loss.shape) == (0,) and self.reduction not in (None, "none") else loss


class GivenValues(keras.losses.Loss):
    """Keras' own reduction of values that are computed already, with its scaling for several replicas."""

    def call(self, y_true, y_pred):
        return y_pred


def check_scores(y_true, y_pred, from_logits: bool) -> None:
    """Refuses, by a `ValueError`, labels or probabilities outside [0, 1], and what is not finite, outside a trace."""
    _check("y_true", y_true, "the labels as 0 and 1", is_share=True)
    if from_logits:
        _check("y_pred", y_pred, "finite logits", is_share=False)
    else:
        _check("y_pred", y_pred, "probabilities in [0, 1], or logits with from_logits=True", is_share=True)


def _check(name: str, given, wanted: str, is_share: bool) -> None:
    try:
        values = ops.convert_to_numpy(given)
    except Exception:  # each backend has its own for a value that is not known yet
        return
    if not np.isfinite(values).all():
        raise ValueError(f"`{name}` must hold {wanted}. Received: NaN or infinity in {name}")
    if is_share and values.size and not -_ROUNDING <= values.min() <= values.max() <= 1 + _ROUNDING:
        raise ValueError(
            f"`{name}` must hold {wanted}. Received: {values.min():g} to {values.max():g} in {name}"
        )
