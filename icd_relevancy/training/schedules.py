"""How the learning rate changes over a training."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="icd_relevancy")
class LinearWarmUpDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0 to its peak, and falls linearly to 0.

    Args:
        peak: The highest learning rate.
        rising: Steps until it is reached.
        falling: Steps from there to 0.

    Example:

    >>> from icd_relevancy.training.schedules import LinearWarmUpDecay
    >>> rate = LinearWarmUpDecay(peak=1.0, rising=2, falling=4)
    >>> [float(rate(step)) for step in range(8)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    Reference: JAMS §3.1, by the settings of Edin et al. (2023).
    """

    def __init__(self, peak, rising, falling):
        self.peak, self.rising, self.falling = peak, rising, falling

    def __call__(self, step):
        step = ops.cast(step, "float32")
        share = ops.minimum(step / self.rising, (self.rising + self.falling - step) / self.falling)
        return self.peak * ops.maximum(share, 0.0)

    def get_config(self):
        return {"peak": self.peak, "rising": self.rising, "falling": self.falling}
