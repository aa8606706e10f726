"""The loss of a batch whose notes are coded in two systems, each in one of them."""

import copy

import keras
from keras import ops

from icd_relevancy._arguments import WithSettings
from icd_relevancy.errors import InputError


@keras.saving.register_keras_serializable(package="icd_relevancy")
class JointSystemLoss(WithSettings, keras.losses.Loss):
    """One system's part of the normalised loss of a batch of two systems.

    Formula, for the µ notes of the batch that are coded in the first system and the η of the second, and an
    inner loss that is L₁ on the first and L₂ on the second:

    `L = (µ L₁ + η L₂) / (µ + η)`

    The loss of an output is its summand. Keras adds the outputs up, so a model with a `JointSystemLoss` on each
    has L. Which notes are of a system is told by the output's `sample_weight`: 1 for these and 0 for the others,
    so that µ + η is the number of notes. L₁ is the inner loss of the notes of the system alone, whatever its
    `reduction`: its mean over them, and for `BHML` and `WHML` the harmonic mean of the means of their parts. A
    batch without notes of a system adds 0 for it, with a gradient of 0.

    Relations: where the inner loss is a plain mean, as cross-entropy is, the sum is that of Keras'
    `"sum_over_batch_size"` with the same weights; where it is not, as for `BHML` and `WHML`, Keras would add
    L₁ + L₂ whatever µ and η are. Two losses with `"mean_with_sample_weight"` would do the same, and let one note
    of a system weigh as much as all of the other.

    Args:
        loss: The inner loss, a `keras.losses.Loss`, such as `keras.losses.BinaryCrossentropy()` or `WHML(…)`
            with the system's relevance graph.
        name: Defaults to `"joint_system_loss"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Raises:
        InputError: If the inner loss is no `keras.losses.Loss`.

    Example:

    >>> import keras
    >>> from icd_relevancy.losses import JointSystemLoss
    >>> loss = JointSystemLoss(keras.losses.MeanAbsoluteError())
    >>> y_true, y_pred = [[1.0], [1.0], [0.0]], [[0.5], [0.25], [0.75]]
    >>> round(float(loss(y_true, y_pred, sample_weight=[1, 1, 0])), 4)  # 2 (0.5 + 0.75) / 2 / 3
    0.4167

    Reference: JAMS §2.2, Eq. 3.
    """

    def __init__(self, loss: keras.losses.Loss, name: str = "joint_system_loss", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if not isinstance(loss, keras.losses.Loss):
            raise InputError(f"loss must be a keras.losses.Loss. Received: {type(loss).__name__}")
        self.loss = loss
        self._mean = copy.copy(loss)
        self._mean.reduction = "mean_with_sample_weight"

    def __call__(self, y_true, y_pred, sample_weight=None):
        with keras.name_scope(self.name):
            y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred, dtype=self.dtype)
            weight = ops.ones((ops.shape(y_pred)[0],), self.dtype)
            notes = ops.sum(weight)
            if sample_weight is not None:
                given = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
                weight = ops.reshape(given, (-1,)) * weight
            mean = ops.cast(self._mean(y_true, y_pred, sample_weight=weight), self.dtype)
            # The mean of no notes is 0 for our losses, but an empty array for Keras' own.
            return ops.sum(mean) * ops.divide_no_nan(ops.sum(weight), notes)

    def call(self, y_true, y_pred):
        return self.loss.call(y_true, y_pred)

    def get_config(self):
        return {"loss": keras.losses.serialize(self.loss), "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "loss": keras.losses.deserialize(config["loss"])})
