"""Asks the relevance graph about a batch, in `keras.ops` and without a label x label product.

Only the true labels of a batch and their neighbours are visited: a batch of 32 notes with 4 codes each and 60
neighbours a code has 7,680 such edges, whatever the number of labels. The edges are numbered through the batch
and walked in blocks, so there is no limit to the labels of a note or the neighbours of a code, and every shape
is static (XLA, JAX).
"""

from typing import NamedTuple

import numpy as np
from keras import ops

from icd_relevancy._arguments import warn_caller
from icd_relevancy.relevance.graph import RelevanceGraph, get_relevance

_SMALLEST_BLOCK = 512
# Room for the edges of an ordinary batch, 32 notes with 4 or 5 codes each.
_LABELS_A_BLOCK = 160
_CHUNK = 64


class Edges(NamedTuple):
    """A relevance graph as backend tensors: row j's edges are `first[j] .. first[j] + degree[j]`."""

    first: object
    degree: object
    neighbour: object
    weight: object
    largest_degree: int
    smallest_block: int


def edges_of(graph: RelevanceGraph | None, matching: str) -> Edges | None:
    """The graph's edges, weighted by similarity if `matching` is `"graded"`, else by 1; None for exact matching."""
    if graph is None or graph.is_identity:
        return None
    matrix = graph.matrix
    degree = np.diff(matrix.indptr)
    weight = matrix.data if matching == "graded" else np.ones_like(matrix.data)
    return Edges(
        ops.convert_to_tensor(matrix.indptr[:-1].astype("int32")),
        ops.convert_to_tensor(degree.astype("int32")),
        ops.convert_to_tensor(matrix.indices.astype("int32")),
        ops.convert_to_tensor(weight.astype("float32")),
        int(degree.max()),
        max(_SMALLEST_BLOCK, int(degree.max()), int(_LABELS_A_BLOCK * degree.mean())),
    )


class GraphInUse:
    """The graph of a loss or metric: its own, else `set_relevance`'s at first use, else equality, with one warning."""

    _warned = False

    def __init__(self, relevance: RelevanceGraph | None, matching: str):
        if relevance is not None and not isinstance(relevance, RelevanceGraph):
            raise ValueError(
                f"`relevance` must be a RelevanceGraph or None. Received: {type(relevance).__name__}"
            )
        self._graph, self._matching = relevance, matching
        self._is_settled = relevance is not None
        # Made here, outside any traced function, so that the graph is not copied into each of them.
        self._edges = edges_of(relevance, matching)

    def edges(self, y_true, y_pred) -> Edges | None:
        """The graph's edges, for labels and scores of the right shape; a `ValueError` for others."""
        graph = self._settled()
        check_shapes(y_true, y_pred, graph)
        return self._edges or edges_of(graph, self._matching)

    def get_config(self) -> dict | None:
        """The graph in use as JSON values; None for exact matching."""
        graph = self._graph if self._is_settled else get_relevance()
        return None if graph is None else graph.get_config()

    def _settled(self) -> RelevanceGraph | None:
        if not self._is_settled:
            self._graph, self._is_settled = get_relevance(), True
            if self._graph is None and not GraphInUse._warned:
                GraphInUse._warned = True
                warn_caller(
                    "no relevance graph: codes match by equality only. "
                    "Pass relevance=graph, or call icd_relevancy.set_relevance(graph)."
                )
        return self._graph


def check_shapes(y_true, y_pred, graph: RelevanceGraph | None) -> None:
    """Raises a `ValueError` unless both are `(batch, m)` with a column for each code of the graph."""
    shapes = f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
    if len(y_true.shape) != 2 or len(y_pred.shape) != 2 or not _agree(y_true.shape, y_pred.shape):
        raise ValueError(f"`y_true` and `y_pred` must have the same shape (batch, labels). {shapes}")
    if graph is not None and y_pred.shape[1] is not None and y_pred.shape[1] != len(graph):
        raise ValueError(
            f"`y_pred` must have one column for each of the {len(graph)} codes of the relevance graph. {shapes}"
        )


def _agree(first, second) -> bool:
    return all(a == b or None in (a, b) for a, b in zip(first, second, strict=True))


def matching_coefficients(y_true, y_pred, edges: Edges | None):
    """Constants `found`, `justified` `(batch, m)` that turn the two scores into sums over the predictions.

    For multi-hot `y_true`, scores `p` in [0, 1] and the graph's weights δ:

    - `Σ_k p_k found_k = Σ_{j true} max_k p_k δ_jk`: each true label puts its δ on the label that finds it best;
    - `justified_k = max_{j true} δ_jk`: how well the true labels justify label k.

    No gradient flows through either: the derivative of a maximum is that of its winner. With exact matching both are
    `y_true` itself.
    """
    true = ops.cast(y_true, y_pred.dtype)
    if edges is None:
        return true, true

    def visit(block, found, justified):
        best = ops.segment_max(block.score, block.segment, block.size)
        wins = ops.equal(block.score, ops.take(best, block.segment))
        # Of several equal winners the first counts.
        rank = ops.where(wins, block.size - block.order, 0)
        first = ops.equal(rank, ops.take(ops.segment_max(rank, block.segment, block.size), block.segment))
        won = ops.where(ops.logical_and(wins, first), block.weight, 0.0)
        return (
            found + ops.segment_sum(won, block.target, block.cells),
            ops.maximum(justified, ops.segment_max(block.weight, block.target, block.cells)),
        )

    found, justified = _walk(y_true, y_pred, edges, visit)
    return ops.stop_gradient(ops.cast(found, y_pred.dtype)), ops.stop_gradient(
        ops.cast(justified, y_pred.dtype)
    )


def matched(y_true, y_pred, edges: Edges | None):
    """Whether each true label is found by a set `y_pred`, and each label justified, as 0/1 tensors `(batch, m)`."""
    true = ops.cast(y_true, y_pred.dtype)
    if edges is None:
        return true * y_pred, true

    def visit(block, found, justified):
        return (
            ops.maximum(found, ops.segment_max(block.score, block.source, block.cells)),
            ops.maximum(justified, ops.segment_max(block.weight, block.target, block.cells)),
        )

    return _walk(y_true, y_pred, edges, visit)


class _Block(NamedTuple):
    """Some edges of a batch. A cell is a place in the flattened `(batch, m)`."""

    order: object  # 0, 1, 2 …
    source: object  # the cell of the edge's true label
    target: object  # the cell of the neighbour
    weight: object  # δ; 0 beyond the last edge
    score: object  # p δ
    segment: object  # a number for each true label in the block
    size: object  # edges in a block
    cells: object  # batch x m


def _walk(y_true, y_pred, edges: Edges, visit):
    """Passes every edge of every true label to `visit`, all edges of one label in the same block."""
    shape = ops.shape(y_pred)
    batch, labels = shape[0], edges.degree.shape[0]
    cells = batch * labels
    if isinstance(batch, int) and not batch:
        nothing = ops.zeros(shape, "float32")
        return nothing, nothing
    scores = ops.cast(ops.stop_gradient(ops.reshape(y_pred, (-1,))), "float32")
    degrees = ops.where(y_true > 0.5, edges.degree[None, :], 0)
    ends = _running_edges(degrees, edges.largest_degree, batch, labels)
    total = ops.max(ends[:, -1], initial=0)  # of no notes 0
    size = _block_size(cells, edges.smallest_block)
    order = ops.arange(size, dtype="int32")

    def body(start, found, justified):
        number = start + order
        note, label, end = _place_of(number, ends, batch, labels)
        degree = ops.take(edges.degree, label)
        # Labels whose edges go on beyond this block wait for the next one.
        inside = ops.logical_and(number < total, end <= start + size)
        edge = ops.where(inside, ops.take(edges.first, label) + degree - (end - number), 0)
        target = ops.where(inside, note * labels + ops.take(edges.neighbour, edge), 0)
        weight = ops.where(inside, ops.take(edges.weight, edge), 0.0)
        # A block opens with the first edge of a label, so the running count starts at 1.
        begins = ops.cast(ops.equal(number, end - degree), "int32")
        segment = ops.maximum(ops.cumsum(begins) - 1, 0)
        score = weight * ops.take(scores, target)
        source = ops.where(inside, note * labels + label, 0)
        found, justified = visit(
            _Block(order, source, target, weight, score, segment, size, cells), found, justified
        )
        return ops.max(ops.where(end <= start + size, end, start)), found, justified

    nothing = ops.zeros_like(scores)
    _, found, justified = ops.while_loop(
        lambda start, found, justified: start < total, body, (ops.zeros_like(total), nothing, nothing)
    )
    return ops.reshape(found, shape), ops.reshape(justified, shape)


def _block_size(cells, smallest: int):
    """Larger for large batches, so that dense label sets take few blocks."""
    return max(smallest, cells // 64) if isinstance(cells, int) else ops.maximum(smallest, cells // 64)


def _running_edges(degrees, largest: int, batch, labels):
    """How many edges the batch has up to and including each label, `(batch, labels)` int32.

    A running sum in two levels: a small matrix product within chunks of labels, then one over the chunks
    (several times faster on a CPU than one `cumsum` over all cells). The product takes eight bits at a time,
    so that it is exact even where matrix products round their factors (TF32, bfloat16).
    """
    chunks = -(-labels // _CHUNK)
    degrees = ops.pad(degrees, ((0, 0), (0, chunks * _CHUNK - labels)))
    degrees = ops.reshape(degrees, (-1, _CHUNK))
    triangle = np.triu(np.ones((_CHUNK, _CHUNK), "float32"))
    within = ops.zeros_like(degrees)
    for shift in range(0, largest.bit_length(), 8):
        digit = ops.cast(degrees // 2**shift % 256, "float32")
        within = within + ops.cast(digit @ triangle, "int32") * 2**shift
    before = ops.cumsum(within[:, -1]) - within[:, -1]
    return ops.reshape(within + before[:, None], (batch, chunks * _CHUNK))


def _place_of(number, ends, batch, labels):
    """The note and label of each edge number, and where that label's edges end.

    The note by comparison, then the label by bisection: XLA's own `searchsorted` compares every edge with every label.
    """
    note = ops.sum(ops.cast(number[:, None] >= ends[None, :, -1], "int32"), axis=1)
    note = ops.minimum(note, batch - 1)
    width = ends.shape[1]
    ends = ops.reshape(ends, (-1,))
    label = ops.zeros_like(number)
    for bit in reversed(range(labels.bit_length())):
        further = label + (1 << bit)
        passed = ops.take(ends, note * width + ops.minimum(further, width) - 1) <= number
        label = ops.where(passed, further, label)
    label = ops.minimum(label, labels - 1)
    return note, label, ops.take(ends, note * width + label)
