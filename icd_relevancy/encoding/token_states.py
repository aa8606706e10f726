"""Every token's vector by a frozen encoder, computed once: what the attention layers read."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from icd_relevancy.encoding.embeddings import encoded_batches
from icd_relevancy.encoding.encoder import TransformerEncoder
from icd_relevancy.encoding.ragged_states import RaggedStates

_TEXTS_AT_ONCE = 2048


def token_states(
    texts: Sequence[str], encoder: TransformerEncoder, progress: bool = True
) -> dict[str, RaggedStates | np.ndarray]:
    """Vectors of all tokens of texts, without gradients.

    They stay in memory, without padding, 0.2 GB for 256,000 tokens in 384 dimensions: on disk they would be the
    notes themselves, since a token's vector tells which token it is.

    Args:
        texts: n texts.
        encoder: A `TransformerEncoder` with `return_sequence=True`, and with `chunk_length` for texts beyond its
            positions.
        progress: Whether to show a progress bar. Defaults to True.

    Returns:
        `states`, float16 `RaggedStates` `(n, length, d)` for the longest of the texts, zero for padding, and
        `attention_mask`, int32 `(n, length)`; for `note_batches`, or `np.asarray` of each.

    Raises:
        InputError: If a text is not a str or not valid Unicode.
        ValueError: If the encoder returns one vector a text.

    Example:

    >>> from icd_relevancy.encoding.token_states import token_states
    >>> encoder = TransformerEncoder(return_sequence=True)  # doctest: +SKIP
    >>> token_states(["Cough and fever."], encoder)["states"].shape  # doctest: +SKIP
    (1, 6, 384)

    Reference: HMHAN §III.C.
    """
    if not encoder.return_sequence:
        raise ValueError("`token_states` needs an encoder with return_sequence=True. Received: False")
    lengths = np.array([len(tokens) for tokens in encoder.tokenize(texts, padding=False)["input_ids"]], int)
    stops = np.cumsum(lengths)
    values = np.empty((lengths.sum(), encoder.dimension), np.float16)
    # None leaves the bar out where the output is not a terminal.
    with tqdm(
        total=len(texts),
        desc="encoding",
        unit="text",
        leave=False,
        delay=1,
        disable=None if progress else True,
    ) as bar:
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            for batch, encoded in encoded_batches(texts[start : start + _TEXTS_AT_ONCE], encoder):
                for row, states in zip((start + at for at in batch), encoded, strict=True):
                    values[stops[row] - lengths[row] : stops[row]] = states[: lengths[row]]
                bar.update(len(batch))
    mask = (np.arange(lengths.max(initial=0)) < lengths[:, None]).astype(np.int32)
    return {"states": RaggedStates(values, lengths), "attention_mask": mask}
