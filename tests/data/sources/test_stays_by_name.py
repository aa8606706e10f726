"""`load_stays`."""

import pytest

from icd_relevancy.data import load_stays
from icd_relevancy.errors import InputError


def test_a_file(tmp_path):
    (tmp_path / "stays.csv").write_text("stay_id,drugs,codes\n1,heparin,I10\n")
    assert load_stays(tmp_path / "stays.csv").codes == (("I10",),)
    assert load_stays(tmp_path / "stays.csv", require_codes=False).codes == ((),)
    (tmp_path / "eicu:stays.csv").write_text("stay_id,drugs,codes\n1,heparin,I10\n")
    assert len(load_stays(tmp_path / "eicu:stays.csv")) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("cmc2007:folder", "unknown source 'cmc2007'; the sources of stays are eicu, mimic3, mimic4, omop"),
        ("eicu:absent", "no such file or folder: absent"),
        ("C:\\absent.csv", "no such file"),
        ("absent.csv", "no such file"),
    ],
)
def test_what_is_not_there(data, told):
    with pytest.raises(InputError) as caught:
        load_stays(data)
    assert told in str(caught.value)


def test_every_source_looks_for_its_tables(tmp_path):
    for source, table in {
        "eicu": "diagnosis",
        "mimic3": "diagnoses_icd",
        "mimic4": "diagnoses_icd",
        "omop": "condition_occurrence",
    }.items():
        with pytest.raises(InputError, match=f"no {table}.csv"):
            load_stays(f"{source}:{tmp_path}")
