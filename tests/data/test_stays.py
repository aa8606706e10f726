"""The `Stays` table."""

import pytest

from icd_relevancy.data import DrugMapping, Stays, read_stays
from icd_relevancy.errors import InputError, shown_note

SECRET = "clozapine Miller"


def stays(**changed) -> Stays:
    columns = {
        "stay_id": ("a", "b", "c"),
        "drugs": (("heparin", "aspirin, coated"), (), ("heparin",)),
        "codes": (("I26.99", "I10"), ("I10",), ()),
        "age": (61.0, None, 90.0),
        "sex": ("female", None, "male"),
        "patient_id": ("p1", "p2", "p1"),
        "ward": ("Cardiology", None, "MICU"),
        "source": "ward.csv",
    }
    return Stays(**(columns | changed))


def test_columns_become_tuples():
    made = stays(stay_id=["a", "b", "c"], drugs=[["x"], [], ["y"]], age=[1.0, 2.0, 3.0])
    assert made.stay_id == ("a", "b", "c")
    assert made.drugs == (("x",), (), ("y",))
    assert made.age == (1.0, 2.0, 3.0)
    assert len(made) == 3


def test_print_shows_no_patient():
    assert repr(stays()) == "Stays(3 stays, source='ward.csv')"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"drugs": ("heparin", (), ())}, "drugs: each stay needs a tuple of drugs, but one is a single"),
        ({"codes": ((), "I10", ())}, "codes: each stay needs a tuple of codes"),
        ({"age": (1.0,)}, r"same length; received stay_id 3, drugs 3, codes 3, age 1"),
        ({"stay_id": ("a", "b", "a")}, r"ward.csv: the stay_id of stay 'a' occurs more than once"),
        ({"age": (1.0, -2.0, 3.0)}, "ward.csv: the age of stay 'b' is not a number of years from 0 up"),
        ({"age": (1.0, float("nan"), 3.0)}, "age of stay 'b'"),
        ({"age": (1.0, float("inf"), 3.0)}, "age of stay 'b'"),
        ({"sex": ("F", None, "male")}, "sex of stay 'a' must be one of female, male, other, unknown"),
    ],
)
def test_bad_columns(changed, told):
    with pytest.raises(InputError, match=told):
        stays(**changed)


def test_an_identifier_that_could_be_a_sentence_is_not_quoted():
    with pytest.raises(InputError, match="the age of stay 2 is not") as caught:
        stays(stay_id=("a", "Mrs Miller", "c"), age=(1.0, -1.0, 1.0))
    assert "Miller" not in str(caught.value)
    assert shown_note("note 7", 3, "stay") == "stay 3"
    assert shown_note("note7", 3, "stay") == "stay 'note7'"


def test_select_by_position_and_by_mask():
    chosen = stays().select([2, 0])
    assert chosen.stay_id == ("c", "a")
    assert chosen.drugs == (("heparin",), ("heparin", "aspirin, coated"))
    assert chosen.ward == ("MICU", "Cardiology")
    assert chosen.source == "ward.csv"
    assert stays().select([True, False, True]) == stays().select([0, 2])
    bare = Stays(("a",), ((),), ((),)).select([0])
    assert (bare.age, bare.ward) == (None, None)


def test_groups_are_patients():
    assert stays().groups().tolist() == [0, 1, 0]
    assert stays(patient_id=(None, None, "p")).groups().tolist() == [0, 1, 2]
    assert stays(patient_id=None).groups().tolist() == [0, 1, 2]
    assert stays().select([]).groups().tolist() == []


def test_names_by_count():
    assert stays().label_names() == ("I10", "I26.99")
    assert stays().label_names(min_count=2) == ("I10",)
    assert stays().drug_names() == ("aspirin, coated", "heparin")
    assert stays(drugs=(("x", "x"), (), ())).drug_names(min_count=2) == ()


@pytest.mark.parametrize("suffix", ["csv", "tsv.gz", "jsonl", "json.gz", "parquet"])
def test_written_and_read_back(tmp_path, suffix):
    stays().write(tmp_path / f"ward.{suffix}")
    back = read_stays(tmp_path / f"ward.{suffix}")
    assert back == stays(source=f"ward.{suffix}")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_stays_without_drugs_or_codes_are_written(tmp_path, suffix):
    empty = Stays(("1", "2"), ((), ()), ((), ()), age=(None, None))
    empty.write(tmp_path / f"stays.{suffix}")
    back = read_stays(tmp_path / f"stays.{suffix}")
    assert (back.drugs, back.codes) == (((), ()), ((), ()))
    assert not back.age or set(back.age) == {None}


def test_a_drug_with_a_separator(tmp_path):
    table = stays(drugs=((), ("a|b",), (SECRET,)))
    with pytest.raises(InputError, match=r"a drug of stay 'b' holds ';' or '\|'.*; write") as caught:
        table.write(tmp_path / "stays.csv")
    assert SECRET not in str(caught.value)
    assert not (tmp_path / "stays.csv").exists()
    table.write(tmp_path / "stays.jsonl")
    assert read_stays(tmp_path / "stays.jsonl").drugs == table.drugs


def test_an_unknown_suffix(tmp_path):
    with pytest.raises(InputError, match="file name must end in one of"):
        stays().write(tmp_path / "stays.xlsx")


def test_drugs_are_mapped_and_the_rest_stays():
    mapped, report = stays().map_drugs(DrugMapping())
    assert mapped.drugs == (("heparin", "aspirin"), (), ("heparin",))
    assert mapped.codes == stays().codes
    assert report.from_words == 2
