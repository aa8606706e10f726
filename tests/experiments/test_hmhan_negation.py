"""The experiment on negation, on a few sentences and reports."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from experiments import harness
from experiments.hmhan import negation
from icd_relevancy.data import Notes

REPORTS = (
    ("Cough. No pneumonia.", ("786.2",)),
    ("Cough and fever. Pneumonia.", ("486", "780.6", "786.2")),
    ("No cough. Hydronephrosis.", ("591",)),
    ("Fever. No hydronephrosis, no pneumonia.", ("780.6",)),
) * 5  # fmt: skip
SETTINGS = negation.SentencesConfig("", "icd9cm", reports=8, min_notes=1, seed=0)


@pytest.fixture
def notes():
    texts, codes = zip(*REPORTS, strict=True)
    return Notes(tuple(map(str, range(len(texts)))), texts, codes)


def test_mentions_of_reports(notes):
    row = negation.report_table(notes, SETTINGS).iloc[0]
    assert row["reports"] == 8
    # Every report mentions its codes plainly and negates some of the others.
    assert row["of them negated (%)"] == 0
    assert row["of these negated (%)"] == 100
    assert row["mentions of other codes"] == 8 * row["negated words a report"]
    assert row["reports with any (%)"] < 100


def test_the_sample_is_seeded(notes):
    once, again = (negation.report_table(notes, SETTINGS) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


def test_from_the_command_line(in_miniature, monkeypatch, capsys):
    (in_miniature / "few.tsv").write_text(
        "part\tsentence\tnegated\taffirmed\n"
        "development\tNo pneumonia but cough.\tpneumonia\tcough\n"
        "held-out\tCough without fever.\tfever\tcough\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ICD_RELEVANCY_DATA", str(in_miniature / "absent"))
    harness.main(["hmhan.negation", "--set", "sentences=few.tsv", "code_system=icd9cm"])
    told = capsys.readouterr().out
    assert "no radiology reports: " in told
    folder = in_miniature / "results" / "hmhan-negation"
    table = pd.read_csv(folder / "sentences.csv").set_index(["negation", "part"])
    assert table.loc[("terms of icd9cm", "development"), ["precision", "recall"]].tolist() == [1, 1]
    run = json.loads((folder / "sentences.run.json").read_text())
    assert run["task"]["sentences"] == "few.tsv"
    assert run["read"] == {"sentences": 2, "reports": 0}
    assert {"spacy", "negspacy"} <= set(run["versions"])


def test_real_reports(real_data):
    from icd_relevancy.data import read_cmc2007

    table = negation.report_table(
        read_cmc2007(real_data / "cmc2007"), replace(SETTINGS, reports=100, min_notes=5)
    )
    row = table.iloc[0]
    assert row["of them negated (%)"] < 5
    assert row["of these negated (%)"] > 5 * row["of them negated (%)"]
