"""Hospital stays with their drugs and codes, read and written by the schema `data_schemas/stays.schema.json`."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import ClassVar

import numpy as np
from scipy import sparse

from icd_relevancy.data.columns import (
    Columns,
    ages,
    checked_columns,
    code_lists,
    distinct_lists,
    identifiers,
    patients,
    read_columns,
    schema,
    sexes,
    short_texts,
    source_name,
)
from icd_relevancy.data.ingredients import DrugMapping, DrugReport
from icd_relevancy.data.labels import encode_labels, label_names
from icd_relevancy.errors import InputError
from icd_relevancy.files.content import read_content
from icd_relevancy.files.records import Records
from icd_relevancy.files.tables import LISTS, table_format

SEXES = ("female", "male", "other", "unknown")
OLDEST = 89.0
DEMOGRAPHICS = ("age", "age_missing", "female", "male")
# Names of drugs hold commas and white space, so fewer characters can part them than part codes.
_SEPARATOR = re.compile("[;|]")


@dataclass(frozen=True, repr=False)
class Stays(Columns):
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

    _row: ClassVar = "stay"
    _encoders: ClassVar = {"drugs": LISTS, "codes": LISTS}

    stay_id: tuple[str, ...]
    drugs: tuple[tuple[str, ...], ...]
    codes: tuple[tuple[str, ...], ...]
    age: tuple[float | None, ...] | None = None
    sex: tuple[str | None, ...] | None = None
    patient_id: tuple[str | None, ...] | None = None
    ward: tuple[str | None, ...] | None = None
    source: str = ""

    def __post_init__(self):
        super().__post_init__()
        for row, age in enumerate(self.age or ()):
            # Written so that NaN fails too: a missing age is None.
            if age is not None and not 0 <= age < float("inf"):
                problem = "is not a number of years from 0 up; correct it, or leave it empty (None)"
                raise InputError(f"{self._place}: the age of {self._shown(row)} {problem}")
        for row, sex in enumerate(self.sex or ()):
            if sex is not None and sex not in SEXES:
                problem = f"must be one of {', '.join(SEXES)}, or empty (None)"
                raise InputError(f"{self._place}: the sex of {self._shown(row)} {problem}")

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
        return self._groups()

    def drug_names(self, min_count: int = 1) -> tuple[str, ...]:
        """The drugs that at least `min_count` stays have, sorted.

        Args:
            min_count: Least number of stays. Defaults to 1.

        Example:

        >>> from icd_relevancy.data import Stays
        >>> Stays(("1", "2"), (("insulin", "heparin"), ("heparin",)), ((), ())).drug_names(min_count=2)
        ('heparin',)
        """
        return label_names(self.drugs, min_count)

    def map_drugs(self, mapping: DrugMapping) -> tuple["Stays", DrugReport]:
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
                if any(map(_SEPARATOR.search, drugs)):
                    problem = f"a drug of {self._shown(row)} holds ';' or '|', which separate drugs there"
                    raise InputError(f"{path}: {problem}; write .jsonl or .parquet")
        self._write(path)


def read_stays(path, require_codes: bool = True) -> Stays:
    """Reads stays by the stays schema.

    Args:
        path: A `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.jl` or `.json` file (JSON lines, or an array), each also with
            `.gz`, or a `.parquet` file, or `"-"` for any of these from standard input, with the columns `stay_id`,
            `drugs`, `codes` and, where known, `age` (years), `sex`, `patient_id` and `ward`. Other columns are
            ignored. `drugs` is a list, or a string with drugs separated by `;` or `|`; `codes` a list, or a string
            with codes separated by `;`, `,`, `|` or white space. What a stay repeats counts once. `sex` F and M are
            read as female and male.
        require_codes: Whether the column `codes` must be there; False reads stays to be coded, and leaves a
            column `codes` unread. Defaults to True.

    Returns:
        The stays in the order of the file, drugs and codes as written there.

    Raises:
        InputError: If the file or a column is missing, or rows break the schema; names for each of the first twenty
            the row (1 for the first stay; for JSON lines also the line), the column and the stay.

    Example:

    >>> from icd_relevancy.data import Stays, read_stays
    >>> Stays(("1",), (("heparin",),), (("I26.99",),)).write("results/stays.jsonl")
    >>> read_stays("results/stays.jsonl").codes
    (('I26.99',),)
    """
    path = read_content(path) if str(path) == "-" else path
    records = read_columns(path, "stays", () if require_codes else ("codes",))
    rules = schema("stays")["properties"]
    stay_id = identifiers(records, "stay")
    readers = {
        "drugs": _drugs,
        "codes": lambda records: code_lists(records, schema("stays")["$defs"]["code"]["pattern"]),
        "age": lambda records: ages(records, rules["age"], " (90 for '> 89')"),
        "sex": lambda records: sexes(records, rules["sex"]),
        "patient_id": patients,
        "ward": lambda records: short_texts(records, "ward"),
    }
    columns = {"codes": ((),) * len(stay_id)} | checked_columns(records, readers)
    records.check()
    return Stays(stay_id, **columns, source=source_name(path))


def _drugs(records: Records) -> tuple[tuple[str, ...], ...]:
    rows = []
    for row, value in enumerate(records.frame["drugs"].tolist()):
        drugs = _SEPARATOR.split(value) if isinstance(value, str) else () if value is None else value
        if not isinstance(drugs, (list, tuple)) or not all(isinstance(drug, str) for drug in drugs):
            records.report(row, "drugs", "drugs must be text or a list of text")
            drugs = ()
        rows.append([drug.strip() for drug in drugs])
    return distinct_lists(rows)


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
