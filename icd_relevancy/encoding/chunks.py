"""Long token sequences cut into chunks that a transformer reads one by one, and put together again."""

from keras import ops


def in_chunks(tokens, chunk_length: int, padding=0):
    """The chunks of each row, one below the other.

    Rows shorter than a chunk stay as they are; longer ones are padded to whole chunks.

    Args:
        tokens: Integers `(batch, length)`.
        chunk_length: Tokens of a chunk, from 1.
        padding: What fills the last chunk. Defaults to 0.

    Returns:
        `(batch * chunks, size)`, where size is the smaller of `chunk_length` and length.

    Example:

    >>> from keras import ops
    >>> from icd_relevancy.encoding.chunks import in_chunks
    >>> ops.convert_to_numpy(in_chunks(ops.convert_to_tensor([[1, 2, 3], [4, 5, 6]]), 2)).tolist()
    [[1, 2], [3, 0], [4, 5], [6, 0]]

    Reference: PLM-ICD (Huang et al. 2022) §3.2.
    """
    batch, length = ops.shape(tokens)
    size = _size(length, chunk_length)
    filling = ops.full((batch, -length % size), padding, dtype=tokens.dtype)
    return ops.reshape(ops.concatenate([tokens, filling], axis=1), (-1, size))


def joined(states, batch, length):
    """The states of the chunks of each row, one after the other: the way back from `in_chunks`.

    Args:
        states: `(batch * chunks, size, d)`.
        batch: Number of rows.
        length: Tokens of a row, without what filled its last chunk.

    Returns:
        `(batch, length, d)`.

    Example:

    >>> from keras import ops
    >>> from icd_relevancy.encoding.chunks import joined
    >>> states = ops.reshape(ops.arange(8.0), (4, 2, 1))
    >>> ops.convert_to_numpy(joined(states, batch=2, length=3))[..., 0].tolist()
    [[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]]
    """
    return ops.reshape(states, (batch, -1, states.shape[-1]))[:, :length]


def _size(length, chunk_length):
    # A number where it is known before the graph runs, so that XLA has the shape.
    if isinstance(length, int):
        return max(min(length, chunk_length), 1)
    return ops.clip(length, 1, chunk_length)
