"""ML-SMOTE: synthetic examples of rare labels, between the embedded training examples that carry them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from icd_relevancy.encoding.token_states import RaggedStates
from icd_relevancy.errors import InputError

LABEL_SETS = ("ranking", "union", "intersection")
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class ResamplingReport:
    """What over-sampling did to the balance of the labels.

    Attributes:
        imbalance_before: IRLbl of each label, `(m,)`, NaN for a label without examples.
        imbalance_after: The same with the synthetic examples.
        minority: Labels whose ratio was above the mean, `(k,)`, by number.
        added: Synthetic examples made from the examples of each minority label, `(k,)`.
        few: Minority labels with 2 examples or more, but fewer others than the neighbours asked for: each
            took the neighbours there are.
        skipped: Minority labels with a single example, which has no neighbour: nothing was made from it.
    """

    imbalance_before: np.ndarray
    imbalance_after: np.ndarray
    minority: np.ndarray
    added: np.ndarray
    few: tuple[int, ...]
    skipped: tuple[int, ...]

    @property
    def mean_before(self) -> float:
        """MeanIR: the mean of `imbalance_before` over the labels with examples, NaN without any."""
        return _mean(self.imbalance_before)

    @property
    def mean_after(self) -> float:
        """MeanIR with the synthetic examples."""
        return _mean(self.imbalance_after)

    def to_dict(self, labels) -> dict:
        """Before and after over-sampling, the mean imbalance ratio and that of each label with an example."""
        ratios = zip(labels, self.imbalance_before.tolist(), self.imbalance_after.tolist(), strict=True)
        by_label = {label: [before, after] for label, before, after in ratios if before == before}
        return {"mean": [self.mean_before, self.mean_after], "labels": by_label}


@dataclass(frozen=True, eq=False)
class Resampled:
    """Training examples with the synthetic ones behind them.

    Attributes:
        features: `(n + s, …)` in the dtype given, `RaggedStates` of such.
        labels: CSR matrix `(n + s, m)` of 0 and 1, int64.
        attention_mask: `(n + s, length)`, or None where there was none.
        structured: `(n + s, k)`, or None where there were none.
        sources: int64 `(s, 2)`: for each synthetic example the two between which it lies.
        report: The `ResamplingReport`.
    """

    features: "np.ndarray | RaggedStates"
    labels: sparse.csr_matrix
    attention_mask: np.ndarray | None
    structured: np.ndarray | None
    sources: np.ndarray
    report: ResamplingReport


def imbalance_per_label(labels) -> np.ndarray:
    """IRLbl: the most frequent label's examples over each label's, `(m,)`, NaN for none (Charte et al. 2015, Eq. 1)."""
    counts = np.asarray((sparse.csr_matrix(labels) != 0).sum(axis=0), float).reshape(-1)
    counts[counts == 0] = np.nan
    return counts if np.isnan(counts).all() else np.nanmax(counts) / counts


def ml_smote(
    features,
    labels,
    attention_mask=None,
    structured=None,
    categorical: Sequence[tuple[int, int]] = (),
    neighbours: int = 5,
    label_set: str = "ranking",
    seed: int = 0,
) -> Resampled:
    """Adds a synthetic example for every example of every minority label (MLSMOTE).

    A label is in the minority when its IRLbl is above the mean over the labels. From each of its examples a new
    one is made: its nearest neighbours are sought among the label's examples, by the distance of the features
    (for token states, of their mean); one of the neighbours is drawn; and the new features lie at a random
    place on the line between the two. One step serves all dimensions, since those of an embedding mean nothing
    alone. Token states are mixed position by position where both notes have a token; the new note has the
    tokens of the first. Ratios and neighbours are those of the examples given, not of synthetic ones.

    A minority label with fewer examples takes the neighbours there are. One with a single example has none:
    nothing is made from it, not even a copy, and the report names it.

    Give it training examples alone, after the split: a synthetic example of a test note would leak.

    Args:
        features: Embeddings `(n, d)`, or token states `(n, length, d)`, padded or as `RaggedStates`.
        labels: 0/1 matrix `(n, m)`, dense or scipy sparse.
        attention_mask: `(n, length)`, needed with token states. Defaults to None.
        structured: Numbers beside the text, `(n, k)`: those that are not categorical lie between like the
            features. Defaults to None.
        categorical: The columns of each categorical feature of `structured`, as (first, behind the last),
            whose new value is the most frequent one of the neighbours, of equally frequent ones the example's
            own; see `StructuredFeatures.categorical`. Defaults to none.
        neighbours: Neighbours of an example. Defaults to 5.
        label_set: Which labels a new example carries, of its own and its neighbours': `"ranking"`, those of
            more than half of them; `"union"`, of any; `"intersection"`, of all. Defaults to `"ranking"`.
        seed: Seed of the neighbours drawn and of the steps. Defaults to 0.

    Returns:
        `Resampled`: all examples, the synthetic ones behind the others.

    Raises:
        InputError: If the arrays do not fit each other or are not finite, token states come without a mask,
            or an argument is out of range.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.training import ml_smote
    >>> embeddings = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [7.0]])
    >>> resampled = ml_smote(embeddings, [[1, 0]] * 4 + [[0, 1]] * 2)
    >>> resampled.labels.toarray()[6:].tolist(), bool((resampled.features[6:] >= 5).all())
    ([[0, 1], [0, 1]], True)
    >>> resampled.report.imbalance_before.tolist(), resampled.report.imbalance_after.tolist()
    ([1.0, 2.0], [1.0, 1.0])

    Reference: HMHAN §III.D; MLSMOTE (Charte et al. 2015) algorithms 1 and 2.
    """
    features = features if isinstance(features, RaggedStates) else np.asarray(features)
    labels = (sparse.csr_matrix(labels) != 0).astype(np.int64)
    mask = None if attention_mask is None else np.asarray(attention_mask)
    structured = None if structured is None else np.asarray(structured)
    _check(features, labels, mask, structured, categorical, neighbours, label_set)
    random, points = np.random.default_rng(seed), _points(features, mask)
    before = imbalance_per_label(labels)
    minority = np.flatnonzero(before > _mean(before))
    bags = [labels[:, [label]].nonzero()[0] for label in minority]
    sizes = np.array([len(bag) for bag in bags], int)
    made = [_draw(points, bag, neighbours, random) for bag in bags if len(bag) > 1]
    sources = np.concatenate([np.empty((0, 2), int), *(each.sources for each in made)])
    steps = np.concatenate([np.empty(0), *(each.steps for each in made)])
    resampled = sparse.vstack(
        [labels, *(_label_sets(labels, each, label_set) for each in made)], format="csr"
    )
    if structured is not None:
        nominal = [_most_frequent(structured, each, categorical) for each in made]
        structured = _between(structured, sources, steps)
        for (start, stop), *values in zip(categorical, *nominal, strict=True):
            structured[len(points) :, start:stop] = np.concatenate(values)
    between = _between_ragged if isinstance(features, RaggedStates) else _between
    return Resampled(
        between(features, sources, steps, mask),
        resampled,
        None if mask is None else np.concatenate([mask, mask[sources[:, 0]]]),
        structured,
        sources,
        ResamplingReport(
            before,
            imbalance_per_label(resampled),
            minority,
            np.where(sizes > 1, sizes, 0),
            tuple(minority[(sizes > 1) & (sizes <= neighbours)].tolist()),
            tuple(minority[sizes == 1].tolist()),
        ),
    )


class _Made(NamedTuple):
    """The synthetic examples of one label: seed and mate of each, the steps between, the seeds' neighbours."""

    sources: np.ndarray
    steps: np.ndarray
    neighbours: np.ndarray


def _mean(ratios: np.ndarray) -> float:
    known = ratios[~np.isnan(ratios)]
    return float(known.mean()) if len(known) else float("nan")


def _points(features: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """What distances are taken of, `(n, d)`: the features, or the mean of the token states."""
    points = features
    if mask is not None:
        # Note after note: a product of the states with the mask would be as large as all states together.
        notes = (_tokens(features, mask, row) for row in range(len(features)))
        sums = [tokens[seen == 1].sum(axis=0, dtype=float) for tokens, seen in notes]
        points = np.reshape(sums, (len(features), features.shape[2]))
        points = points / np.maximum(np.count_nonzero(mask, axis=1), 1)[:, None]
    wrong = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(wrong):
        raise InputError(f"features, row {wrong[0]} (counted from 0): a number is not finite; embed it again")
    return points


def _tokens(states, mask: np.ndarray, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The token states of a note and its mask, without the padding where there is none."""
    if not isinstance(states, RaggedStates):
        return states[row], mask[row]
    length = int(states.lengths[row])
    return states[np.array([row]), :length][0], mask[row, :length]


def _draw(points: np.ndarray, bag: np.ndarray, neighbours: int, random: np.random.Generator) -> _Made:
    count = min(neighbours, len(bag) - 1)
    # Without points of its own the query leaves each example out of its neighbours, repeats or not.
    nearest = NearestNeighbors(n_neighbors=count).fit(points[bag]).kneighbors(return_distance=False)
    drawn = random.integers(count, size=len(bag))
    mates = np.take_along_axis(nearest, drawn[:, None], axis=1)[:, 0]
    return _Made(np.column_stack([bag, bag[mates]]), random.random(len(bag)), bag[nearest])


def _label_sets(labels: sparse.csr_matrix, made: _Made, label_set: str) -> sparse.csr_matrix:
    """The labels that enough of each seed and its neighbours carry."""
    carriers = np.column_stack([made.sources[:, 0], made.neighbours])
    counts = sum(labels[column] for column in carriers.T).tocsr()
    size = carriers.shape[1]
    least = {"ranking": size // 2 + 1, "union": 1, "intersection": size}[label_set]
    counts.data = (counts.data >= least).astype(np.int64)
    counts.eliminate_zeros()
    return counts


def _between(values: np.ndarray, sources: np.ndarray, steps: np.ndarray, mask: np.ndarray | None = None):
    """The values, and behind them those on the way from each seed to its mate."""
    both = np.empty((len(values) + len(sources), *values.shape[1:]), values.dtype)
    both[: len(values)] = values
    for start in range(0, len(sources), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        seeds, mates = sources[block].T
        step = steps[block].reshape(-1, *[1] * (values.ndim - 1))
        if mask is not None:
            step = step * ((mask[seeds] == 1) & (mask[mates] == 1))[..., None]
        rows = values[seeds] + step * (values[mates].astype(float) - values[seeds])
        both[len(values) + start :][: len(rows)] = rows
    return both


def _between_ragged(states: RaggedStates, sources: np.ndarray, steps: np.ndarray, mask: np.ndarray):
    """The same of token states, which stay as short as the notes are."""
    lengths = np.concatenate([states.lengths, states.lengths[sources[:, 0]]])
    values = np.empty((lengths.sum(), states.shape[2]), states.dtype)
    stop = 0
    for row in range(len(states)):
        start, stop = stop, stop + lengths[row]
        values[start:stop] = _tokens(states, mask, row)[0]
    for (seed, mate), step in zip(sources, steps, strict=True):
        (new, seen), (other, also_seen) = (_tokens(states, mask, row) for row in (seed, mate))
        both = min(len(new), len(other))
        step = step * ((seen[:both] == 1) & (also_seen[:both] == 1))[:, None]
        start, stop = stop, stop + len(new)
        values[start:stop] = new
        values[start : start + both] = new[:both] + step * (other[:both].astype(float) - new[:both])
    return RaggedStates(values, lengths)


def _most_frequent(structured: np.ndarray, made: _Made, categorical) -> list[np.ndarray]:
    """For each categorical feature its most frequent value among the neighbours of each seed."""
    chosen, rows = [], np.arange(len(made.steps))
    for start, stop in categorical:
        values, number = np.unique(structured[:, start:stop], axis=0, return_inverse=True)
        number = number.reshape(-1)
        votes = np.zeros((len(rows), len(values)))
        for column in made.neighbours.T:
            votes[rows, number[column]] += 1
        votes[rows, number[made.sources[:, 0]]] += 0.5  # breaks ties alone
        chosen.append(values[votes.argmax(axis=1)])
    return chosen


def _check(features, labels, mask, structured, categorical, neighbours, label_set) -> None:
    count = len(features) if features.shape else 0
    if len(features.shape) not in (2, 3) or labels.shape[0] != count:
        raise InputError(
            f"features must be (n, d) or (n, length, d), one row a row of the {labels.shape[0]} labels. "
            f"Received: shape {features.shape}"
        )
    if (mask is not None) != (len(features.shape) == 3) or (
        mask is not None and mask.shape != features.shape[:2]
    ):
        raise InputError(
            "token states (n, length, d) need an attention_mask (n, length), and embeddings none. "
            f"Received: features {features.shape}, attention_mask {None if mask is None else mask.shape}"
        )
    if structured is not None and (structured.ndim != 2 or len(structured) != count):
        raise InputError(f"structured must be ({count}, k). Received: shape {structured.shape}")
    columns = 0 if structured is None else structured.shape[1]
    if any(not 0 <= start < stop <= columns for start, stop in categorical):
        raise InputError(f"categorical must be ranges of the {columns} structured columns: {categorical}")
    if neighbours < 1 or label_set not in LABEL_SETS:
        raise InputError(
            f"neighbours must be at least 1 and label_set one of {LABEL_SETS}. "
            f"Received: neighbours={neighbours}, label_set={label_set!r}"
        )
