"""The logits of a lexicon: what a note's words add to a label's, and what is known before it is read."""

import keras
from keras import ops

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError

# The log-odds of a label of which the note has no word, about those of the mean label of a long tail.
_INITIAL_OFFSET = -7.0


@keras.saving.register_keras_serializable(package="icd_relevancy")
class LexicalLogits(keras.layers.Layer):
    """Channels of lexical scores, each by a learned weight that all labels share.

    Formula: `z_j = Σ_c w_c s_cj` for label j and channel c, with `w_c >= 0`: a code whose words a note has is
    never made less likely by them. As the labels share the weights, what frequent codes teach holds for codes
    that were never seen.

    Args:
        channels: Number of channels, such as the coverage of titles, of synonyms and of training mentions.
        initial_weight: The weight from which each channel starts, 0 or more. Defaults to 5.0.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        scores: `(batch, channels · m)`, all labels of the first channel, then all of the second, and so on.

    Returns:
        Logits `(batch, m)`.

    Raises:
        InputError: If `channels` is below 1, `initial_weight` below 0, or the channels do not divide the
            scores.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import LexicalLogits
    >>> scores = np.array([[0.0, 1.0, 0.5, 0.0, 1.0, 0.0]])  # of three labels, in two channels
    >>> np.asarray(LexicalLogits(channels=2, initial_weight=4.0)(scores)).tolist()
    [[0.0, 8.0, 2.0]]

    Reference: the logistic regression with title coverage that JAMS is measured against.
    """

    def __init__(self, channels, initial_weight=5.0, **kwargs):
        super().__init__(**kwargs)
        check_counts(channels=channels)
        if not initial_weight >= 0:
            raise InputError(f"initial_weight must be 0 or more. Received: initial_weight={initial_weight}")
        self.channels = channels
        self.initial_weight = initial_weight

    def build(self, scores_shape):
        if scores_shape[-1] % self.channels:
            raise InputError(f"{self.channels} channels do not divide the {scores_shape[-1]} lexical scores")
        self.channel_weights = self.add_weight(
            (self.channels,),
            keras.initializers.Constant(self.initial_weight),
            constraint="non_neg",
            name="channel_weights",
        )
        self.built = True

    def call(self, scores):
        by_channel = ops.reshape(scores, (-1, self.channels, scores.shape[-1] // self.channels))
        return ops.sum(by_channel * ops.expand_dims(self.channel_weights, -1), axis=1)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels, "initial_weight": self.initial_weight}


@keras.saving.register_keras_serializable(package="icd_relevancy")
class LabelOdds(keras.layers.Layer):
    """Adds to the logits of labels what is known of them before a note is read.

    Formula: `z_j + scale · b_j + offset`, with fixed `b_j`, the label's log-odds in the training notes, and two
    learned numbers that all labels share. So a label of one note is not learned by heart, as a bias of its own
    would do.

    Args:
        initial_offset: Where the offset starts. Defaults to -7.0. The scale starts at 0.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        logits: `(batch, m)`.

    Returns:
        Logits `(batch, m)`.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import LabelOdds
    >>> np.asarray(LabelOdds(initial_offset=-1.0)(np.array([[0.0, 3.0]]))).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(self, initial_offset=_INITIAL_OFFSET, **kwargs):
        super().__init__(**kwargs)
        self.initial_offset = initial_offset

    def build(self, logits_shape):
        # Named as in a dense layer, for `start_from_frequencies`.
        self.bias = self.add_weight((logits_shape[-1],), "zeros", trainable=False, name="bias")
        self.scale = self.add_weight((), "zeros", name="scale")
        offset = keras.initializers.Constant(self.initial_offset)
        self.offset = self.add_weight((), offset, name="offset")
        self.built = True

    def call(self, logits):
        return logits + self.scale * self.bias + self.offset

    def get_config(self):
        return {**super().get_config(), "initial_offset": self.initial_offset}
