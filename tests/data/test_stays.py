"""The `Stays` table, and what a model reads of it."""

import numpy as np
import pytest

from icd_relevancy.data import DrugMapping, Stays, encode_drugs, read_stays
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


def stays_with(drugs, **columns) -> Stays:
    return Stays(tuple(map(str, range(len(drugs)))), drugs, ((),) * len(drugs), **columns)


def test_age_stays_a_number():
    features = encode_drugs(stays_with(((),) * 5, age=(0.0, 44.5, 89.0, 120.0, None)))
    assert features.names == ("age", "age_missing", "female", "male")
    assert features.matrix.dtype == np.float32
    assert features.matrix[:, 0].toarray().ravel().tolist() == [0, 0.5, 1, 1, 0]
    assert features.matrix[:, 1].toarray().ravel().tolist() == [0, 0, 0, 0, 1]


def test_sex():
    features = encode_drugs(stays_with(((),) * 5, sex=("female", "male", "other", "unknown", None)))
    assert features.matrix[:, 2:4].toarray().tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0]]


def test_drugs_as_indicators():
    table = stays_with((("b", "a", "b"), (), ("b",)))
    features = encode_drugs(table)
    assert features.ingredients == ("a", "b")
    assert features.names[4:] == ("a", "b")
    assert features.matrix.toarray()[:, 4:].tolist() == [[1, 1], [0, 0], [0, 1]]
    # Neither age nor sex is known.
    assert features.matrix.toarray()[:, :4].tolist() == [[0, 1, 0, 0]] * 3
    assert features.unknown_drugs == ()
    rare = encode_drugs(table, min_count=2)
    assert rare.ingredients == ("b",)
    assert rare.unknown_drugs == (("a", 1),)


def test_new_stays_on_the_columns_of_old_ones():
    old = encode_drugs(stays_with((("a", "b"), ("c",))))
    new = encode_drugs(stays_with((("x", "b", "x"), ("x", "y"), ("c",))), ingredients=old.ingredients)
    assert new.names == old.names
    assert new.matrix.toarray()[:, 4:].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert new.unknown_drugs == (("x", 2), ("y", 1))
    assert repr(new) == "StayFeatures(3 stays, 7 columns, 2 unknown drugs)"


def test_no_stays_and_a_repeated_ingredient():
    assert encode_drugs(stays_with(()), ingredients=("a",)).matrix.shape == (0, 5)
    with pytest.raises(InputError, match="'a' occurs more than once"):
        encode_drugs(stays_with(((),)), ingredients=("a", "a"))
