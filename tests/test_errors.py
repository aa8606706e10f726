"""What messages and the terminal show."""

from types import SimpleNamespace

import pytest

from icd_relevancy.cli.evaluate import print_wards
from icd_relevancy.cli.options import warn_drugs
from icd_relevancy.cli.predict import print_codes
from icd_relevancy.data import Stays
from icd_relevancy.errors import InputError, printable, shown_code, shown_note, shown_word
from icd_relevancy.settings import read_yaml
from icd_relevancy.training.notes.config import TrainingConfig

HOSTILE = "n7\x1b[2J\x07\r\u202e\u2028\x9b"


def test_what_a_terminal_acts_on_is_escaped():
    assert printable(HOSTILE) == "n7\\x1b[2J\\x07\\r\\u202e\\u2028\\x9b"
    assert printable("患者 1, Müller\xa0A") == "患者 1, Müller\xa0A"
    for shown in (shown_word(HOSTILE), shown_note(HOSTILE, 1), shown_code(HOSTILE)):
        assert shown.isprintable()


@pytest.mark.parametrize("value", ["Mrs Miller", ["Miller"], {"Miller": 1}, b"Miller", "Miller" * 10])
def test_no_text_is_shown(value):
    for shown in (shown_word(value), shown_code(value)):
        assert "Miller" not in shown
        assert len(shown) < 60


def test_a_number_of_thousands_of_digits():
    assert shown_word(10**5000) == "(not shown: a long number)"


def test_predicted_codes_of_a_hostile_note(capsys):
    code = {"assigned": True, "probability": 0.5, "code": "J18.9", "title": "Pneu\x1b]0;x"}
    print_codes(HOSTILE, [code])
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 3
    assert all(map(str.isprintable, lines))


def test_unknown_drugs_may_be_note_text(capsys):
    coder = SimpleNamespace(
        known_drugs=lambda stays: SimpleNamespace(tolist=lambda: [1]),
        unknown_drugs=lambda stays: (("xyzzy", 2), ("Mrs Miller coughs", 1)),
    )
    warn_drugs(coder, Stays(("1",), (("xyzzy",),), ((),)))
    told = capsys.readouterr().err
    assert "left out: xyzzy (2), (not shown: 17 characters of text) (1)" in told


def test_wards_that_are_left_out_may_be_note_text(capsys):
    print_wards({}, {"Mrs Miller coughs": 1, "MICU": 2})
    assert (
        capsys.readouterr().out.splitlines()[-1].endswith("(not shown: 17 characters of text) (1), MICU (2)")
    )


@pytest.mark.parametrize(
    "lines", ["loss: Mrs Miller coughs", "alpha: [Mrs Miller]", "Mrs Miller: 1", "model: {Miller: 1}",
              "Mrs Miller: 1\nMrs Miller: 2", "vectors: Mrs Miller\nepochs: Mrs Miller", "Mrs Miller coughs"],
)  # fmt: skip
def test_settings_that_are_a_note_by_mistake(tmp_path, lines):
    (tmp_path / "a.yaml").write_text(lines)
    with pytest.raises(InputError, match=r"a\.yaml") as told:
        TrainingConfig.from_mapping(read_yaml(tmp_path / "a.yaml"), str(tmp_path / "a.yaml"))
    assert "Miller" not in str(told.value)
