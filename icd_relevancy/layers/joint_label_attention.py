"""Label attention for the codes of two systems at once, with queries that the mappings between them join."""

import keras
import numpy as np
from keras import ops

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError
from icd_relevancy.layers.code_graph_attention import (
    CodeGraphAttention,
    checked_edge_weights,
    checked_edges,
    checked_sizes,
    checked_tables,
)
from icd_relevancy.layers.label_attention import attend, check_query_size, table_initializer


@keras.saving.register_keras_serializable(package="icd_relevancy")
class JointLabelAttention(keras.layers.Layer):
    """One weighted mean of the tokens for each label of two systems, by queries from a graph of their codes.

    Formula: `α_j = softmax(q_jᵀ K)`, `c_j = Σ_n α_jn h_n` for label j of either system and token states h_n;
    `k_n = h_n`, or `k_n = tanh(W h_n)` with `attention_dim`, which both systems share. The queries q are the
    tables U' and V' of `CodeGraphAttention`, or with `graph=False` U and V themselves.

    Relations: with `graph=False` it is two `LabelAttention` layers with one projection: what a shared encoder
    gives without the mappings.

    Args:
        sizes: `(n, m)`, the numbers of labels of the two systems.
        edges: Links between their labels, integers `(k, 2)`; see `CodeGraphAttention`. Defaults to none.
        weights: A weight for each link, `(k,)`. Defaults to None: 1 each.
        attention_dim: Size of the projection W, or None to compare the queries with the tokens themselves.
            Defaults to None.
        initial_queries: Two arrays `(n, d)` and `(m, d)` for U and V to start from, such as the embeddings of
            the codes' titles; with `attention_dim` they start from their projection `tanh(W q_j)`, or give
            `(n, attention_dim)` and `(m, attention_dim)` to start from these. The configuration does not hold
            them. Defaults to None: normal with deviation 0.03.
        graph: Whether the links join the queries. Defaults to True.
        use_weights, share_table: As in `CodeGraphAttention`. Default to True and False.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        states: Token states, `(batch, length, d)`.
        attention_mask: `(batch, length)`, 1 for a token and 0 for padding.
        return_attention_scores: Whether to return the weights too. Defaults to False.

    Returns:
        Contexts `(batch, n, d)` and `(batch, m, d)`, zero for a note without tokens; with
        `return_attention_scores` also the weights `(batch, n, length)` and `(batch, m, length)` in float32.

    Raises:
        InputError: As `CodeGraphAttention`, if the initial queries do not fit the states, or if one table is
            asked for without the graph.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import JointLabelAttention
    >>> attention = JointLabelAttention(sizes=(3, 2), edges=[[0, 1], [2, 1]], weights=[1.0, 0.5])
    >>> first, second = attention(np.ones((1, 5, 4)), np.array([[1, 1, 1, 1, 0]]))
    >>> tuple(first.shape), tuple(second.shape)
    ((1, 3, 4), (1, 2, 4))

    Reference: JAMS §2, figure 1 (b).
    """

    def __init__(
        self,
        sizes,
        edges=(),
        weights=None,
        attention_dim=None,
        initial_queries=None,
        graph=True,
        use_weights=True,
        share_table=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_counts(attention_dim=attention_dim)
        if share_table and not graph:
            raise InputError("one table is for the graph: give share_table=True with graph=True")
        self.sizes = checked_sizes(sizes)
        self.edges = checked_edges(edges, self.sizes)
        self.edge_weights = checked_edge_weights(weights, len(self.edges))
        self.attention_dim = attention_dim
        self.initial_queries = checked_tables(initial_queries, self.sizes)
        self.graph = graph
        self.use_weights = use_weights
        self.share_table = share_table
        self.supports_masking = True

    def build(self, states_shape, attention_mask_shape=None):
        size = states_shape[-1]
        key_size = size if self.attention_dim is None else self.attention_dim
        if self.attention_dim is not None:
            self.projection = self.add_weight((size, key_size), "glorot_uniform", name="projection")
        tables = self._initial_tables(size, key_size)
        if self.graph:
            self.code_graph = CodeGraphAttention(
                self.sizes,
                key_size,
                self.edges,
                self.edge_weights,
                tables,
                self.use_weights,
                self.share_table,
                name="code_graph",
                dtype=self.variable_dtype,
            )
            self.code_graph.build()
        else:
            self.tables = [
                self.add_weight((rows, key_size), table_initializer(table), name=f"{name}_queries")
                for name, rows, table in zip(
                    ("first", "second"), self.sizes, tables or (None, None), strict=True
                )
            ]
        self.built = True

    def call(self, states, attention_mask, return_attention_scores=False):
        keys = self._keys(states)
        read = [
            _attend(queries, keys, states, attention_mask, return_attention_scores)
            for queries in self.queries()
        ]
        return tuple(zip(*read, strict=True)) if return_attention_scores else tuple(read)

    def read(self, system, states, attention_mask):
        """What a call returns for one system, without the work for the other.

        Args:
            system: 0 for the first system, 1 for the second.
            states, attention_mask: As in a call.

        Returns:
            Contexts and weights.
        """
        return _attend(self.queries()[system], self._keys(states), states, attention_mask, True)

    def queries(self):
        """The queries of both systems, `(n, attention_dim or d)` and `(m, attention_dim or d)`."""
        tables = self.code_graph() if self.graph else self.tables
        return tuple(ops.cast(table, self.compute_dtype) for table in tables)

    def compute_mask(self, inputs, previous_mask=None):
        # Contexts are of labels: a mask of tokens ends here.
        return None

    def get_config(self):
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "edges": self.edges.tolist(),
            "weights": self.edge_weights.tolist(),
            "attention_dim": self.attention_dim,
            "graph": self.graph,
            "use_weights": self.use_weights,
            "share_table": self.share_table,
        }

    def _keys(self, states):
        return states if self.attention_dim is None else ops.tanh(ops.matmul(states, self.projection))

    def _initial_tables(self, size, key_size):
        if self.initial_queries is None or self.initial_queries[0].shape[1] == key_size:
            return self.initial_queries
        for given in self.initial_queries:
            check_query_size(given, size)
        projection = ops.convert_to_numpy(self.projection)
        return tuple(np.tanh(given @ projection) for given in self.initial_queries)


def _attend(queries, keys, states, attention_mask, return_attention_scores):
    """`attend` with one head and the same queries for every note."""
    return attend(
        queries[None, None], keys[:, None], states[:, None], attention_mask, return_attention_scores
    )
