"""Age, sex and specialty of notes as the numbers that join a model's dense layers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np

from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError

_SEXES = ("female", "male", "other")


@dataclass(frozen=True)
class StructuredFeatures:
    """Columns of numbers from what is known of a note beside its text, fitted on the training notes.

    The age is z-scored by the training notes; where it is not known it is 0, their mean, with a 1 in
    `age_unknown`. Sex and specialty have one column a value and one for all else: not known, or a specialty
    that no training note has.

    Args:
        mean_age: Mean age in years.
        age_deviation: Standard deviation of the age in years, above 0.
        specialties: Specialties with a column.

    Raises:
        InputError: If the mean or the deviation is no finite number, the deviation is not above 0, or a
            specialty repeats.

    Example:

    >>> from icd_relevancy.data import Notes
    >>> from icd_relevancy.training import StructuredFeatures
    >>> notes = Notes(("1", "2"), ("Cough.", "Fever."), ((), ()), age=(4.0, 8.0), sex=("female", None))
    >>> structured = StructuredFeatures.fit(notes)
    >>> structured.names
    ('age', 'age_unknown', 'female', 'male', 'other', 'sex_unknown', 'specialty_unknown')
    >>> structured.transform(notes).tolist()
    [[-1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]

    Reference: HMHAN §III.B.
    """

    mean_age: float = 0.0
    age_deviation: float = 1.0
    specialties: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "specialties", tuple(self.specialties))
        if not np.isfinite([self.mean_age, self.age_deviation]).all() or self.age_deviation <= 0:
            raise InputError(
                "mean_age and age_deviation must be finite, the deviation above 0. "
                f"Received: mean_age={self.mean_age}, age_deviation={self.age_deviation}"
            )
        if len(set(self.specialties)) < len(self.specialties):
            raise InputError("specialties: a specialty occurs more than once; make them unique")

    @classmethod
    def fit(cls, notes: Notes) -> "StructuredFeatures":
        """The features of some training notes.

        Args:
            notes: The training notes; where no age is known, or all are the same, the age is not scaled.
        """
        ages = _ages(notes)
        known = ages[~np.isnan(ages)]
        deviation = known.std() if len(known) else 0.0
        specialties = sorted({name for name in notes.specialty or () if name is not None})
        return cls(float(known.mean()) if len(known) else 0.0, float(deviation or 1.0), tuple(specialties))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        specialties = [f"specialty_{name}" for name in (*self.specialties, "unknown")]
        return ("age", "age_unknown", *_SEXES, "sex_unknown", *specialties)

    @property
    def categorical(self) -> tuple[tuple[int, int], ...]:
        """The columns of each categorical feature, from the first to behind the last; for `ml_smote`."""
        return ((1, 2), (2, 6), (6, len(self.names)))

    def transform(self, notes: Notes) -> np.ndarray:
        """The columns of `names` for n notes.

        Args:
            notes: Any notes.

        Returns:
            float32 `(n, k)`.
        """
        ages = _ages(notes)
        scaled = np.nan_to_num((ages - self.mean_age) / self.age_deviation)
        sexes = _one_hot(notes.sex, _SEXES, len(notes))
        specialties = _one_hot(notes.specialty, self.specialties, len(notes))
        return np.column_stack([scaled, np.isnan(ages), sexes, specialties]).astype(np.float32)

    def to_dict(self) -> dict:
        """What `from_dict` builds the same features from, as JSON can hold it."""
        return asdict(self) | {"specialties": list(self.specialties)}

    @classmethod
    def from_dict(cls, told: Mapping) -> "StructuredFeatures":
        """The features of a `to_dict`.

        Args:
            told: The mapping.

        Raises:
            InputError: If a name is missing or not known, or a value out of range.

        Example:

        >>> from icd_relevancy.training import StructuredFeatures
        >>> StructuredFeatures.from_dict(StructuredFeatures(40.0, 20.0, ("Dental",)).to_dict())
        StructuredFeatures(mean_age=40.0, age_deviation=20.0, specialties=('Dental',))
        """
        expected = {field.name for field in fields(cls)}
        if set(told) != expected:
            raise InputError(f"structured features need {sorted(expected)}. Received: {sorted(told)}")
        return cls(**told | {"specialties": tuple(told["specialties"])})


def _ages(notes: Notes) -> np.ndarray:
    return np.array(notes.age or (None,) * len(notes), dtype=float)


def _one_hot(values, known: tuple[str, ...], count: int) -> np.ndarray:
    """One column for each known value, and the last for all else."""
    column = {name: index for index, name in enumerate(known)}
    columns = [column.get(value, len(known)) for value in values or (None,) * count]
    return np.eye(len(known) + 1)[np.array(columns, int)]
