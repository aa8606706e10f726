"""Stays of the eICU Collaborative Research Database, or of its open demo."""

from pathlib import Path

import pandas as pd

from icd_relevancy.data.sources.by_name import source
from icd_relevancy.data.sources.database import (
    check_code_system,
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

_ICD9 = r"\d{3}(\.\d{1,2})?|V\d{2}(\.\d{1,2})?|E\d{3}(\.\d)?"
_ICD10 = r"[A-Z]\d[\dA-Z](\.[\dA-Z]{1,4})?"
_SEXES = {"Female": "female", "Male": "male", "Other": "other", "Unknown": "unknown"}
_ABOVE_89 = 90.0


@source(of="stays", systems=("icd10cm", "icd9cm"))
def read_eicu(path, code_system: str = "icd10cm", require_codes: bool = True) -> Stays:
    """Reads the unit stays of eICU with the drugs ordered, infused or taken before, and their codes.

    A diagnosis carries its ICD-9-CM and its ICD-10-CM code side by side (`"038.9, A41.9"`); what has the form
    of neither (procedures) is left out. Cancelled orders do not count. Four in ten orders have no drug name:
    they take the most frequent name that the same `drughiclseqno` (ingredient list of First Databank) has
    elsewhere, or else the number itself, as `"HICL 2812"`.

    Args:
        path: A folder with, at any depth, `patient`, `diagnosis`, `medication`, `admissiondrug` and
            `infusiondrug`, each `.csv` or `.csv.gz`. The last two may be missing.
        code_system: `"icd10cm"` or `"icd9cm"`: the codes to read. Defaults to `"icd10cm"`.
        require_codes: Whether to leave out stays without codes of the system; False reads those to be coded too.
            Defaults to True.

    Returns:
        The stays with at least one code of the system, or all, in the order of `patient`; some have no drug. `ward` is
        the type of the unit, `patient_id` `uniquepid`, an age `"> 89"` is 90.

    Raises:
        InputError: If a file or a column is missing, a stay repeats, or no stay has codes of the system.

    Example:

    >>> from icd_relevancy.data import read_eicu
    >>> stays = read_eicu("data/eicu_demo", code_system="icd9cm")  # doctest: +SKIP
    """
    check_code_system(code_system)
    origin = "the eICU database"
    diagnosis = find_table(path, "diagnosis", origin)
    codes = _codes(diagnosis, code_system)
    columns = ["patientunitstayid", "gender", "age", "unittype", "uniquepid"]
    patients = read_table(find_table(path, "patient", origin), columns)
    if require_codes:
        patients = patients[patients["patientunitstayid"].isin(codes["patientunitstayid"].unique())]
    if patients.empty:
        raise InputError(f"{diagnosis}: no stay of table patient has {code_system} codes")
    medication = find_table(path, "medication", origin)
    others = [find_table(path, table) for table in ("admissiondrug", "infusiondrug")]
    drugs = _drugs(medication, [file for file in others if file])
    stay_id = pd.Index(patients["patientunitstayid"])
    if stay_id.has_duplicates:
        repeated = stay_id[stay_id.duplicated()][0]
        raise InputError(
            f"{path}: table patient has stay {shown_word(repeated)} more than once; keep one row a stay"
        )
    with naming(path):
        return Stays(
            stay_id=tuple(stay_id),
            drugs=gathered(stay_id, drugs["patientunitstayid"], drugs["drugname"]),
            codes=gathered(stay_id, codes["patientunitstayid"], codes["icd9code"]),
            age=_ages(patients["age"]),
            sex=optional_values(patients["gender"].map(_SEXES)),
            patient_id=optional_values(patients["uniquepid"]),
            ward=optional_values(patients["unittype"]),
            source="eicu",
        )


def _codes(file: Path, code_system: str) -> pd.DataFrame:
    rows = first_of_each(read_parts(file, ["patientunitstayid", "icd9code"])).dropna()
    rows = rows.assign(icd9code=rows["icd9code"].str.upper().str.split(",")).explode("icd9code")
    rows["icd9code"] = rows["icd9code"].str.strip()
    is_icd9 = rows["icd9code"].str.fullmatch(_ICD9)
    if code_system == "icd9cm":
        return rows[is_icd9]
    return rows[~is_icd9 & rows["icd9code"].str.fullmatch(_ICD10)]


def _drugs(medication: Path, others: list[Path]) -> pd.DataFrame:
    optional = ["drughiclseqno", "drugordercancelled"]
    orders = first_of_each(read_parts(medication, ["patientunitstayid", "drugname"], optional))
    if "drugordercancelled" in orders:
        orders = orders[orders["drugordercancelled"] != "Yes"]
    if "drughiclseqno" in orders:
        named = orders.dropna(subset=["drugname", "drughiclseqno"])
        usual = named.value_counts(["drughiclseqno", "drugname"]).reset_index()
        usual = usual.drop_duplicates("drughiclseqno").set_index("drughiclseqno")["drugname"]
        number = orders["drughiclseqno"]
        orders["drugname"] = orders["drugname"].fillna(number.map(usual)).fillna("HICL " + number)
    columns = ["patientunitstayid", "drugname"]
    parts = [orders[columns], *(first_of_each(read_parts(file, columns)) for file in others)]
    drugs = pd.concat(parts).dropna()
    return drugs.assign(drugname=drug_name(drugs["drugname"]))


def _ages(ages: pd.Series) -> tuple[float | None, ...]:
    above = ages.str.startswith(">").fillna(False).astype(bool)
    return optional_values(pd.to_numeric(ages, errors="coerce").mask(above, _ABOVE_89))
