"""Repeated random splits of stays that keep patients whole."""

from dataclasses import dataclass

import numpy as np

from icd_relevancy.data.stays import Stays
from icd_relevancy.errors import InputError


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
        told = f"{wanted['dev_size']} for development and {wanted['test_size']} for test"
        raise InputError(f"{len(stays)} stays are too few for {told}; make dev_size or test_size smaller")
    group = stays.groups()
    return tuple(_split(group, wanted, np.random.default_rng([seed, number])) for number in range(n_splits))


def _split(group: np.ndarray, wanted: dict[str, int], random: np.random.Generator) -> StaySplit:
    stays_of = np.bincount(group)
    part = np.zeros(len(stays_of), np.int64)
    left = list(wanted.values())
    for patient in random.permutation(len(stays_of)).tolist():
        for number, room in enumerate(left):
            if stays_of[patient] <= room:
                part[patient] = number + 1
                left[number] -= stays_of[patient]
                break
        if not any(left):
            break
    parts = [np.flatnonzero(part[group] == number) for number in range(3)]
    if not all(map(len, parts)):
        raise InputError("a part would be empty: one patient has too many of the stays; change the sizes")
    return StaySplit(*parts)
