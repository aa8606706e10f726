"""Drug names as ingredients."""

import pytest

from icd_relevancy.data import DrugMapping
from icd_relevancy.data.ingredients import _SYNONYMS, lexical_ingredients
from icd_relevancy.errors import InputError


@pytest.mark.parametrize(
    ("drug", "ingredients"),
    [
        # Dose, unit, form and route.
        ("FUROSEMIDE 40 MG PO TABS", "furosemide"),
        ("5 ML VIAL : DILTIAZEM HCL 25 MG/5ML IV SOLN", "diltiazem"),
        ("furosemide 40mg", "furosemide"),
        ("heparin (porcine) 5,000 unit/mL injection", "heparin"),
        ("Norepinephrine (mcg/kg/min)", "norepinephrine"),
        ("aspirin EC 81 mg chewable tablet", "aspirin"),
        # Brands, in brackets or alone, and other names.
        ("Ranolazine (RANEXA) 500 mg", "ranolazine"),
        ("(Lasix)", "furosemide"),
        ("TOPROL-XL 50 mg", "metoprolol"),
        ("Solu-Medrol", "methylprednisolone"),
        ("*NF* Ranolazine", "ranolazine"),
        ("paracetamol 500 mg", "acetaminophen"),
        ("5-fluorouracil", "fluorouracil"),
        # Salts, and drugs that are salts.
        ("Metoprolol Tartrate 25 mg", "metoprolol"),
        ("penicillin G potassium 5 million units", "penicillin g"),
        ("isosorbide mononitrate ER", "isosorbide mononitrate"),
        ("potassium chloride 20 meq", "potassium chloride"),
        ("mag sulfate 2 g", "magnesium sulfate"),
        ("0.9% sodium chloride", "sodium chloride"),
        ("calcium", "calcium"),
        # Combinations.
        ("Hydrocodone-Acetaminophen 5-325 mg tab", "hydrocodone + acetaminophen"),
        ("Lisinopril/HCTZ 10-12.5", "lisinopril + hydrochlorothiazide"),
        ("amoxicillin-pot clavulanate 875-125 mg", "amoxicillin + clavulanate"),
        ("Acetaminophen w/Codeine #3", "acetaminophen + codeine"),
        ("aspirin and dipyridamole", "aspirin + dipyridamole"),
        ("Dextrose 5%-Sodium Chloride 0.45%", "dextrose + sodium chloride"),
        ("Bactrim DS", "sulfamethoxazole + trimethoprim"),
        # The fluid that a drug is given in is no drug of its own.
        ("vancomycin in 0.9% sodium chloride", "vancomycin"),
        ("NITROGLYCERIN IN D5W 200-5 MCG/ML-% IV SOLN", "nitroglycerin"),
        # Letters and numbers that belong to the name.
        ("vitamin K", "phytonadione"),
        ("Vitamin B-12 1000 mcg", "cyanocobalamin"),
        ("omega-3 fatty acids", "omega-3 fatty acids"),
        ("beta-carotene", "beta-carotene"),
        ("insulin lispro (HumaLOG) 100 unit/mL", "insulin lispro"),
        ("Lactated Ringer's", "lactated ringers"),
        ("HICL 2812", "hicl 2812"),
        # Nothing that names a drug.
        ("MIV (ml/hr)", ""),
        ("500 mg tab", ""),
        ("", ""),
    ],
)
def test_words(drug, ingredients):
    assert " + ".join(lexical_ingredients(drug)) == ingredients


def test_no_ingredient_of_a_synonym_is_another_synonym():
    """So that mapping what is mapped changes nothing."""
    for name, ingredients in _SYNONYMS.items():
        for ingredient in ingredients:
            assert lexical_ingredients(ingredient) == (ingredient,), name


def test_a_table_comes_first(tmp_path):
    file = tmp_path / "drugs.csv"
    file.write_text(
        "drug,ingredient,cui\nBactrim,10829,x\nBactrim,10180,x\nFUROSEMIDE,04603,x\nHICL 7, 9 ,x\n"
    )
    mapping = DrugMapping.from_table(file)
    assert mapping.ingredients("bactrim  ds tab") == ("10829", "10180")
    # A brand that the table lacks is looked up by its ingredient, and leading zeros survive.
    assert mapping.ingredients("Lasix 40 mg") == ("04603",)
    assert mapping.ingredients("furosemide-aspirin") == ("04603", "aspirin")
    assert mapping.ingredients("hicl 7") == ("9",)


def test_report():
    mapping = DrugMapping({"furosemide": ["C03CA01"], "given nothing": []})
    drugs = [("Lasix", "furosemide 10 mg", "MIV (ml/hr)"), ("aspirin", "MIV (ml/hr)", "MIV (ml/hr)"), ()]
    mapped, report = mapping.apply(drugs)
    assert mapped == (("C03CA01",), ("aspirin",), ())
    assert (report.from_table, report.from_words, report.unknown) == (2, 1, 1)
    assert report.unlisted_drugs == (("aspirin", 1),)
    assert report.unknown_drugs == (("MIV (ml/hr)", 2),)
    assert report.unknown_share == 0.25


def test_report_without_table_or_drugs():
    _, report = DrugMapping().apply([("aspirin",)])
    assert (report.from_words, report.unlisted_drugs) == (1, ())
    assert DrugMapping().apply([])[1].unknown_share == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("drug,atc\nLasix,C03CA01\n", "no column 'ingredient'"),
        ("drug,ingredient\nLasix,C03CA01\nBumex,\n", "row 2, column 'ingredient': must be text that is not"),
        ("drug,ingredient\n", "the file has no rows"),
    ],
)
def test_bad_tables(tmp_path, text, told):
    file = tmp_path / "drugs.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        DrugMapping.from_table(file)
