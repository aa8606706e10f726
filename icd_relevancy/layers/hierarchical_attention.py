"""Attention over the categories of the codes, and then over the codes inside them."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
from keras import ops

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError
from icd_relevancy.layers.label_attention import attend, check_query_size, checked_queries, split_heads


@keras.saving.register_keras_serializable(package="icd_relevancy")
class HierarchicalAttention(keras.layers.Layer):
    """Reads a note for each category of codes, and then for each code in the light of its category.

    Formula: with keys `K = W_k H` and values `V = W_v H` of the token states H, which both levels share, and
    in each of the heads of size a: `g_c = softmax(u_cᵀ K / √a) V` for category c and its query u_c, then
    `c_j = softmax((q_j + W_g g_c(j))ᵀ K / √a) V` for code j, its query q_j and its category c(j). Softmaxes are
    taken in float32, and padding has a weight of exactly 0.

    Queries are learned where they are compared, so no token is projected more than once, and the cost grows by
    `batch · length · heads · head_dim` a code.

    Relations: `LabelAttention` reads for every code alone.

    Args:
        membership: For each of the m codes its category, an integer from 0; see `category_membership`. Every
            category has a code.
        heads: Number of heads, on both levels. Defaults to 4.
        head_dim: a, the size of a head. Defaults to 64.
        initial_queries: Array `(m, d)` to start from, such as the embeddings of the codes' titles: a code's
            query starts as its key `W_k q_j`, a category's as the mean over its codes. What a model has
            learned is in its weights, so the configuration does not hold them. Defaults to None: standard
            normal.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        states: Token states, `(batch, length, d)`.
        attention_mask: `(batch, length)`, 1 for a token and 0 for padding.
        return_attention_scores: Whether to return the weights too. Defaults to False.

    Returns:
        The codes' contexts `(batch, m, heads · head_dim)` and the categories' `(batch, categories,
        heads · head_dim)`, zero for a note without tokens; with `return_attention_scores` also the weights
        of the codes `(batch, m, length)` and of the categories `(batch, categories, length)` in float32,
        each the mean over the heads.

    Raises:
        InputError: If a number is below 1, the membership is not m integers that count the categories from 0,
            or the initial queries are not m of the size of the states.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import HierarchicalAttention
    >>> attention = HierarchicalAttention(membership=[0, 0, 1], heads=4, head_dim=2)
    >>> codes, categories = attention(np.ones((1, 5, 6)), np.array([[1, 1, 1, 1, 0]]))
    >>> tuple(codes.shape), tuple(categories.shape)
    ((1, 3, 8), (1, 2, 8))

    Reference: HMHAN §III.F.
    """

    def __init__(self, membership, heads=4, head_dim=64, initial_queries=None, **kwargs):
        super().__init__(**kwargs)
        check_counts(heads=heads, head_dim=head_dim)
        self.membership = _checked_membership(membership)
        self.categories = int(self.membership.max()) + 1
        self.heads = heads
        self.head_dim = head_dim
        self.initial_queries = checked_queries(initial_queries, len(self.membership))

    def build(self, states_shape, attention_mask_shape=None):
        size, width = states_shape[-1], self.heads * self.head_dim
        self.key_kernel = self.add_weight((size, width), "glorot_uniform", name="key_kernel")
        self.value_kernel = self.add_weight((size, width), "glorot_uniform", name="value_kernel")
        self.condition_kernel = self.add_weight((width, width), "glorot_uniform", name="condition_kernel")
        category_start, code_start = self._query_initializers(size)
        self.category_queries = self.add_weight(
            (self.categories, width), category_start, name="category_queries"
        )
        self.code_queries = self.add_weight((len(self.membership), width), code_start, name="code_queries")
        self.built = True

    def call(self, states, attention_mask, return_attention_scores=False):
        keys = split_heads(ops.matmul(states, self.key_kernel), self.heads)
        values = split_heads(ops.matmul(states, self.value_kernel), self.heads)

        def read(queries):
            queries = split_heads(queries * self.head_dim**-0.5, self.heads)
            return attend(queries, keys, values, attention_mask, return_attention_scores)

        category_read = read(ops.expand_dims(ops.convert_to_tensor(self.category_queries), 0))
        categories = category_read[0] if return_attention_scores else category_read
        condition = ops.matmul(categories, self.condition_kernel)
        # In this order: Keras takes a second operand of shape (1, 1, size) for a bias, and drops an axis.
        code_read = read(ops.take(condition, self.membership, axis=1) + self.code_queries)
        if return_attention_scores:
            return code_read[0], categories, code_read[1], category_read[1]
        return code_read, categories

    def get_config(self):
        return {
            **super().get_config(),
            "membership": self.membership.tolist(),
            "heads": self.heads,
            "head_dim": self.head_dim,
        }

    def _query_initializers(self, size):
        if self.initial_queries is None:
            return (keras.initializers.RandomNormal(stddev=1.0),) * 2
        check_query_size(self.initial_queries, size)
        inside = np.eye(self.categories, dtype=np.float32)[:, self.membership]
        means = inside / inside.sum(axis=1, keepdims=True) @ self.initial_queries
        return tuple(
            lambda shape, dtype, queries=queries: ops.cast(ops.matmul(queries, self.key_kernel.value), dtype)
            for queries in (means, self.initial_queries)
        )


def category_membership(
    system, codes: Iterable[str], level: int | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The category of each label of a model, by the hierarchy of a code system.

    A label is grouped by its ancestor at `level`; one at that level or above it stands for its own group, which
    it shares with the labels below it, and so does a label that the system does not know.

    Args:
        system: A `CodeSystem`.
        codes: The m labels, in the order of the model's outputs.
        level: Level of the groups, 0 for chapters. Defaults to None: that of the categories where some label
            lies below it, else the level above (blocks), else the chapters.

    Returns:
        int32 `(m,)`, the group of each label, and the names of the groups, in order of appearance.

    Raises:
        InputError: If there are no codes, or one is repeated.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.layers.hierarchical_attention import category_membership
    >>> membership, names = category_membership(icd9cm(), ["593.70", "593.89", "786.2", "486"])
    >>> membership.tolist(), names
    ([0, 0, 1, 2], ('593', '786', '486'))

    Reference: HMHAN §III.F.
    """
    codes = tuple(codes)
    if not codes or len(set(codes)) < len(codes):
        raise InputError("codes must be at least one label, each once; leave repeated labels out")
    paths = [(*system.ancestors(code)[::-1], code) if code in system else (code,) for code in codes]
    if level is None:
        level = min(system.category_level, max(0, max(map(len, paths)) - 2))
    groups = [path[min(level, len(path) - 1)] for path in paths]
    names = tuple(dict.fromkeys(groups))
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[group] for group in groups], np.int32), names


def _checked_membership(membership: Sequence[int]) -> np.ndarray:
    given = np.asarray(membership)
    if given.ndim != 1 or not given.size or given.dtype.kind not in "iu":
        raise InputError(
            f"membership must be a list of m integers. Received: shape {given.shape}, {given.dtype}"
        )
    numbers = np.unique(given)
    if not np.array_equal(numbers, np.arange(len(numbers))):
        raise InputError(
            f"membership must number the categories from 0, each with a code. Received: {len(numbers)} different "
            f"numbers from {numbers[0]} to {numbers[-1]}"
        )
    return given.astype(np.int32)
