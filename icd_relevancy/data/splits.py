"""Folds that keep groups of notes whole and the labels in proportion, and random splits that keep patients whole."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import sparse

from icd_relevancy.data.stays import Stays
from icd_relevancy.errors import InputError

_MOST_PARTS = (20, 100, 1000)


def stratified_group_folds(labels, groups, n_folds: int = 5, seed: int = 0) -> np.ndarray:
    """Assigns notes to folds by iterative stratification, each group whole.

    Labels are dealt out from the rarest to the most frequent: each group of notes that carries the label goes
    to the fold that lacks most notes with this label. Among equal folds it goes to the one that lacks most of
    the group's labels and of notes in general (the paper asks for notes alone here, which leaves the frequent
    labels to chance), and then to one drawn at random. Having no label counts as one more label, so these
    notes are spread too.

    Args:
        labels: Sparse (or dense) 0/1 matrix `(n, m)`, for example from `encode_labels`; never made dense.
        groups: Group number of each note `(n,)`, for example from `Notes.groups`.
        n_folds: Number of folds. Defaults to 5.
        seed: Seed of the order of groups and of ties. Defaults to 0.

    Returns:
        int64 array `(n,)`: the fold of each note, 0 to `n_folds - 1`.

    Raises:
        InputError: If `n_folds` is below 2, or there are fewer groups than folds.

    Example:

    >>> from icd_relevancy.data import encode_labels, stratified_group_folds
    >>> labels = encode_labels([("R05",), ("R05",), ("R50.9",), ("R50.9",)], ("R05", "R50.9"))
    >>> folds = stratified_group_folds(labels, groups=[0, 1, 2, 3], n_folds=2)
    >>> bool(folds[0] != folds[1]), bool(folds[2] != folds[3])
    (True, True)

    Reference: Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label data, ECML PKDD 2011.
    """
    labels, group = _checked(labels, groups)
    n_groups = int(group.max(initial=-1)) + 1
    if n_folds < 2:
        raise InputError(f"n_folds must be at least 2; received {n_folds}")
    if n_groups < n_folds:
        problem = f"{n_folds} folds need as many groups of notes, but there are {n_groups}"
        raise InputError(f"{problem} (a group is the notes that share a patient or text)")
    return _deal(labels, group, n_folds, seed)[group]


def train_validation_split(
    labels, groups, validation: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Splits notes in a training and a validation part, each group whole, the labels in proportion.

    The notes are dealt into equal folds as by `stratified_group_folds`, of which the validation part gets its
    share (3 of 20 for 0.15). Dealing into two unequal parts would put every rare label into the training part
    and starve the validation part where most notes carry one.

    Args:
        labels: Sparse (or dense) 0/1 matrix `(n, m)`.
        groups: Group number of each note `(n,)`.
        validation: Share of the notes for validation, in (0, 1). Defaults to 0.1.
        seed: Seed of the order of groups and of ties. Defaults to 0.

    Returns:
        Sorted int64 arrays: the positions of the training notes and of the validation notes, neither empty.

    Raises:
        InputError: If `validation` is not in (0, 1), or all notes are in one group.

    Example:

    >>> from icd_relevancy.data import encode_labels, train_validation_split
    >>> labels = encode_labels([("R05",)] * 10, ("R05",))
    >>> train, validation = train_validation_split(labels, groups=range(10), validation=0.2)
    >>> len(train), len(validation)
    (8, 2)
    """
    if not 0 < validation < 1:
        raise InputError(f"validation must be a share between 0 and 1; received {validation}")
    labels, group = _checked(labels, groups)
    n_groups = int(group.max(initial=-1)) + 1
    if n_groups < 2:
        raise InputError(
            "all notes or stays share one patient or text, so none can be held out for validation"
        )
    n_validation, n_parts = _parts(validation, n_groups)
    part = _deal(labels, group, n_parts, seed)[group]
    sizes = np.bincount(part, minlength=n_parts)
    # A very large group can fill one part and leave another empty: take those nearest to the right size.
    by_size = np.argsort(np.where(sizes > 0, np.abs(sizes - len(group) / n_parts), np.inf), kind="stable")
    held_out = np.isin(part, by_size[:n_validation])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _parts(validation: float, n_groups: int) -> tuple[int, int]:
    """The parts for validation and all equal parts: few if they come within 5 % of the share, else more."""
    for most in _MOST_PARTS:
        n_parts = min(most, n_groups)
        share = Fraction(validation).limit_denominator(n_parts)
        if abs(share - validation) <= 0.05 * min(validation, 1 - validation):
            return share.numerator, share.denominator
    return min(max(round(validation * n_parts), 1), n_parts - 1), n_parts


def _checked(labels, groups) -> tuple[sparse.csr_matrix, np.ndarray]:
    """The labels as CSR and the groups numbered 0, 1, … without gaps."""
    labels = sparse.csr_matrix(labels)
    group = np.unique(np.asarray(groups), return_inverse=True)[1].ravel()
    if len(group) != labels.shape[0]:
        raise InputError(
            f"groups must have one value a note; received {len(group)} for {labels.shape[0]} notes"
        )
    return labels, group


def _deal(labels: sparse.csr_matrix, group: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """The fold of each group."""
    random = np.random.default_rng(seed)
    counts, size = _group_counts(labels, group)
    members = counts.tocsc()
    remaining = np.asarray(counts.sum(axis=0), dtype=np.int64).ravel()
    wanted, wanted_size = remaining / n_folds, size.sum() / n_folds
    given = np.zeros((counts.shape[1], n_folds), np.int64)
    given_size = np.zeros(n_folds, np.int64)
    tie_break = random.permutation(counts.shape[0])
    fold = np.full(counts.shape[0], -1, np.int64)
    while remaining.any():
        label = np.where(remaining > 0, remaining, np.iinfo(np.int64).max).argmin()
        stretch = slice(members.indptr[label], members.indptr[label + 1])
        rows, row_counts = members.indices[stretch], members.data[stretch]
        # Large groups first: small ones can still even out what they upset.
        order = np.lexsort((tie_break[rows], -row_counts))
        for row in rows[order][fold[rows[order]] < 0]:
            entries = slice(counts.indptr[row], counts.indptr[row + 1])
            columns, values = counts.indices[entries], counts.data[entries]
            best = _largest(wanted[label] - given[label])
            if len(best) > 1:
                lacking = 1 - given[columns][:, best] / wanted[columns, None]
                best = best[_largest(lacking.sum(axis=0) + 1 - given_size[best] / wanted_size)]
            chosen = fold[row] = best[0] if len(best) == 1 else random.choice(best)
            given[columns, chosen] += values
            given_size[chosen] += size[row]
            remaining[columns] -= values
    return fold


def _group_counts(labels: sparse.csr_matrix, group: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """For each group its notes with each label and, in a last column, without any; and its notes."""
    n = labels.shape[0]
    present = labels.astype(bool).astype(np.int64)
    present.eliminate_zeros()
    without = sparse.csr_matrix((np.diff(present.indptr) == 0).astype(np.int64)[:, None])
    belongs = sparse.csr_matrix((np.ones(n, np.int64), (group, np.arange(n))), shape=(group.max() + 1, n))
    counts = sparse.csr_matrix(belongs @ sparse.hstack([present, without], format="csr"))
    return counts, np.bincount(group)


def _largest(values: np.ndarray) -> np.ndarray:
    return np.flatnonzero(values == values.max())


@dataclass(frozen=True, eq=False)
class StaySplit:
    """Positions of the stays of one split, each array sorted, int64.

    Attributes:
        train: Stays to train on.
        dev: Stays to choose a model by.
        test: Stays to report on.
    """

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def monte_carlo_splits(
    stays: Stays, n_splits: int = 3, dev_size: float = 5000, test_size: float = 5000, seed: int = 0
) -> tuple[StaySplit, ...]:
    """Random splits in a training, a development and a test part, drawn anew each time (CAC §2.2.1).

    No patient is in two parts of a split. Patients are drawn in a random order and taken while they fit, so a
    part has its size exactly unless the last stays of it would split a patient.

    Args:
        stays: The stays.
        n_splits: Number of splits. Defaults to 3.
        dev_size: Stays of the development part, or a share below 1 of all stays. Defaults to 5,000.
        test_size: Stays of the test part, or a share below 1. Defaults to 5,000.
        seed: Seed; a split depends on it and on its own number only. Defaults to 0.

    Returns:
        A `StaySplit` for each split.

    Raises:
        InputError: If `n_splits` is below 1, a size is not positive, or a part would be empty.

    Example:

    >>> from icd_relevancy.data import monte_carlo_splits, synthetic_stays
    >>> splits = monte_carlo_splits(synthetic_stays(100), dev_size=10, test_size=0.2)
    >>> [(len(split.train), len(split.dev), len(split.test)) for split in splits]
    [(70, 10, 20), (70, 10, 20), (70, 10, 20)]
    """
    if n_splits < 1:
        raise InputError(f"n_splits must be at least 1; received {n_splits}")
    wanted = {"dev_size": dev_size, "test_size": test_size}
    for name, size in wanted.items():
        wanted[name] = round(size * len(stays)) if 0 < size < 1 else int(size)
        if wanted[name] < 1:
            raise InputError(f"{name} must give at least one stay; received {size}")
    if sum(wanted.values()) >= len(stays):
        parts = f"{wanted['dev_size']} for development and {wanted['test_size']} for test"
        raise InputError(f"{len(stays)} stays are too few for {parts}; make dev_size or test_size smaller")
    group = stays.groups()
    return tuple(_split(group, wanted, np.random.default_rng([seed, number])) for number in range(n_splits))


def _split(group: np.ndarray, wanted: dict[str, int], random: np.random.Generator) -> StaySplit:
    counts = np.bincount(group)
    part = np.zeros(len(counts), np.int64)
    left = list(wanted.values())
    for patient in random.permutation(len(counts)).tolist():
        for number, room in enumerate(left):
            if counts[patient] <= room:
                part[patient] = number + 1
                left[number] -= counts[patient]
                break
        if not any(left):
            break
    parts = [np.flatnonzero(part[group] == number) for number in range(3)]
    if not all(map(len, parts)):
        raise InputError("a part would be empty: one patient has too many of the stays; change the sizes")
    return StaySplit(*parts)
