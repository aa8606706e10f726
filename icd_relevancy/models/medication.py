"""The network from a stay's medication to the probability of every code of the hierarchy, and its controls."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
from scipy import sparse
from tqdm import tqdm

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.layers.constraints import HierL2, MeanOfChildren, RollDown, RollUp

_ROWS_AT_ONCE = 1024
CONSTRAINTS = {"roll_up": RollUp, "roll_down": RollDown, "mean_of_children": MeanOfChildren}


def medication_network(
    inputs: int,
    labels: int,
    hidden_layers: int = 2,
    units: int | Sequence[int] = 2048,
    dropout: float = 0.7,
    batch_norm: bool = False,
    output_l2: float = 0.0,
    hier_l2: float = 0.0,
    constraint: str | None = None,
    hierarchy: Hierarchy | None = None,
):
    """A feed-forward Keras model from a stay's drugs, age and sex to the probability of each code.

    The inputs are numbers: a multi-hot of the drugs, with the age (clipped at 89 years, divided by 89) and the
    sex beside it. Compile it with `keras.optimizers.Adam(2e-4)`.

    Args:
        inputs: Number of inputs, 1,166 in CAC: 1,164 RxNorm ingredients, age and sex.
        labels: m, the number of codes: every node of the hierarchy, or those of one level.
        hidden_layers: Hidden ReLU layers. Defaults to 2; CAC searches 1 to 8 and finds 2 to 3.
        units: Units of every hidden layer, or a list of one number a layer. Defaults to 2,048; CAC searches
            256 to 6,144.
        dropout: Share of the hidden units dropped while training. Defaults to 0.7; CAC searches 0 to 0.8.
        batch_norm: Whether to normalise before each ReLU. Defaults to False.
        output_l2: Factor of the L2 penalty on the output layer's kernel. Defaults to 0: none.
        hier_l2: λ of `HierL2` on the output layer's kernel and bias. Defaults to 0: none.
        constraint: `"roll_up"`, `"roll_down"` or `"mean_of_children"`, a last layer along the hierarchy.
            Defaults to None.
        hierarchy: The `Hierarchy` of the m codes; needed for `hier_l2` and `constraint`. Defaults to None.

    Returns:
        A functional `keras.Model` from `(batch, inputs)` to `(batch, m)` in [0, 1], float32 under mixed
        precision too. Its layer `codes` holds the output weights.

    Raises:
        InputError: If a number is out of range, the hierarchy is missing or of another number of codes, or
            both penalties are given.

    Example:

    >>> medication_network(inputs=12, labels=5, units=256).output_shape
    (None, 5)

    Reference: CAC §2.2.1.
    """
    widths = _widths(hidden_layers, units)
    _check(0 <= dropout < 1, "dropout", dropout, "in [0, 1)")
    _check(output_l2 >= 0, "output_l2", output_l2, "from 0")
    _check(constraint is None or constraint in CONSTRAINTS, "constraint", constraint, f"in {[*CONSTRAINTS]}")
    _check_hierarchy(hierarchy, labels, needed=bool(hier_l2 or constraint))
    if output_l2 and hier_l2:
        raise InputError("output_l2 and hier_l2 are two penalties on the same weights; give one of them")
    features = keras.Input((inputs,), dtype="float32", name="stay")
    hidden = features
    for width in widths:
        hidden = keras.layers.Dense(width)(hidden)
        if batch_norm:
            hidden = keras.layers.BatchNormalization()(hidden)
        hidden = keras.layers.ReLU()(hidden)
        if dropout:
            hidden = keras.layers.Dropout(dropout)(hidden)
    along_hierarchy = HierL2(hierarchy, hier_l2) if hier_l2 else None
    outputs = keras.layers.Dense(
        labels,
        activation="sigmoid",
        kernel_regularizer=keras.regularizers.L2(output_l2) if output_l2 else along_hierarchy,
        bias_regularizer=along_hierarchy,
        dtype="float32",
        name="codes",
    )(hidden)
    if constraint:
        outputs = CONSTRAINTS[constraint](hierarchy, dtype="float32", name=constraint)(outputs)
    return keras.Model(features, outputs, name="medication_network")


def mean_network(networks: Sequence[keras.Model]) -> keras.Model:
    """The mean of what several networks say, as one model that shares their layers.

    Networks that differ by their seed alone err differently; their mean ranks better than each.

    Args:
        networks: Models of `medication_network` with the same inputs and labels.

    Returns:
        A `keras.Model` from `(batch, inputs)` to `(batch, m)` in [0, 1].

    Example:

    >>> networks = [medication_network(inputs=12, labels=5, units=256) for _ in range(3)]
    >>> mean_network(networks).output_shape
    (None, 5)
    """
    features = keras.Input(networks[0].input_shape[1:], dtype="float32", name="stay")
    # Models of their own, so that what the networks were compiled with is not kept.
    members = [
        keras.Model(network.input, network.output, name=f"member_{number}")
        for number, network in enumerate(networks)
    ]
    outputs = keras.layers.Average(dtype="float32", name="mean")([member(features) for member in members])
    return keras.Model(features, outputs, name="mean_network")


def predict_blocks(model, inputs, batch_size: int = 1024) -> Iterator[tuple[slice, np.ndarray]]:
    """A model's outputs for sparse inputs, one batch after the other, so that nothing dense is ever whole.

    Every batch is given to the model with `batch_size` rows, the last one filled up, so that it is compiled
    for one shape.

    Args:
        model: A Keras model of one input.
        inputs: `(n, features)` of numbers, scipy sparse (CSR is the fastest) or dense.
        batch_size: Rows a batch. Defaults to 1,024.

    Yields:
        The rows as a slice, and the outputs of these rows.

    Raises:
        InputError: If the inputs are boolean, which makes a scaled age 0 or 1, have another number of features
            than the model, or `batch_size` is below 1.

    Example:

    >>> import numpy as np
    >>> from scipy import sparse
    >>> model = medication_network(inputs=12, labels=5, units=256)
    >>> stays = sparse.random(10, 12, density=0.2, format="csr", dtype=np.float32)
    >>> [(rows.start, rows.stop, block.shape) for rows, block in predict_blocks(model, stays, batch_size=8)]
    [(0, 8, (8, 5)), (8, 10, (2, 5))]

    Reference: CAC §3.6.2.
    """
    inputs = _checked_inputs(model, inputs, batch_size)
    return _blocks(model, inputs, batch_size)


def predict_streamed(
    model, inputs, batch_size: int = 1024, dtype="float32", out=None, progress: bool = True
) -> np.ndarray:
    """A model's outputs for sparse inputs in one array, without a dense copy of the inputs beside it.

    The outputs of 58,976 stays over 9,336 codes take 2.2 GB as float32 and 1.1 GB as float16; give a
    `numpy.memmap` as `out` to keep them on disk, or use `predict_blocks` to keep none of them.

    Args:
        model: A Keras model of one input.
        inputs: `(n, features)` of numbers, scipy sparse (CSR is the fastest) or dense.
        batch_size: Rows a batch. Defaults to 1,024.
        dtype: Of the array made where `out` is None; `"float16"` halves it and keeps three digits. Defaults
            to `"float32"`.
        out: An array `(n, m)` to write to, such as a `numpy.memmap`. Defaults to None: a new one.
        progress: Whether to show a progress bar. Defaults to True.

    Returns:
        The outputs, `(n, m)`: `out` where it was given.

    Raises:
        InputError: As in `predict_blocks`, or if `out` has another shape.

    Example:

    >>> import numpy as np
    >>> from scipy import sparse
    >>> model = medication_network(inputs=12, labels=5, units=256)
    >>> stays = sparse.random(10, 12, density=0.2, format="csr", dtype=np.float32)
    >>> predict_streamed(model, stays, dtype="float16").shape
    (10, 5)

    Reference: CAC §3.6.2.
    """
    shape = (inputs.shape[0], model.output_shape[-1])
    blocks = predict_blocks(model, inputs, batch_size)
    if out is None:
        out = np.empty(shape, dtype)
    elif out.shape != shape:
        raise InputError(f"out has shape {out.shape}; the outputs are {shape}")
    # None leaves the bar out where the output is not a terminal.
    with tqdm(
        total=shape[0],
        desc="predicting",
        unit="stay",
        leave=False,
        delay=1,
        disable=None if progress else True,
    ) as bar:
        for rows, block in blocks:
            out[rows] = block
            bar.update(len(block))
    return out


class FrequencyDummy:
    """Predicts for every stay the share of the training stays with each code.

    Attributes:
        frequencies_: float64 `(m,)` in [0, 1], after `fit`.

    Example:

    >>> FrequencyDummy().fit([[1, 0], [1, 1]]).predict(3).tolist()
    [[1.0, 0.5], [1.0, 0.5], [1.0, 0.5]]

    Reference: CAC §2.2.2.
    """

    def fit(self, labels):
        """Takes the frequencies of the codes.

        Args:
            labels: 0/1 matrix `(n, m)` of the training stays, dense or scipy sparse.

        Returns:
            Itself.

        Raises:
            InputError: If there are no stays.
        """
        labels = sparse.csr_matrix(labels)
        if not labels.shape[0]:
            raise InputError("the label matrix has no rows; frequencies come from the training part")
        self.frequencies_ = np.asarray((labels != 0).sum(axis=0)).reshape(-1) / labels.shape[0]
        return self

    def predict(self, n: int) -> np.ndarray:
        """The same scores for each of n stays.

        Args:
            n: Number of stays.

        Returns:
            float64 `(n, m)`, a read-only view of one row: it takes no memory, whatever n.

        Raises:
            InputError: If it was not fitted.
        """
        if not hasattr(self, "frequencies_"):
            raise InputError("FrequencyDummy has no frequencies yet; call fit(labels) first")
        return np.broadcast_to(self.frequencies_, (n, len(self.frequencies_)))


def mean_of_children(probabilities, hierarchy: Hierarchy, out: np.ndarray | None = None) -> np.ndarray:
    """Replaces each parent's probability by the mean of its children's, from the leaves upwards.

    The strategy of Hansen et al., with which CAC compares: apply it to a network of the leaves' codes. To
    train through it, give `medication_network` the constraint `"mean_of_children"`.

    Args:
        probabilities: `(n, m)`; those of inner codes do not matter.
        hierarchy: The `Hierarchy` of the m codes.
        out: Where to write; may be `probabilities` itself. Defaults to None: a new array.

    Returns:
        `(n, m)`: `out` where it was given.

    Raises:
        InputError: If there are not m columns.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> mean_of_children([[0.9, 0.75, 0.25]], Hierarchy([-1, 0, 0])).tolist()
    [[0.5, 0.75, 0.25]]

    Reference: CAC §4.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(hierarchy):
        raise InputError(
            f"probabilities have shape {probabilities.shape}; the hierarchy {len(hierarchy)} codes"
        )
    if out is None:
        out = np.empty_like(probabilities)
    weights = _leaf_weights(hierarchy)
    for start in range(0, len(probabilities), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        out[rows] = (weights @ probabilities[rows].T).T
    return out


def _blocks(model, inputs, batch_size):
    count = inputs.shape[0]
    full = np.zeros((batch_size, inputs.shape[1]), np.float32)
    for start in range(0, count, batch_size):
        rows = slice(start, min(start + batch_size, count))
        block = inputs[rows]
        full[: block.shape[0]] = block.toarray() if sparse.issparse(block) else block
        full[block.shape[0] :] = 0
        yield rows, model.predict_on_batch(full)[: block.shape[0]]


def _checked_inputs(model, inputs, batch_size):
    _check(batch_size >= 1, "batch_size", batch_size, "at least 1")
    inputs = inputs.tocsr() if sparse.issparse(inputs) else np.asarray(inputs)
    if inputs.dtype == bool:
        raise InputError("the inputs are boolean, so a scaled age is 0 or 1; build them as float32")
    if inputs.ndim != 2 or inputs.shape[1] != model.input_shape[-1]:
        raise InputError(
            f"the inputs have shape {inputs.shape}; the model takes (n, {model.input_shape[-1]})"
        )
    return inputs


def _widths(hidden_layers, units) -> list[int]:
    _check(hidden_layers >= 1, "hidden_layers", hidden_layers, "at least 1")
    widths = [units] * hidden_layers if np.ndim(units) == 0 else list(units)
    _check(len(widths) == hidden_layers, "units", units, f"one number, or {hidden_layers} of them")
    _check(min(widths) >= 1, "units", units, "at least 1")
    return widths


def _check_hierarchy(hierarchy, labels, needed):
    if hierarchy is None and needed:
        raise InputError("hier_l2 and constraint need the hierarchy of the labels; give hierarchy")
    if hierarchy is not None and len(hierarchy) != labels:
        raise InputError(f"the hierarchy has {len(hierarchy)} labels; the network {labels}")


def _check(holds: bool, name: str, value, allowed: str):
    if not holds:
        raise InputError(f"{name} must be {allowed}. Received: {name}={shown_word(value)}")


def _leaf_weights(hierarchy: Hierarchy) -> sparse.csr_matrix:
    """`(m, m)`: how much each leaf counts in the mean of each code."""
    children = np.flatnonzero(hierarchy.parents >= 0)
    parents = hierarchy.parents[children]
    counts = np.bincount(parents, minlength=len(hierarchy))
    leaves = np.flatnonzero(counts == 0)
    one_step = sparse.csr_matrix(
        (
            np.concatenate([1 / counts[parents], np.ones(len(leaves))]),
            (np.concatenate([parents, leaves]), np.concatenate([children, leaves])),
        ),
        shape=(len(hierarchy),) * 2,
    )
    weights = one_step
    for _ in range(hierarchy.levels.max() - 1):
        weights = weights @ one_step
    return weights
