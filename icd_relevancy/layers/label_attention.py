"""Attention that reads a note once for each label, and the masked attention that it is made of."""

import keras
import numpy as np
from keras import ops

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError

_QUERY_DEVIATION = 0.03
# Added to the scores of padding: far below any score, and its exponential is 0.
_MASKED = -1e9


@keras.saving.register_keras_serializable(package="icd_relevancy")
class LabelAttention(keras.layers.Layer):
    """One weighted mean of the tokens for each label, by a learned query of that label.

    Formula: `α_j = softmax(u_jᵀ K)`, `c_j = Σ_n α_jn h_n` for label j, its query u_j and token states h_n;
    `k_n = h_n` (CAML), or `k_n = tanh(W h_n)` with `attention_dim` (LAAT, PLM-ICD). With several heads each
    attends by its slice of the queries and keys, and gives its slice of the context. The softmax is taken in
    float32, and padding has a weight of exactly 0.

    Relations: `HierarchicalAttention` reads in two steps, for the categories and then for their codes. With
    one label and `attention_dim` it is additive attention pooling.

    Args:
        labels: m, the number of labels.
        attention_dim: Size of the projection W, or None to compare the queries with the tokens themselves.
            Defaults to None.
        heads: Number of heads. Defaults to 1.
        initial_queries: Array `(m, d)` to start the queries from, such as the embeddings of the codes'
            titles; with `attention_dim` they start from their projection `tanh(W q_j)`, or give
            `(m, attention_dim)` to start from these. What a model has learned is in its weights, so the
            configuration does not hold them. Defaults to None: normal with deviation 0.03.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        states: Token states, `(batch, length, d)`.
        attention_mask: `(batch, length)`, 1 for a token and 0 for padding.
        return_attention_scores: Whether to return the weights too. Defaults to False.

    Returns:
        Contexts `(batch, m, d)`, zero for a note without tokens; with `return_attention_scores` also the
        weights `(batch, m, length)` in float32, the mean over the heads.

    Raises:
        InputError: If a number is below 1, the heads do not divide a dimension, or the initial queries are
            not m of the size of the states.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import LabelAttention
    >>> attention = LabelAttention(labels=2, initial_queries=[[0.0, 0.0], [100.0, 0.0]])
    >>> states = np.array([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    >>> np.asarray(attention(states, np.array([[1, 1, 0]]))).tolist()
    [[[0.5, 0.5], [1.0, 0.0]]]

    Reference: JAMS §3.1; CAML (Mullenbach et al. 2018) Eq. 2; LAAT (Vu et al. 2020) Eq. 6-8.
    """

    def __init__(self, labels, attention_dim=None, heads=1, initial_queries=None, **kwargs):
        super().__init__(**kwargs)
        check_counts(labels=labels, heads=heads, attention_dim=attention_dim)
        self.labels = labels
        self.attention_dim = attention_dim
        self.heads = heads
        self.initial_queries = checked_queries(initial_queries, labels)
        self.supports_masking = True

    def build(self, states_shape, attention_mask_shape=None):
        size = states_shape[-1]
        key_size = size if self.attention_dim is None else self.attention_dim
        check_divides(self.heads, states=size, attention_dim=key_size)
        if self.attention_dim is not None:
            self.projection = self.add_weight((size, key_size), "glorot_uniform", name="projection")
        self.queries = self.add_weight(
            (self.labels, key_size), self._query_initializer(size, key_size), name="queries"
        )
        self.built = True

    def call(self, states, attention_mask, return_attention_scores=False):
        keys = states if self.attention_dim is None else ops.tanh(ops.matmul(states, self.projection))
        return attend(
            split_heads(ops.expand_dims(ops.convert_to_tensor(self.queries), 0), self.heads),
            split_heads(keys, self.heads),
            split_heads(states, self.heads),
            attention_mask,
            return_attention_scores,
        )

    def compute_mask(self, inputs, previous_mask=None):
        # Contexts are of labels: a mask of tokens ends here.
        return None

    def get_config(self):
        return {
            **super().get_config(),
            "labels": self.labels,
            "attention_dim": self.attention_dim,
            "heads": self.heads,
        }

    def _query_initializer(self, size, key_size):
        given = self.initial_queries
        if given is None or given.shape[1] == key_size:
            return table_initializer(given)
        check_query_size(given, size)
        return lambda shape, dtype: ops.cast(ops.tanh(ops.matmul(given, self.projection.value)), dtype)


def split_heads(rows, heads: int):
    """Gives each head its slice of the features: `(batch, rows, heads · size)` as `(batch, heads, rows, size)`."""
    size = rows.shape[-1] // heads
    return ops.transpose(ops.reshape(rows, (-1, ops.shape(rows)[1], heads, size)), (0, 2, 1, 3))


def attend(queries, keys, values, attention_mask, return_attention_scores=False):
    """Masked attention of several heads: `softmax(Q Kᵀ) V` over the tokens, in float32.

    Of queries `(batch or 1, heads, m, size)`, keys and values `(batch, heads, length, size)` it gives contexts
    `(batch, m, heads · size)`, zero for a note without tokens, and the weights `(batch, m, length)`, the heads' mean.
    """
    mask = ops.cast(attention_mask, "float32")
    # float16 ends at 65,504, so there the products are means over the size until they are float32.
    half, size = keras.backend.standardize_dtype(keys.dtype) == "float16", keys.shape[-1]
    if half:
        queries, keys = queries * size**-0.5, keys * size**-0.5
    scores = ops.cast(ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2))), "float32")
    scores = scores * size if half else scores
    weights = ops.softmax(scores + ((1 - mask) * _MASKED)[:, None, None, :])
    # A note without tokens weighs its padding evenly; masked values make that zero for less than masked weights.
    values = values * ops.cast(mask, values.dtype)[:, None, :, None]
    contexts = ops.transpose(ops.matmul(ops.cast(weights, values.dtype), values), (0, 2, 1, 3))
    contexts = ops.reshape(contexts, (-1, queries.shape[2], values.shape[1] * values.shape[3]))
    if return_attention_scores:
        return contexts, ops.mean(weights, axis=1) * mask[:, None, :]
    return contexts


def table_initializer(table: np.ndarray | None):
    """Starts queries from a table, or small ones where there is none."""
    if table is None:
        return keras.initializers.RandomNormal(stddev=_QUERY_DEVIATION)
    return lambda shape, dtype: ops.convert_to_tensor(table, dtype)


def check_divides(heads: int, **sizes) -> None:
    """Refuses heads that do not divide a size, naming it."""
    for name, size in sizes.items():
        if size % heads:
            raise InputError(f"{heads} heads do not divide the {size} dimensions of {name}")


def checked_queries(queries, rows: int) -> np.ndarray | None:
    """Initial queries as float32 `(rows, size)`, or None; refuses what is neither."""
    if queries is None:
        return None
    queries = np.asarray(queries, np.float32)
    if queries.ndim != 2 or len(queries) != rows or not np.isfinite(queries).all():
        raise InputError(
            f"initial_queries must be {rows} finite rows, one a label. Received: shape {queries.shape}"
        )
    return queries


def check_query_size(queries: np.ndarray, size: int) -> None:
    """Refuses initial queries of another size than the token states."""
    if queries.shape[1] != size:
        raise InputError(f"initial_queries have {queries.shape[1]} dimensions, the token states {size}")
