"""Token states of texts of unequal length, kept without the padding."""

from collections.abc import Sequence

import numpy as np


class RaggedStates:
    """Vectors of the tokens of n texts, which looks like an array padded to the longest of them.

    Most of such an array is padding where few texts are long. Here the vectors of all tokens lie one after the
    other, and are padded only when some rows and columns are asked for.

    Args:
        values: `(tokens, d)`, the vectors of the first text's tokens, then of the second's, and so on.
        lengths: Tokens of each text, `(n,)`.

    Attributes:
        shape: `(n, length, d)` for the longest of the texts.
        dtype: That of the values.
        nbytes: Bytes that the values take.

    Raises:
        ValueError: If there are not as many values as tokens.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.encoding.ragged_states import RaggedStates
    >>> states = RaggedStates(np.array([[1.0], [2.0], [3.0]]), [1, 2])
    >>> states.shape, states[:, :1].tolist(), np.asarray(states[[0]]).tolist()
    ((2, 2, 1), [[[1.0]], [[2.0]]], [[[1.0], [0.0]]])
    """

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
        """Rows and columns as an array `(k, columns, d)`, zero for padding; rows alone as `RaggedStates`.

        Args:
            where: Rows, a slice or an array, which copies nothing; or rows and a slice of the columns.
        """
        if not isinstance(where, tuple):
            return self._taken(where)
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

    def _taken(self, rows) -> "RaggedStates":
        taken = object.__new__(RaggedStates)
        taken.__dict__.update(self.__dict__)
        taken._starts, taken._lengths = self._starts[rows], self._lengths[rows]
        taken.shape = (len(taken._starts), *self.shape[1:])
        return taken
