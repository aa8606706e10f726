"""Visits of a database in the OMOP common data model."""

import re
from itertools import takewhile
from pathlib import Path

import pandas as pd

from icd_relevancy.data.sources.by_name import source
from icd_relevancy.data.sources.database import (
    CSV_OR_PARQUET,
    check_code_system,
    dotted_codes,
    drug_name,
    find_table,
    first_of_each,
    gathered,
    naming,
    optional_values,
    read_parts,
    read_table,
)
from icd_relevancy.data.stays import Stays
from icd_relevancy.errors import InputError, shown_word

_ORIGIN = "the OMOP common data model"
_VOCABULARIES = {"icd10cm": ("ICD10CM", "ICD10"), "icd9cm": ("ICD9CM",)}
_FORMS = {
    "icd10cm": r"[A-Z]\d[\dA-Z](\.?[\dA-Z]{1,4})?",
    "icd9cm": r"(\d{3}(\.?\d{1,2})?|V\d{2}(\.?\d{1,2})?|E\d{3}(\.?\d)?)",
}
# "ICD9CM:401.9" in place of "401.9".
_PREFIX = re.compile(r"^[A-Z0-9_-]*[:|]\s*")
_SEX_OF_CONCEPT = {"8507": "male", "8532": "female", "8521": "other", "8551": "unknown"}
_SHORTEST = 3
_YEAR_SHIFTED, _ABOVE_89 = 150, 90.0


@source(of="stays", systems=("icd10cm", "icd9cm"))
def read_omop(path, code_system: str = "icd10cm", require_codes: bool = True) -> Stays:
    """Reads the visits of an OMOP database with their drugs and ICD codes (CAC §2.1.1).

    The code of a condition is, in this order:

    1. the `concept_code` of its `condition_source_concept_id`, where table `concept` knows this as a code of
       the system;
    2. its `condition_source_value`, where this has the form of a code of the system (without table `concept`
       an ICD-9 code such as V270 has the form of an ICD-10 code too: choose the system the database is in);
    3. where tables `concept` and `concept_relationship` are there, the code that "Maps to" its standard
       `condition_concept_id`; of several codes what they have in common, at least the category.

    The drug is the `concept_name` of its `drug_concept_id` where table `concept` has it, else the
    `drug_source_value`.

    Args:
        path: A folder with, at any depth, `person`, `visit_occurrence`, `drug_exposure`,
            `condition_occurrence` and, where there, `concept`, `concept_relationship` and `care_site`, each
            `.csv`, `.csv.gz` or `.parquet`; names of files and columns in any case.
        code_system: `"icd10cm"` or `"icd9cm"`: the codes to read. Defaults to `"icd10cm"`.
        require_codes: Whether to leave out visits without codes of the system; False reads those to be coded too.
            Defaults to True.

    Returns:
        The visits with at least one code of the system, or all, in the order of `visit_occurrence`; some have
        no drug. The age is the difference of years; `ward` is the care site.

    Raises:
        InputError: If a table or a column is missing, a visit repeats, or none has codes of the system.

    Example:

    >>> from icd_relevancy.data import read_omop
    >>> stays = read_omop("omop", code_system="icd9cm")  # doctest: +SKIP
    """
    check_code_system(code_system)
    concepts = _concepts(path)
    condition = _find(path, "condition_occurrence", _ORIGIN)
    codes = _codes(path, condition, concepts, code_system)
    visits = _visits(path, codes["visit_occurrence_id"] if require_codes else None)
    if visits.empty:
        raise InputError(f"{condition}: no visit has {code_system} codes")
    drugs = _drugs(path, concepts)
    stay_id = pd.Index(visits["visit_occurrence_id"])
    with naming(path):
        return Stays(
            stay_id=tuple(stay_id),
            drugs=gathered(stay_id, drugs["visit_occurrence_id"], drug_name(drugs["drug"])),
            codes=gathered(stay_id, codes["visit_occurrence_id"], codes["code"]),
            age=optional_values(_ages(visits)),
            sex=optional_values(visits["gender_concept_id"].map(_SEX_OF_CONCEPT)),
            patient_id=tuple(visits["person_id"]),
            ward=_wards(path, visits),
            source="omop",
        )


def _find(path, table: str, origin: str | None = None) -> Path | None:
    return find_table(path, table, origin, CSV_OR_PARQUET)


def _concepts(path) -> pd.DataFrame | None:
    file = _find(path, "concept")
    if file is None:
        return None
    columns = ["concept_id", "concept_name", "vocabulary_id", "concept_code"]
    return read_table(file, columns).drop_duplicates("concept_id").set_index("concept_id")


def _codes(path, file: Path, concepts: pd.DataFrame | None, code_system: str) -> pd.DataFrame:
    """The visit and the code of each condition that has one."""
    columns = ["visit_occurrence_id", "condition_source_value"]
    optional = ["condition_source_concept_id", "condition_concept_id"]
    rows = first_of_each(read_parts(file, columns, optional)).dropna(subset="visit_occurrence_id")
    value = rows["condition_source_value"].str.upper().str.replace(_PREFIX, "", regex=True)
    code = value.where(value.str.fullmatch(_FORMS[code_system]).fillna(False).astype(bool))
    if concepts is not None:
        is_icd = concepts["vocabulary_id"].isin(_VOCABULARIES[code_system])
        icd = concepts.loc[is_icd, "concept_code"].str.upper()
        if "condition_source_concept_id" in rows:
            concept = rows["condition_source_concept_id"]
            # A source concept of another vocabulary says that the value only looks like a code of this one.
            elsewhere = concept.map(is_icd.drop("0", errors="ignore")).eq(False)
            code = concept.map(icd).fillna(code.mask(elsewhere))
        relationship = _find(path, "concept_relationship")
        if relationship and "condition_concept_id" in rows:
            mapped = rows["condition_concept_id"].map(_mapped_from(relationship, icd))
            code = code.astype(object).where(code.notna(), mapped.astype(object))
    return rows.assign(code=dotted_codes(code, code_system)).dropna(subset="code")


def _mapped_from(file: Path, icd: pd.Series) -> pd.Series:
    """For each standard concept the ICD code that maps to it, or what several have in common."""
    columns = ["concept_id_1", "concept_id_2", "relationship_id"]
    parts = read_parts(file, columns)
    links = first_of_each(
        part[(part["relationship_id"] == "Maps to") & part["concept_id_1"].map(icd).notna()] for part in parts
    )
    codes = links["concept_id_1"].map(icd).str.replace(".", "", regex=False)
    shared = codes.groupby(links["concept_id_2"]).agg(_shared_start)
    return shared[shared.str.len() >= _SHORTEST]


def _shared_start(codes: pd.Series) -> str:
    first, last = codes.min(), codes.max()
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def _visits(path, coded: pd.Series | None) -> pd.DataFrame:
    """The visits with codes, or all, with the columns of their persons."""
    file = _find(path, "visit_occurrence", _ORIGIN)
    columns = ["visit_occurrence_id", "person_id", "visit_start_date"]
    visits = read_table(file, columns, optional=["care_site_id"])
    repeated = visits["visit_occurrence_id"].duplicated()
    if repeated.any():
        row = repeated.idxmax()
        problem = (
            f"visit {shown_word(visits['visit_occurrence_id'][row])} occurs more than once; keep one row"
        )
        raise InputError(f"{file}, row {row + 1}, column 'visit_occurrence_id': {problem}")
    if coded is not None:
        visits = visits[visits["visit_occurrence_id"].isin(coded.unique())]
    persons = read_table(_find(path, "person", _ORIGIN), ["person_id", "gender_concept_id", "year_of_birth"])
    return visits.merge(persons.drop_duplicates("person_id"), on="person_id", how="left")


def _ages(visits: pd.DataFrame) -> pd.Series:
    birth = pd.to_numeric(visits["year_of_birth"], errors="coerce")
    age = pd.to_numeric(visits["visit_start_date"].str[:4], errors="coerce") - birth
    # MIMIC-III moves the births of patients above 89 to 300 years before.
    return age.mask(age > _YEAR_SHIFTED, _ABOVE_89)


def _drugs(path, concepts: pd.DataFrame | None) -> pd.DataFrame:
    file = _find(path, "drug_exposure", _ORIGIN)
    columns = ["visit_occurrence_id", "drug_source_value"]
    rows = first_of_each(read_parts(file, columns, optional=["drug_concept_id"]))
    name = rows["drug_source_value"]
    if concepts is not None and "drug_concept_id" in rows:
        # Concept 0 is "No matching concept".
        names = concepts["concept_name"].drop("0", errors="ignore")
        name = rows["drug_concept_id"].map(names).fillna(name)
    return rows.assign(drug=name).dropna(subset=["visit_occurrence_id", "drug"])


def _wards(path, visits: pd.DataFrame) -> tuple[str | None, ...] | None:
    if "care_site_id" not in visits:
        return None
    ward, file = visits["care_site_id"], _find(path, "care_site")
    if file:
        sites = read_table(file, ["care_site_id", "care_site_name"]).drop_duplicates("care_site_id")
        ward = ward.map(sites.set_index("care_site_id")["care_site_name"]).fillna(ward)
    return optional_values(ward)
