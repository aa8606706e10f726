"""A transformer over notes longer than its positions, chunk by chunk."""

import keras
from keras import ops

from icd_relevancy.errors import InputError
from icd_relevancy.layers.label_attention import check_counts


@keras.saving.register_keras_serializable(package="icd_relevancy")
class ChunkedEncoder(keras.layers.Layer):
    """Token states of long notes: chunks of tokens go through the encoder, and their states are joined again.

    Chunks are counted from a note's first token, and the last one is filled with padding, so that what stands
    behind a note changes nothing. A token sees those of its own chunk alone.

    Args:
        encoder: A `TransformerEncoder` with `return_sequence=True`, trainable or frozen.
        chunk_length: Tokens a chunk. Defaults to 128.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        inputs: A dict of `input_ids` and `attention_mask`, integers `(batch, length)`.
        training: Whether a trainable encoder uses dropout. Defaults to None.

    Returns:
        `(batch, length, d)`.

    Raises:
        InputError: If the encoder pools, or a chunk is longer than its positions.

    Example:

    >>> from icd_relevancy.layers import ChunkedEncoder, TransformerEncoder
    >>> encoder = TransformerEncoder(return_sequence=True)  # doctest: +SKIP
    >>> ChunkedEncoder(encoder)({"input_ids": ids, "attention_mask": mask}).shape  # doctest: +SKIP
    TensorShape([1, 3000, 384])

    Reference: PLM-ICD (Huang et al. 2022) §3.2.
    """

    def __init__(self, encoder, chunk_length=128, **kwargs):
        super().__init__(**kwargs)
        check_counts(chunk_length=chunk_length)
        if not encoder.return_sequence:
            raise InputError("the encoder pools its tokens; make it with return_sequence=True")
        if chunk_length > encoder.max_positions:
            raise InputError(
                f"a chunk must fit the encoder's {encoder.max_positions} positions. "
                f"Received: chunk_length={chunk_length}"
            )
        self.encoder = encoder
        self.chunk_length = chunk_length
        self.built = True

    def call(self, inputs, training=None):
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        batch, length = ops.shape(ids)[0], ops.shape(ids)[1]
        # Notes shorter than a chunk need no padding.
        size = ops.minimum(ops.maximum(length, 1), self.chunk_length)
        chunks = (length + size - 1) // size

        def cut(tokens):
            padded = ops.pad(tokens, ((0, 0), (0, self.chunk_length - 1)))
            return ops.reshape(padded[:, : chunks * size], (batch * chunks, size))

        states = self.encoder({"input_ids": cut(ids), "attention_mask": cut(mask)}, training=training)
        return ops.reshape(states, (batch, chunks * size, self.encoder.dimension))[:, :length]

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape["input_ids"], self.encoder.dimension)

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "chunk_length": self.chunk_length,
        }

    @classmethod
    def from_config(cls, config):
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})
