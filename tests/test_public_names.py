"""What `import icd_relevancy` promises: the names of the contract, and no TensorFlow until one needs it."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest

import icd_relevancy
from icd_relevancy import WHML, RelevanceGraph, RelevancyF1Score
from icd_relevancy._registration import _WITH_KERAS_CLASSES

CONTRACT = [
    "BHML",
    "CodeVectors",
    "InputError",
    "PLCL",
    "RelevanceGraph",
    "RelevancyF1Score",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyReport",
    "TLCL",
    "WHML",
    "get_relevance",
    "relevancy_report",
    "set_relevance",
]


def run(code):
    """Runs the code in a fresh Python and returns what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", icd_relevancy.__all__)
def test_every_public_name_exists_and_is_documented(name):
    value = getattr(icd_relevancy, name)
    if name == "__version__":
        assert value.split(".")[0].isdigit()
        return
    assert callable(value), f"{name} is a {type(value).__name__}"
    assert inspect.getdoc(value)
    assert name in dir(icd_relevancy)


def test_the_contract_is_kept():
    assert set(CONTRACT) <= set(icd_relevancy.__all__)


@pytest.mark.parametrize("name", icd_relevancy._SUBPACKAGES)
def test_subpackages_are_reached_as_attributes(name):
    package = getattr(icd_relevancy, name)
    assert package is import_module(f"icd_relevancy.{name}")
    for public in getattr(package, "__all__", ()):
        assert getattr(package, public) is not None


def test_names_are_the_same_object_wherever_they_are_found():
    assert icd_relevancy.TLCL is import_module("icd_relevancy.losses").TLCL
    # The function shares its name with the module that holds it.
    import_module("icd_relevancy.metrics.relevancy_report")
    assert icd_relevancy.relevancy_report is import_module("icd_relevancy.metrics").relevancy_report
    assert callable(icd_relevancy.metrics.relevancy_report)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'icd_relevancy' has no attribute 'BCE'"):
        _ = icd_relevancy.BCE
    with pytest.raises(AttributeError, match="has no attribute 'BCE'"):
        _ = icd_relevancy.metrics.BCE


def test_errors_are_value_errors():
    assert issubclass(icd_relevancy.InputError, ValueError)


@pytest.mark.parametrize(
    "code",
    [
        "import icd_relevancy",
        "from icd_relevancy import CodeVectors, RelevanceGraph, relevancy_report, set_relevance, InputError",
        "import icd_relevancy as i; i.relevancy_report([[1]], [[1]], i.RelevanceGraph.identity(['A']))",
        "import icd_relevancy.metrics.ranking, icd_relevancy.codes, icd_relevancy.data",
    ],
    ids=["package", "names", "use", "subpackages"],
)
def test_nothing_loads_tensorflow_before_it_is_needed(code):
    printed = run(
        f"{code}\nimport sys; print([m for m in ('tensorflow', 'keras', 'jax') if m in sys.modules])"
    )
    assert printed == "[]"


def test_a_saved_model_loads_in_a_fresh_process(tmp_path):
    """Nothing but `import icd_relevancy`, before or after Keras, is needed to find the classes."""
    path = tmp_path / "model.keras"
    graph = RelevanceGraph.identity(["J18.9", "I10"])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="sigmoid")])
    model.compile(loss=WHML(alpha=0.75, relevance=graph), metrics=[RelevancyF1Score(relevance=graph)])
    model.fit(np.zeros((2, 3)), np.eye(2), verbose=0)
    model.save(path)
    for imports in ("import icd_relevancy, keras", "import keras, icd_relevancy"):
        code = f"{imports}; print(keras.saving.load_model({str(path)!r}).loss.alpha)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == "0.75", done.stderr[-500:]


def test_contract_modules_are_attributes():
    names = ("metrics.ranking.ndcg", "metrics.multilabel.f1", "training.config", "codes.icd10cm")
    code = f"import icd_relevancy; {'; '.join(f'icd_relevancy.{name}' for name in names)}"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "module", ["matching", "losses", "metrics.relevancy", "layers", "training.note_coder", "cli"]
)
def test_any_module_may_come_first(module):
    assert subprocess.run([sys.executable, "-c", f"import icd_relevancy.{module}"]).returncode == 0


def test_all_that_keras_saves_is_registered_on_import():
    package = Path(icd_relevancy.__file__).parent
    registering = {
        ".".join(file.relative_to(package.parent).with_suffix("").parts)
        for file in package.rglob("*.py")
        if "@keras.saving.register_keras_serializable(" in file.read_text(encoding="utf-8")
    }
    assert registering == set(_WITH_KERAS_CLASSES)
