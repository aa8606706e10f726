import pytest

from icd_relevancy.codes import general_equivalence_mappings
from icd_relevancy.errors import InputError


def test_packaged_rows():
    table = general_equivalence_mappings()
    assert table.direction.value_counts().to_dict() == {"10to9": 78_838, "9to10": 23_912}
    assert list(table) == [
        "source",
        "target",
        "direction",
        "approximate",
        "no_map",
        "combination",
        "scenario",
        "choice_list",
    ]
    forth = table[table.direction == "9to10"].set_index("source")
    assert forth.loc["001.0", "target"] == "A00.0"
    assert not forth.loc["001.0", "approximate"]
    assert forth.loc["E849.7", "target"] == "Y92.199"
    assert forth.loc["V10.46", "target"] == "Z85.46"
    assert forth.loc["780.60", "target"].tolist() == ["R50.2", "R50.9"]
    assert table.target.isna().equals(table.no_map)
    assert not table.target.str.contains("NoDx", na=False).any()


def test_released_files(tmp_path):
    (tmp_path / "2018_I9gem.txt").write_text(
        "0010  A000    00000\nE8497 Y92199  10000\n36570 NoDx    11000\n"
    )
    (tmp_path / "2018_I10gem.txt").write_text("T360X1A 9600 10112\n")
    table = general_equivalence_mappings(tmp_path)
    assert table.source.tolist() == ["001.0", "E849.7", "365.70", "T36.0X1A"]
    assert table.target.tolist()[:2] == ["A00.0", "Y92.199"]
    assert table.target.isna().tolist() == [False, False, True, False]
    assert table.loc[3, ["target", "approximate", "combination", "scenario", "choice_list"]].tolist() == [
        "960.0",
        True,
        True,
        1,
        2,
    ]


def test_bad_folders(tmp_path):
    with pytest.raises(InputError, match="I9gem"):
        general_equivalence_mappings(tmp_path)
    (tmp_path / "a_I9gem.txt").write_text("0010  A000\n")
    with pytest.raises(InputError, match="row 1"):
        general_equivalence_mappings(tmp_path)


def test_release_of_2018(real_data):
    table = general_equivalence_mappings(real_data / "gems")
    assert table.direction.value_counts().to_dict() == {"10to9": 81_593, "9to10": 24_860}
