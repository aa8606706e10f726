"""Kept results are called after all that they depend on: the sources, the data, the codes."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small_system import small_system, small_task

import experiments.fingerprints
import experiments.harness
import experiments.vector_sets
import icd_relevancy
from experiments.fingerprints import columns_digest, sources_digest, system_digest
from experiments.tasks.stays import StaysConfig, StaysTask
from experiments.vector_sets import vector_set
from icd_relevancy.data import Notes, Stays
from icd_relevancy.vectors import CodeVectors


@pytest.fixture
def copied(tmp_path) -> tuple[Path, Path]:
    """Copies of the package and of the experiments."""
    sources = (Path(module.__file__).parent for module in (icd_relevancy, experiments.fingerprints))
    return tuple(Path(shutil.copytree(source, tmp_path / source.name)) for source in sources)


def digest(copied) -> str:
    return sources_digest.__wrapped__(*copied)


@pytest.mark.parametrize(
    "edited",
    [
        "icd_relevancy/losses/relevancy.py",
        "icd_relevancy/text/abbreviations.csv",
        "icd_relevancy/training/thresholds.py",
        "experiments/rows/heads.py",
        "experiments/controls.py",
        "experiments/vector_sets.py",
    ],
)
def test_an_edited_source_is_another_result(copied, tmp_path, edited):
    before = digest(copied)
    path = tmp_path / edited
    content = path.read_bytes()
    path.write_bytes(content.replace(b"e", b"a", 1))
    assert digest(copied) != before
    path.write_bytes(content)
    assert digest(copied) == before
    path.rename(path.with_name("moved.py"))
    assert digest(copied) != before


def test_what_no_result_is_computed_by_is_left_out(copied, tmp_path):
    before = digest(copied)
    for path in (
        "icd_relevancy/cli/vectors.py",
        "icd_relevancy/reporting/plots.py",
        "experiments/losses/table2.yaml",
    ):
        (tmp_path / path).write_text("# edited")
    (tmp_path / "icd_relevancy" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "icd_relevancy" / "__pycache__" / "cache.pyc").write_bytes(b"1")
    assert digest(copied) == before
    assert sources_digest() == sources_digest.__wrapped__()


def test_every_kept_result_is_of_the_sources(
    miniature_task, make_task, small_file, in_miniature, monkeypatch
):
    stays = StaysConfig("synthetic", "icd9cm", 40, 1, 0.2, 0.2, 0, {})
    vectors = CodeVectors(["A"], [[1.0]])

    def names() -> tuple[set, set]:
        """The digests of notes, stays and notes of two systems; the files of codes and of sets of vectors."""
        of_codes = small_task(monkeypatch)
        of_codes.kept_of("x", {}, vectors, lambda: 1)
        with monkeypatch.context() as patch:
            patch.setenv("ICD_RELEVANCY_CACHE", str(in_miniature / "cache"))
            vector_set("Hierarchy only", of_codes.system)
        tasks = (miniature_task(), StaysTask(stays), make_task(small_file))
        files = (*in_miniature.rglob("x-*.json"), *(in_miniature / "cache" / "vectors").iterdir())
        return {task.fingerprint for task in tasks}, set(files)

    fingerprints, files = names()
    assert names() == (fingerprints, files)
    assert (len(fingerprints), len(files)) == (3, 2)
    for module in (experiments.harness, experiments.vector_sets):
        monkeypatch.setattr(module, "sources_digest", lambda: "edited")
    others, more = names()
    assert not fingerprints & others
    assert len(more - files) == 2


@pytest.mark.parametrize("column", ["patient_id", "text", "codes", "specialty", "age", "sex", "mentions"])
def test_every_column_of_notes_counts(column):
    notes = Notes(("1",), ("Cough.",), (("R05.9",),))
    values = {"codes": (("I10",),), "age": (3.0,), "mentions": ((("R05.9", "cough"),),)}
    other = replace(notes, **{column: values.get(column, ("female",))})
    assert columns_digest(other) != columns_digest(notes)
    assert columns_digest(replace(notes, source="elsewhere")) == columns_digest(notes)


def test_wards_count():
    stays = Stays(("1",), (("aspirin",),), (("I10",),), ward=("MED",))
    assert columns_digest(replace(stays, ward=("SURG",))) != columns_digest(stays)


def test_titles_and_parents_of_a_code_system_count():
    system = small_system()
    for changed in (
        replace(system, titles={**system.titles, "J18.9": "Lung fever"}),
        replace(system, parents={**system.parents, "J18.9": "J45"}),
    ):
        assert system_digest(changed) != system_digest(system)
    assert system_digest(small_system()) == system_digest(system)
