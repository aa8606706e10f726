"""A start for the output layer of a classifier with rare labels."""

import numpy as np

from icd_relevancy.losses.imbalance import label_frequencies


def start_from_frequencies(layer, labels) -> None:
    """Lets an untrained model say how frequent each label is, which else takes it its first epochs to learn.

    Args:
        layer: The layer of m logits, with a bias.
        labels: Labels of the training part, 0/1 `(n, m)`.

    Example:

    >>> import keras
    >>> from icd_relevancy.models.frequency_bias import start_from_frequencies
    >>> layer = keras.layers.Dense(2)
    >>> layer.build((None, 3))
    >>> start_from_frequencies(layer, [[1, 0], [1, 0], [1, 1], [0, 0]])
    >>> keras.ops.convert_to_numpy(layer.bias)  # log 3 and -log 3
    array([ 1.0986123, -1.0986123], dtype=float32)
    """
    count = labels.shape[0] if hasattr(labels, "shape") else len(labels)
    share = np.clip(label_frequencies(labels), 1 / (2 * count), 1 - 1 / (2 * count))
    layer.bias.assign(np.log(share / (1 - share)))
