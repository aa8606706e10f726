"""Every token's vector by a frozen encoder, computed once: what the attention layers read."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from icd_relevancy.encoding.embeddings import encoded_batches
from icd_relevancy.encoding.encoder import TransformerEncoder

_TEXTS_AT_ONCE = 2048


class RaggedStates:
    """Vectors of the tokens of n texts, which look like an array `(n, length, d)` padded to the longest of them."""

    # Most of such an array is padding where few texts are long. Here the vectors of all tokens, `(tokens, d)`, lie one
    # after the other, and are padded only when some rows and columns are asked for.
    def __init__(self, values: np.ndarray, lengths: Sequence[int]):
        lengths = np.asarray(lengths, np.int64)
        if values.ndim != 2 or len(values) != lengths.sum():
            raise ValueError(
                f"Argument `values` must be a vector for each of the {lengths.sum()} tokens. "
                f"Received: shape {values.shape}"
            )
        self._values = values
        self._starts, self._lengths = np.cumsum(lengths) - lengths, lengths
        self.shape = (len(lengths), int(lengths.max(initial=0)), values.shape[1])
        self.dtype, self.nbytes = values.dtype, values.nbytes

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, int64 `(n,)`."""
        return self._lengths

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"RaggedStates(shape={self.shape}, tokens={len(self._values)}, dtype={self.dtype})"

    def __getitem__(self, where):
        """Rows and a slice of columns as an array `(k, columns, d)`, zero for padding; rows alone, uncopied."""
        if not isinstance(where, tuple):
            return self._selected(where)
        rows, columns = where
        first, stop, step = columns.indices(self.shape[1])
        starts, lengths = self._starts[rows], self._lengths[rows]
        padded = np.zeros((len(starts), max(stop - first, 0), self.shape[2]), self.dtype)
        for at, (start, length) in enumerate(zip(starts, np.minimum(lengths, stop), strict=True)):
            if length > first:
                padded[at, : length - first] = self._values[start + first : start + length]
        return padded[:, ::step]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:, :].astype(self.dtype if dtype is None else dtype, copy=False)

    def _selected(self, rows) -> "RaggedStates":
        selected = object.__new__(RaggedStates)
        selected.__dict__.update(self.__dict__)
        selected._starts, selected._lengths = self._starts[rows], self._lengths[rows]
        selected.shape = (len(selected._starts), *self.shape[1:])
        return selected


def token_states(
    texts: Sequence[str], encoder: TransformerEncoder, progress: bool = True
) -> dict[str, RaggedStates | np.ndarray]:
    """Vectors of all tokens of texts: `states`, float16 `RaggedStates`, and `attention_mask`, int32 `(n, length)`."""
    # They stay in memory, without padding, 0.2 GB for 256,000 tokens in 384 dimensions: on disk they would be the
    # notes themselves, since a token's vector tells which token it is (HMHAN §III.C).
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
