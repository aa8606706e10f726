import numpy as np
import pandas as pd
import pytest

from icd_relevancy.codes import code_knowledge
from icd_relevancy.codes.features import GROUPS, KINDS
from icd_relevancy.errors import InputError


@pytest.fixture(scope="module")
def known():
    return code_knowledge("icd10cm")


def test_one_row_a_code_and_one_column_a_feature(known):
    assert known.table.index.tolist() == list(known.code_system.codes)
    assert known.table.columns.tolist() == [feature.name for feature in known.features]
    assert len(known.features) >= 68
    assert {feature.group for feature in known.features} == set(GROUPS)
    assert {feature.kind for feature in known.features} == set(KINDS)
    assert all(feature.description for feature in known.features)
    assert code_knowledge("icd10cm") is known


def test_columns_are_of_their_kind(known):
    for feature in known.features:
        column = known.table[feature.name]
        if feature.kind == "categorical":
            assert isinstance(column.dtype, pd.CategoricalDtype)
        elif feature.kind == "multiple":
            assert all(isinstance(entries, tuple) for entries in column)
            assert all(type(entry) is str for entries in column for entry in entries)
        else:
            assert column.dtype == {"boolean": bool, "ordinal": float, "text": object}[feature.kind]


def test_no_feature_is_constant(known):
    constant = [feature.name for feature in known.features if known.table[feature.name].nunique() < 2]
    assert constant == []


def test_icd9_has_no_trimesters_but_episodes_of_care():
    known = code_knowledge("icd9cm")
    assert len(known.features) >= 68
    assert "trimester" not in known.table


def test_words(known):
    words = known.words("C52")
    assert words.startswith("Malignant neoplasm of vagina. Female only. Malignant.")
    assert "Specialty: Obstetrics and Gynaecology, Oncology" in words
    assert words.endswith("Neoplasms; Malignant neoplasms of female genital organs")
    assert "Polarity: too much" in known.words("P74.31")
    assert "Polarity: too little" in known.words("P74.32")
    lengths = np.array([len(known.words(code).split()) for code in known.code_system.codes[::20]])
    assert lengths.max() <= 80
    assert 40 <= lengths.mean() <= 80
    with pytest.raises(InputError, match=r"'Z00\.999' is not a code"):
        known.words("Z00.999")


def test_unknown_system():
    with pytest.raises(InputError, match="no knowledge of 'icd11'"):
        code_knowledge("icd11")
