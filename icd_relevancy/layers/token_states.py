"""Every token's vector by a frozen encoder, computed once: what the attention layers read."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from icd_relevancy.atomic import replacing
from icd_relevancy.errors import InputError
from icd_relevancy.layers.embedding_cache import encoded_batches
from icd_relevancy.layers.encoder import TransformerEncoder

_TEXTS_AT_ONCE = 2048


def token_states(
    texts: Sequence[str], encoder: TransformerEncoder, cache=None, progress: bool = True
) -> dict[str, np.ndarray]:
    """Vectors of all tokens of texts, without gradients.

    With `cache` they are one file on disk, named after a digest of the texts and the encoder, and memory-mapped:
    a later call reads them. 1,000 notes of 256 tokens take 0.2 GB with 384 dimensions.

    Args:
        texts: n texts.
        encoder: A `TransformerEncoder` with `return_sequence=True`.
        cache: A folder; None keeps them in memory. Defaults to None.
        progress: Whether to show a progress bar. Defaults to True.

    Returns:
        `states`, float16 `(n, length, d)` for the longest of the texts, zero for padding, and `attention_mask`,
        int32 `(n, length)`.

    Raises:
        InputError: If a text is not a str or not valid Unicode, the file is damaged or the disk is full.
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
    lengths = np.array([len(tokens) for tokens in encoder.tokenize(texts, padding=False)["input_ids"]])
    mask = (np.arange(lengths.max(initial=0)) < lengths[:, None]).astype(np.int32)
    shape = (*mask.shape, encoder.dimension)
    if cache is None:
        states = np.zeros(shape, np.float16)
        _fill(states, mask, texts, encoder, progress)
        return {"states": states, "attention_mask": mask}
    path = Path(cache) / f"states-{_key(texts, encoder)}.npy"
    if not path.exists():
        with replacing(path) as temporary:
            states = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
            _fill(states, mask, texts, encoder, progress)
            states.flush()
    return {"states": _read(path, shape), "attention_mask": mask}


def _fill(states, mask, texts: Sequence[str], encoder: TransformerEncoder, progress: bool) -> None:
    # None leaves the bar out where the output is not a terminal.
    with tqdm(total=len(texts), desc="encoding", unit="text", disable=None if progress else True) as bar:
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            for batch, encoded in encoded_batches(texts[start : start + _TEXTS_AT_ONCE], encoder):
                rows, length = [start + at for at in batch], encoded.shape[1]
                states[rows, :length] = encoded * mask[rows, :length, None]
                bar.update(len(batch))


def _key(texts: Sequence[str], encoder: TransformerEncoder) -> str:
    digest = hashlib.sha256(f"{encoder.fingerprint()} {encoder.max_length} {encoder.lowercase}".encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:32]


def _read(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        states = np.load(path, mmap_mode="r")
        if states.shape != shape:
            raise ValueError
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path}: damaged token states; delete the file and run again") from error
    return states
