"""Every token's vector by a frozen encoder, computed once: what the attention layers read."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from icd_relevancy.layers.embedding_cache import encoded_batches
from icd_relevancy.layers.encoder import TransformerEncoder

_TEXTS_AT_ONCE = 2048


def token_states(
    texts: Sequence[str], encoder: TransformerEncoder, progress: bool = True
) -> dict[str, np.ndarray]:
    """Vectors of all tokens of texts, without gradients.

    They stay in memory, 0.2 GB for 1,000 notes of 256 tokens in 384 dimensions: on disk they would be the notes
    themselves, since a token's vector tells which token it is.

    Args:
        texts: n texts.
        encoder: A `TransformerEncoder` with `return_sequence=True`.
        progress: Whether to show a progress bar. Defaults to True.

    Returns:
        `states`, float16 `(n, length, d)` for the longest of the texts, zero for padding, and `attention_mask`,
        int32 `(n, length)`.

    Raises:
        InputError: If a text is not a str or not valid Unicode.
        ValueError: If the encoder returns one vector a text.

    Example:

    >>> from icd_relevancy.layers.token_states import token_states
    >>> encoder = TransformerEncoder(return_sequence=True)  # doctest: +SKIP
    >>> token_states(["Cough and fever."], encoder)["states"].shape  # doctest: +SKIP
    (1, 6, 384)

    Reference: HMHAN §III.C.
    """
    if not encoder.return_sequence:
        raise ValueError("`token_states` needs an encoder with return_sequence=True. Received: False")
    lengths = np.array([len(tokens) for tokens in encoder.tokenize(texts, padding=False)["input_ids"]], int)
    mask = (np.arange(lengths.max(initial=0)) < lengths[:, None]).astype(np.int32)
    states = np.zeros((*mask.shape, encoder.dimension), np.float16)
    # None leaves the bar out where the output is not a terminal.
    with tqdm(total=len(texts), desc="encoding", unit="text", disable=None if progress else True) as bar:
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            for batch, encoded in encoded_batches(texts[start : start + _TEXTS_AT_ONCE], encoder):
                rows, length = [start + at for at in batch], encoded.shape[1]
                states[rows, :length] = encoded * mask[rows, :length, None]
                bar.update(len(batch))
    return {"states": states, "attention_mask": mask}
