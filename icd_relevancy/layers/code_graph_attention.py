"""Attention between the codes of two code systems along the mappings between them."""

import keras
import numpy as np
from keras import ops
from scipy import sparse
from scipy.sparse import csgraph

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError
from icd_relevancy.layers.label_attention import check_query_size, checked_queries, table_initializer

_SLOPE = 0.2


@keras.saving.register_keras_serializable(package="icd_relevancy")
class CodeGraphAttention(keras.layers.Layer):
    """Medical code attention (MAT): each code's vector, mixed with those of its codes in the other system.

    Formula, for the tables U `(n, d)` and V `(m, d)`, a code i of either system, the codes N(i) of the other that
    it is linked with, and `h = u` or `v` as the system has it:

    - `α_ij = softmax over j ∈ {i} ∪ N(i) of LeakyReLU(aᵀ [h_i ‖ h_j])`, with slope 0.2, and one vector `a` of
      2d numbers for both directions;
    - `h'_i = ELU(α_ii h_i + Σ_{j ∈ N(i)} α_ij ω_ij h_j)`.

    `aᵀ [h_i ‖ h_j]` is the sum of two numbers, one a code, and the softmax runs over edge lists: time and memory
    grow with `(n + m + edges) · d`, and nothing is n x m. The sums are taken in float32 under mixed precision too.

    The layer reads its own weights alone. Another layer, such as `JointLabelAttention`, calls it as `graph()`.

    Relations: a graph attention network (GAT) with one head and layer and without a linear map, where ω is all
    1. GAT's one table against U and V is no difference by itself, as the formula has no parameter of a system;
    it is one where systems share rows, which is `share_table`.

    Args:
        sizes: `(n, m)`, the numbers of labels of the two systems.
        dimension: d, the size of a code's vector.
        edges: Integers `(k, 2)`: a label of the first system, and one of the second that it is linked with, each
            counted from 0; every pair once, in any order, and none at all are allowed. A label without an edge
            has `α_ii = 1`.
        weights: ω, `(k,)`, finite and from 0: 1 for equivalent codes, 0.5 for approximately equivalent ones.
            Defaults to None: 1 each.
        initial: The tables to start from, arrays `(n, d)` and `(m, d)`, such as embeddings of the codes' titles.
            What a model has learned is in its weights, so the configuration does not hold them. Defaults to
            None: normal with deviation 0.03.
        use_weights: Whether ω counts; if not, every edge weighs 1. Defaults to True.
        share_table: Whether codes that edges of weight 1 connect have one vector between them; it starts from
            the mean of theirs. Defaults to False: one for each code.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        inputs: Any tensor, which is not read: in a functional model a layer needs one. Defaults to None.

    Attributes:
        table: The weight, U above V, `(n + m, d)`; with `share_table` a row for each group of codes.

    Returns:
        `U'`, `(n, d)`, and `V'`, `(m, d)`.

    Raises:
        InputError: If a number is below 1, an edge is repeated or names a label that is not there, the weights
            are not k finite numbers from 0, or the initial tables have other sizes.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import CodeGraphAttention
    >>> graph = CodeGraphAttention((2, 1), 1, [[0, 0]], initial=([[2.0], [3.0]], [[4.0]]))
    >>> graph.build()
    >>> _ = graph.attention.assign([[0.0], [0.0]])  # all scores alike: linked codes take their mean
    >>> [np.asarray(table).tolist() for table in graph()]
    [[[3.0], [3.0]], [[3.0]]]

    Reference: JAMS §2.1, Eq. 1-2.
    """

    def __init__(
        self,
        sizes,
        dimension,
        edges,
        weights=None,
        initial=None,
        use_weights=True,
        share_table=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sizes = checked_sizes(sizes)
        check_counts(dimension=dimension)
        self.dimension = dimension
        self.edges = checked_edges(edges, self.sizes)
        self.edge_weights = checked_edge_weights(weights, len(self.edges))
        self.initial = checked_tables(initial, self.sizes)
        for table in self.initial or ():
            check_query_size(table, dimension)
        self.use_weights = use_weights
        self.share_table = share_table
        self._plan()

    def build(self, inputs_shape=None):
        rows = sum(self.sizes) if self._row is None else int(self._row.max()) + 1
        self.table = self.add_weight((rows, self.dimension), self._table_initializer(), name="table")
        self.attention = self.add_weight((2 * self.dimension, 1), "glorot_uniform", name="attention")
        self.built = True

    def call(self, inputs=None):
        vectors = self._in_float32(self.table)
        if self._row is not None:
            vectors = ops.take(vectors, self._row, axis=0)
        own, mixing = self._coefficients(vectors)
        messages = ops.expand_dims(mixing, 1) * ops.take(vectors, self._source, axis=0)
        messages = ops.segment_sum(messages, self._target, sum(self.sizes))
        mixed = ops.elu(ops.expand_dims(own, 1) * vectors + messages)
        return tuple(ops.split(ops.cast(mixed, self.compute_dtype), [self.sizes[0]]))

    def get_config(self):
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "dimension": self.dimension,
            "edges": self.edges.tolist(),
            "weights": self.edge_weights.tolist(),
            "use_weights": self.use_weights,
            "share_table": self.share_table,
        }

    def _plan(self):
        """Every link twice, once to each of its codes, with the second system's codes counted behind the first's."""
        first, second = self.edges[:, 0], self.edges[:, 1] + self.sizes[0]
        target, source = np.concatenate([first, second]), np.concatenate([second, first])
        weights = self.edge_weights if self.use_weights else np.ones_like(self.edge_weights)
        # In the order of their targets, sums go through memory from one end to the other.
        order = np.lexsort((source, target))
        self._target, self._source = target[order], source[order]
        self._weight = np.concatenate([weights, weights])[order]
        self._row = None
        if self.share_table:
            same = self.edge_weights == 1
            links = sparse.coo_matrix(
                (np.ones(same.sum()), (first[same], second[same])), (sum(self.sizes),) * 2
            )
            self._row = csgraph.connected_components(links, directed=False)[1].astype(np.int32)

    def _coefficients(self, vectors):
        """`α_ii` of each code and `α_ij ω_ij` of each edge, softmax by softmax over the edges of one target."""
        nodes = sum(self.sizes)
        attention = ops.reshape(self._in_float32(self.attention), (2, self.dimension))
        parts = ops.matmul(vectors, ops.transpose(attention))
        as_target, as_source = parts[:, 0], parts[:, 1]
        own = ops.leaky_relu(as_target + as_source, _SLOPE)
        score = ops.take(as_target, self._target) + ops.take(as_source, self._source)
        score = ops.leaky_relu(score, _SLOPE)
        largest = ops.maximum(own, ops.segment_max(score, self._target, nodes))
        largest = ops.stop_gradient(largest)
        own, score = ops.exp(own - largest), ops.exp(score - ops.take(largest, self._target))
        total = own + ops.segment_sum(score, self._target, nodes)
        return own / total, score * self._weight / ops.take(total, self._target)

    def _in_float32(self, weight):
        """At least: a sum over many links is too much for half precision."""
        return ops.cast(weight, keras.backend.result_type(self.compute_dtype, "float32"))

    def _table_initializer(self):
        if self.initial is None:
            return table_initializer(None)
        given = np.concatenate(self.initial)
        if self._row is not None:
            groups = sparse.csr_matrix((np.ones(len(given)), (self._row, np.arange(len(given)))))
            given = groups @ given / np.bincount(self._row)[:, None]
        return table_initializer(given)


def checked_sizes(sizes) -> tuple[int, int]:
    """The numbers of labels of two systems. Raises `InputError` where they are not two numbers from 1."""
    sizes = tuple(int(size) for size in sizes)
    if len(sizes) != 2 or min(sizes) < 1:
        raise InputError(f"sizes must be two numbers of labels from 1. Received: sizes={sizes}")
    return sizes


def checked_edges(edges, sizes) -> np.ndarray:
    """Links as int32 `(k, 2)`. Raises `InputError` where one is repeated or names a label that is not there."""
    given = np.asarray(edges)
    if not given.size:
        return np.zeros((0, 2), np.int32)
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu":
        raise InputError(
            f"edges must be pairs of integers, (k, 2). Received: shape {given.shape}, {given.dtype}"
        )
    outside = np.flatnonzero(((given < 0) | (given >= sizes)).any(axis=1))
    if len(outside):
        row = outside[0]
        raise InputError(
            f"edge {row} links label {given[row, 0]} of {sizes[0]} with label {given[row, 1]} of {sizes[1]}; "
            "count labels from 0, and leave out mappings to codes outside the label set"
        )
    _, firsts = np.unique(given, axis=0, return_index=True)
    if len(firsts) < len(given):
        row = np.setdiff1d(np.arange(len(given)), firsts)[0]
        raise InputError(
            f"edge {row} repeats the link of labels {given[row, 0]} and {given[row, 1]}; give it once"
        )
    return given.astype(np.int32)


def checked_edge_weights(weights, count) -> np.ndarray:
    """Weights as float32 `(k,)`. Raises `InputError` where they are not k finite numbers from 0."""
    weights = np.ones(count, np.float32) if weights is None else np.asarray(weights, np.float32)
    if weights.shape != (count,) or not ((weights >= 0) & (weights < np.inf)).all():
        raise InputError(
            f"weights must be {count} finite numbers from 0, one an edge. Received: shape {weights.shape}"
        )
    return weights


def checked_tables(initial, sizes) -> tuple[np.ndarray, np.ndarray] | None:
    """Two tables to start from as float32, or None. Raises `InputError` where they have other rows."""
    if initial is None:
        return None
    if len(initial) != 2:
        raise InputError(f"give two initial tables, one a system. Received: {len(initial)}")
    return tuple(checked_queries(table, size) for table, size in zip(initial, sizes, strict=True))
