"""Drugs, age and sex of stays as the input of a model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy import sparse

from icd_relevancy.data.labels import encode_labels
from icd_relevancy.data.stays import Stays

OLDEST = 89.0
DEMOGRAPHICS = ("age", "age_missing", "female", "male")


@dataclass(frozen=True, eq=False)
class StayFeatures:
    """The input of a model for n stays.

    Attributes:
        matrix: CSR matrix `(n, 4 + k)`, float32: the columns of `names`.
        ingredients: The k drugs that have a column.
        unknown_drugs: Drugs that have none, each with the number of stays that have it, the most frequent
            first.

    Example:

    >>> from icd_relevancy.data import Stays, encode_drugs
    >>> encode_drugs(Stays(("1",), (("heparin",),), ((),)))
    StayFeatures(1 stays, 5 columns, 0 unknown drugs)
    """

    matrix: sparse.csr_matrix
    ingredients: tuple[str, ...]
    unknown_drugs: tuple[tuple[str, int], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: `"age"`, `"age_missing"`, `"female"`, `"male"` and the ingredients."""
        return (*DEMOGRAPHICS, *self.ingredients)

    def __repr__(self) -> str:
        n, columns = self.matrix.shape
        return f"StayFeatures({n} stays, {columns} columns, {len(self.unknown_drugs)} unknown drugs)"


def encode_drugs(stays: Stays, ingredients: Sequence[str] | None = None, min_count: int = 1) -> StayFeatures:
    """Drugs as a multi-hot matrix, beside age and sex (CAC §2.2.1).

    The age is `min(age, 89) / 89`, a number in [0, 1] and never an indicator; a missing age is 0 with a 1 in
    `age_missing`. Sex has an indicator each for female and male, both 0 for any other or a missing one. The
    drugs are compared as they are written: map them to ingredients first (`Stays.map_drugs`).

    Args:
        stays: The n stays.
        ingredients: The k drugs to give a column, as of the stays a model was trained on; others are counted
            in `unknown_drugs`. Defaults to None: those of these stays.
        min_count: Least number of these stays that must have a drug to give it a column, where `ingredients`
            is None. Defaults to 1.

    Returns:
        `StayFeatures` with a matrix `(n, 4 + k)`.

    Raises:
        InputError: If an ingredient repeats.

    Example:

    >>> from icd_relevancy.data import Stays, encode_drugs
    >>> stays = Stays(("1", "2"), (("heparin",), ()), ((), ()), age=(44.5, None), sex=("female", None))
    >>> encode_drugs(stays).matrix.toarray().tolist()
    [[0.5, 0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 0.0]]
    """
    if ingredients is None:
        ingredients = stays.drug_names(min_count)
    ingredients = tuple(ingredients)
    drugs = encode_labels(stays.drugs, ingredients).astype(np.float32)
    known = set(ingredients)
    counts = Counter(drug for drug in chain.from_iterable(map(set, stays.drugs)) if drug not in known)
    unknown = tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    matrix = sparse.hstack([sparse.csr_matrix(_demographics(stays)), drugs], format="csr", dtype=np.float32)
    return StayFeatures(matrix, ingredients, unknown)


def _demographics(stays: Stays) -> np.ndarray:
    age = np.array(stays.age or (None,) * len(stays), dtype=float)
    sex = np.array(stays.sex or (None,) * len(stays), dtype=object)
    scaled = np.nan_to_num(np.minimum(age, OLDEST) / OLDEST)
    columns = np.stack([scaled, np.isnan(age), sex == "female", sex == "male"], axis=1)
    return columns.astype(np.float32)
