"""Hospital stays with their drugs and codes, in memory."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from icd_relevancy.errors import InputError, shown_note
from icd_relevancy.files.tables import LISTS, table_format, write_frames

if TYPE_CHECKING:
    from icd_relevancy.data.ingredients import DrugMapping, DrugReport

SEXES = ("female", "male", "other", "unknown")
# Names of drugs hold commas and white space, so fewer characters can part them than part codes.
DRUG_SEPARATORS = ";|"
_LISTS = ("drugs", "codes")
_OPTIONAL = ("age", "sex", "patient_id", "ward")


@dataclass(frozen=True, repr=False)
class Stays:
    """Hospital stays with their drugs and codes: one tuple for each column of the stays schema (CAC §2.1).

    Args:
        stay_id: Identifiers, unique.
        drugs: For each stay a tuple of the drugs prescribed at least once; empty for a stay without drugs.
        codes: For each stay a tuple of its codes; empty for a stay without codes.
        age: For each stay the patient's age in years, None where not known; 90 or more where the source only
            tells that it is above 89. Models clip it at 89. Defaults to None: not known for any.
        sex: For each stay `"female"`, `"male"`, `"other"`, `"unknown"` or None. Defaults to None.
        patient_id: For each stay its patient, None where not known. Defaults to None.
        ward: For each stay its ward, unit or service, None where not known. Defaults to None.
        source: Where the stays come from, for reports. Defaults to `""`.

    Raises:
        InputError: If the columns differ in length, a stay_id repeats, a stay's drugs or codes are one string,
            an age is negative or no number, or a sex is another.

    Example:

    >>> from icd_relevancy.data import Stays
    >>> stays = Stays(("1", "2"), (("furosemide",), ()), (("I50.9",), ("I10",)), age=(81.0, None))
    >>> stays, stays.label_names()
    (Stays(2 stays, source=''), ('I10', 'I50.9'))
    """

    stay_id: tuple[str, ...]
    drugs: tuple[tuple[str, ...], ...]
    codes: tuple[tuple[str, ...], ...]
    age: tuple[float | None, ...] | None = None
    sex: tuple[str | None, ...] | None = None
    patient_id: tuple[str | None, ...] | None = None
    ward: tuple[str | None, ...] | None = None
    source: str = ""

    def __post_init__(self):
        for name in _LISTS:
            if any(isinstance(values, str) for values in getattr(self, name)):
                raise InputError(f"{name}: each stay needs a tuple of {name}, but one is a single string")
            object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))
        for name in ("stay_id", *_OPTIONAL):
            if (column := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(column))
        lengths = {name: len(column) for name, column in self._columns().items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise InputError(f"stays: all columns must have the same length; received {told}")
        if len(set(self.stay_id)) < len(self.stay_id):
            repeated = Counter(self.stay_id).most_common(1)[0][0]
            told = self._shown(self.stay_id.index(repeated))
            raise InputError(
                f"{self.source or 'stays'}: the stay_id of {told} occurs more than once; make it unique"
            )
        self._check_values()

    def _check_values(self) -> None:
        for row, age in enumerate(self.age or ()):
            # Written so that NaN fails too: a missing age is None.
            if age is not None and not 0 <= age < float("inf"):
                problem = "is not a number of years from 0 up; correct it, or leave it empty (None)"
                raise InputError(f"{self.source or 'stays'}: the age of {self._shown(row)} {problem}")
        for row, sex in enumerate(self.sex or ()):
            if sex is not None and sex not in SEXES:
                told = f"the sex of {self._shown(row)} must be one of {', '.join(SEXES)}, or empty (None)"
                raise InputError(f"{self.source or 'stays'}: {told}")

    def __len__(self) -> int:
        return len(self.stay_id)

    def __repr__(self) -> str:
        # The generated one would print every stay.
        return f"Stays({len(self)} stays, source={self.source!r})"

    def _shown(self, row: int) -> str:
        return shown_note(self.stay_id[row], row + 1, "stay")

    def _columns(self) -> dict[str, tuple]:
        columns = {name: getattr(self, name) for name in ("stay_id", *_LISTS, *_OPTIONAL)}
        return {name: column for name, column in columns.items() if column is not None}

    def select(self, indices) -> "Stays":
        """The stays at `indices`, in that order.

        Args:
            indices: Integer positions, or a boolean mask with one value a stay.

        Example:

        >>> from icd_relevancy.data import Stays
        >>> stays = Stays(("1", "2"), (("furosemide",), ()), (("I50.9",), ("I10",)))
        >>> stays.select([len(drugs) > 0 for drugs in stays.drugs]).stay_id
        ('1',)
        """
        indices = np.asarray(indices)
        positions = np.flatnonzero(indices) if indices.dtype == bool else indices.astype(int)
        positions = positions.tolist()
        columns = {name: tuple([column[i] for i in positions]) for name, column in self._columns().items()}
        return Stays(**columns, source=self.source)

    def groups(self) -> np.ndarray:
        """Groups of stays that must stay in one part of a split: those of one patient.

        Returns:
            int64 array `(n,)` of group numbers 0, 1, …, in the order of each group's first stay; a stay
            whose patient is not known is a group of its own.

        Example:

        >>> from icd_relevancy.data import Stays
        >>> Stays("abcd", ((),) * 4, ((),) * 4, patient_id=("7", None, "7", None)).groups().tolist()
        [0, 1, 0, 2]
        """
        if self.patient_id is None:
            return np.arange(len(self), dtype=np.int64)
        patient = pd.factorize(np.asarray(self.patient_id, dtype=object))[0]
        alone = patient.max(initial=-1) + 1 + np.arange(len(self))
        return pd.factorize(np.where(patient >= 0, patient, alone))[0].astype(np.int64)

    def label_names(self, min_count: int = 1) -> tuple[str, ...]:
        """The codes that at least `min_count` stays carry, sorted.

        Args:
            min_count: Least number of stays. Defaults to 1.

        Example:

        >>> from icd_relevancy.data import Stays
        >>> Stays(("1", "2"), ((), ()), (("I50.9", "I10"), ("I10",))).label_names(min_count=2)
        ('I10',)
        """
        return _names(self.codes, min_count)

    def drug_names(self, min_count: int = 1) -> tuple[str, ...]:
        """The drugs that at least `min_count` stays have, sorted.

        Args:
            min_count: Least number of stays. Defaults to 1.

        Example:

        >>> from icd_relevancy.data import Stays
        >>> Stays(("1", "2"), (("insulin", "heparin"), ("heparin",)), ((), ())).drug_names(min_count=2)
        ('heparin',)
        """
        return _names(self.drugs, min_count)

    def map_drugs(self, mapping: "DrugMapping") -> tuple["Stays", "DrugReport"]:
        """The stays with ingredients in place of drug names, and what could not be mapped (CAC §2.1.2).

        Args:
            mapping: The ingredients of each drug.

        Returns:
            The stays, each ingredient once a stay, and the report of `DrugMapping.apply`.

        Example:

        >>> from icd_relevancy.data import DrugMapping, Stays
        >>> stays = Stays(("1",), (("LASIX 40 MG PO TABS", "furosemide 10 mg/mL inj"),), (("I50.9",),))
        >>> stays.map_drugs(DrugMapping())[0].drugs
        (('furosemide',),)
        """
        drugs, report = mapping.apply(self.drugs)
        return replace(self, drugs=drugs), report

    def to_frame(self) -> pd.DataFrame:
        """A data frame with one row a stay and the columns that are known; `drugs` and `codes` hold tuples.

        Example:

        >>> from icd_relevancy.data import Stays
        >>> Stays(("1",), (("heparin",),), (("I10",),), age=(6.0,)).to_frame().columns.tolist()
        ['stay_id', 'drugs', 'codes', 'age']
        """
        types = {"age": "float64"} | dict.fromkeys(_LISTS, "object")
        columns = self._columns().items()
        return pd.DataFrame(
            {name: pd.Series(column, dtype=types.get(name, "str")) for name, column in columns}
        )

    def write(self, path) -> None:
        """Writes the stays by the stays schema, for `read_stays`.

        Args:
            path: File whose suffix gives the format: `.csv` and `.tsv` (drugs and codes joined by `;`),
                `.jsonl` or `.json` (JSON lines), each also with `.gz`, or `.parquet`. An older file is
                replaced.

        Raises:
            InputError: If the suffix is none of these, or a drug's name holds a `;` or `|`, which CSV and TSV
                cannot keep.

        Example:

        >>> from icd_relevancy.data import Stays, read_stays
        >>> Stays(("1",), (("heparin", "insulin lispro"),), (("I10",),)).write("results/stays.csv")
        >>> read_stays("results/stays.csv").drugs
        (('heparin', 'insulin lispro'),)
        """
        if table_format(path) in ("csv", "tsv"):
            for row, drugs in enumerate(self.drugs):
                if any(separator in drug for drug in drugs for separator in DRUG_SEPARATORS):
                    told = f"a drug of {self._shown(row)} holds ';' or '|', which separate drugs there"
                    raise InputError(f"{path}: {told}; write .jsonl or .parquet")
        write_frames([self.to_frame()], path, dict.fromkeys(_LISTS, LISTS))


def _names(lists: tuple[tuple[str, ...], ...], min_count: int) -> tuple[str, ...]:
    counts = Counter(chain.from_iterable(map(set, lists)))
    return tuple(sorted(name for name, count in counts.items() if count >= min_count))
