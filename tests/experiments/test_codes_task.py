import json
import sys
from types import SimpleNamespace

import pytest
from small_system import small_system, small_task

from experiments import harness
from experiments.harness import library_versions
from experiments.tasks import codes as codes_module
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import sample_codes


def test_the_codes_of_a_task(monkeypatch, in_miniature):
    task = small_task(monkeypatch)
    assert task.codes == task.system.leaves
    assert task.name == "small"
    drawn = small_task(monkeypatch, codes=30)
    assert len(drawn.codes) == 30
    assert list(drawn.codes) == [code for code in task.codes if code in drawn.codes]
    assert drawn.codes == small_task(monkeypatch, codes=30).codes
    assert drawn.name == "small-30"
    assert drawn.sample(5, ["A", "B"]) == ("A", "B")
    assert drawn.codes == sample_codes(task.system.leaves, 30, seed=0)
    with pytest.raises(InputError, match="at least one code must be drawn"):
        drawn.sample(0)
    with pytest.raises(InputError, match="codes must be at least 1"):
        small_task(monkeypatch, codes=0)


def test_vectors_are_of_the_codes_and_fingerprinted(monkeypatch, in_miniature):
    task = small_task(monkeypatch, codes=10)
    assert task.vectors("Hierarchy only", more=["I10", task.codes[0]]).codes == (
        *task.codes,
        *(["I10"] if "I10" not in task.codes else []),
    )
    assert set(task.vector_fingerprints()) == {"Hierarchy only"}


def test_what_was_computed_is_read_back(monkeypatch, in_miniature):
    task = small_task(monkeypatch)
    vectors = CodeVectors(["A"], [[1.0]])
    assert task.kept_of("x", {"k": 1}, vectors, lambda: [1, 2]) == [1, 2]
    assert task.kept_of("x", {"k": 1}, vectors, lambda: 1 / 0) == [1, 2]
    assert task.kept_of("x", {"k": 2}, vectors, lambda: 3) == 3
    assert task.kept_of("x", {"k": 1}, CodeVectors(["A"], [[2.0]]), lambda: 4) == 4
    path = next(task.runs.glob("x-*.json"))
    for file in path.parent.iterdir():
        file.write_text("[1,")
    with pytest.raises(
        InputError, match=r"x-.*\.json: not a kept result, or damaged .*; delete it and run again"
    ):
        task.kept_of("x", {"k": 1}, vectors, lambda: [1, 2])


@pytest.fixture
def command_line(monkeypatch, in_miniature):
    """Runs a made-up experiment with these options of `--set`."""
    monkeypatch.setattr(codes_module, "code_system", lambda name: small_system())
    own = {"task": "codes", "data": {"codes": 20}, "k": 3, "printed": {"A": 1}}
    codes = {"code_system": "small", "codes": None, "seed": 0, "encoder": None, "max_length": 150}
    files = {"toy": own, "codes": {"all": codes}}
    monkeypatch.setattr(harness, "read_yaml", lambda path: dict(files[path.stem]))
    monkeypatch.setattr(harness, "table_names", lambda: ["nnbsvr.toy"])

    def call(make, *options):
        monkeypatch.setitem(sys.modules, "experiments.nnbsvr.toy", SimpleNamespace(make=make))
        harness.main(["nnbsvr.toy", "--set", *options])

    return call


def test_settings_and_provenance(command_line, in_miniature):
    seen = []

    def make(task, settings, stem):
        """Nothing."""
        seen.append((len(task.codes), settings["k"], stem))
        task.vectors("Hierarchy only")
        stem.parent.mkdir(parents=True)

    command_line(make, "k=5", "seed=2")
    assert [(codes, k, str(stem)) for codes, k, stem in seen] == [(20, 5, "results/nnbsvr-toy/small-20")]
    state = json.loads((in_miniature / "results" / "nnbsvr-toy" / "small-20.run.json").read_text())
    assert state["task"] == {
        "code_system": "small",
        "codes": 20,
        "seed": 2,
        "encoder": None,
        "max_length": 150,
    }
    assert state["experiment"] == {"k": 5, "printed": {}}  # the paper's figures are of ICD-10
    assert state["codes"] == 20
    assert len(state["vectors"]["Hierarchy only"]) == 16
    assert state["versions"] == library_versions()


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ("kk=5", "no such setting; there are code_system, codes, seed, encoder, max_length, k"),
        ("printed=5", "no such setting"),
        ("k=many", "k must be int"),
        ("k=[", "no YAML value"),
        ("codes=many", "codes must be int | None"),
        ("codes=-1", "at least 1"),
    ],
)
def test_bad_settings_are_told_in_one_line(command_line, refused, option, names):
    refused(lambda: command_line(lambda task, settings, stem: None, option), names)
