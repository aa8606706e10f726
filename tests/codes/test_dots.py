"""Where the dot goes."""

import pytest

from icd_relevancy.codes import icd9cm, icd10cm
from icd_relevancy.codes.icd import dotted_icd9, dotted_icd10


@pytest.mark.parametrize(("system", "dotted"), [(icd9cm, dotted_icd9), (icd10cm, dotted_icd10)])
def test_every_code_of_a_system_gets_its_dot_back(system, dotted):
    system = system()
    codes = [code for code in system.codes if system.level(code) >= system.category_level]
    assert [dotted(code.replace(".", "")) for code in codes] == codes
    assert [dotted(code) for code in codes] == codes
