"""What `import icd_relevancy` promises: the names of the contract, and no TensorFlow until one needs it."""

import ast
import configparser
import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
from fresh import run_each

import icd_relevancy
from icd_relevancy import WHML, RelevanceGraph, RelevancyF1Score
from icd_relevancy._keras import _WITH_KERAS_CLASSES

CONTRACT = [
    "BHML",
    "CodeVectors",
    "InputError",
    "PLCL",
    "RelevanceGraph",
    "RelevancyF1Score",
    "RelevancyFalseNegatives",
    "RelevancyFalsePositives",
    "RelevancyPrecision",
    "RelevancyRecall",
    "RelevancyReport",
    "RelevancyTruePositives",
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
    for public in package.__all__:
        assert getattr(package, public) is not None
        assert public in dir(package)


def test_dir_lists_every_public_name_before_it_is_used():
    names = ["icd_relevancy", *[f"icd_relevancy.{name}" for name in icd_relevancy._SUBPACKAGES]]
    missing = run(
        f"import importlib; print([(p, n) for p in {names} for m in [importlib.import_module(p)] "
        "for n in m.__all__ if n not in dir(m)])"
    )
    assert missing == "[]"
    assert set(icd_relevancy._SUBPACKAGES) <= set(dir(icd_relevancy))


def test_a_public_function_is_never_the_module_beside_it():
    """Importing a module sets it as an attribute of its package, over a lazy name of the same spelling."""
    modules = [module.name for module in pkgutil.walk_packages(icd_relevancy.__path__, "icd_relevancy.")]
    for name in modules:
        if not name.rpartition(".")[2].startswith("_"):
            import_module(name)
    for package in map(
        import_module, ["icd_relevancy", *(f"icd_relevancy.{n}" for n in icd_relevancy._SUBPACKAGES)]
    ):
        for public in set(package.__all__) - {"calibration", "code_information", "multilabel", "ranking"}:
            assert not inspect.ismodule(getattr(package, public)), f"{package.__name__}.{public}"
    assert inspect.isfunction(import_module("icd_relevancy.training").fit)


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


BEFORE_LOADING = [
    "import keras, icd_relevancy",
    # A probe, as other libraries make it, finds a loader that works and imports nothing.
    "import icd_relevancy, importlib.util as u; s = [u.find_spec('keras') for _ in range(3)][-1]; l = s.loader; "
    "assert l.get_data(s.origin) and l.is_package('keras') and l.get_source('keras') and l.get_code('keras')",
    "import icd_relevancy, importlib, keras.src; importlib.reload(keras)",
    "import icd_relevancy.relevance.matching",
    "import icd_relevancy, importlib, threading; "
    "names = ['icd_relevancy.losses', 'icd_relevancy.metrics.relevancy', 'keras.saving']; "
    "threads = [threading.Thread(target=importlib.import_module, args=[name]) for name in names]; "
    "[thread.start() for thread in threads]; [thread.join() for thread in threads]",
]


def test_a_saved_model_loads_in_a_fresh_process(tmp_path):
    """Nothing but `import icd_relevancy`, before or after Keras, is needed to find the classes."""
    path = tmp_path / "model.keras"
    graph = RelevanceGraph.identity(["J18.9", "I10"])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="sigmoid")])
    model.compile(loss=WHML(alpha=0.75, relevance=graph), metrics=[RelevancyF1Score(relevance=graph)])
    model.fit(np.zeros((2, 3)), np.eye(2), verbose=0)
    model.save(path)
    load = f"import keras; print(keras.saving.load_model({str(path)!r}).loss.alpha)"
    said_after = run_each([f"{before}; {load}" for before in BEFORE_LOADING])
    for before, (_, said) in zip(BEFORE_LOADING, said_after, strict=True):
        assert said.splitlines()[-1:] == ["0.75"], f"{before}: {said[-500:]}"


def test_any_module_may_come_first():
    names = ("metrics.ranking.ndcg", "metrics.multilabel.f1", "training.notes", "codes.icd10cm")
    attributes = f"import icd_relevancy; {'; '.join(f'icd_relevancy.{name}' for name in names)}"
    modules = ["relevance.matching", "losses", "metrics.relevancy", "layers", "training.notes.coder", "cli"]
    for status, said in run_each([attributes, *(f"import icd_relevancy.{module}" for module in modules)]):
        assert status == 0, said


def test_all_that_keras_saves_is_registered_on_import():
    package = Path(icd_relevancy.__file__).parent
    registering = {
        ".".join(file.relative_to(package.parent).with_suffix("").parts)
        for file in package.rglob("*.py")
        if "@keras.saving.register_keras_serializable(" in file.read_text(encoding="utf-8")
    }
    assert registering == set(_WITH_KERAS_CLASSES)


def test_the_package_is_typed():
    """A checker reads the annotations where the package says that it has some."""
    assert (Path(icd_relevancy.__file__).parent / "py.typed").is_file()
    settings = configparser.ConfigParser()
    settings.read(Path(icd_relevancy.__file__).parent.parent / "setup.cfg")
    assert "py.typed" in settings["options.package_data"]["icd_relevancy"].split()
    # KerasTuner imports it on TensorFlow without asking for it.
    assert "tensorboard" in settings["options.extras_require"]["tune"]
    for package in ("losses", "metrics"):
        for name in import_module(f"icd_relevancy.{package}").__all__:
            value = getattr(import_module(f"icd_relevancy.{package}"), name)
            if isinstance(value, type):
                assert untyped(value.__init__) <= {"self", "dtype", "loss"}, name
    for method in (
        "__init__",
        "from_codes",
        "from_vectors",
        "from_similarity",
        "identity",
        "select",
        "save",
        "load",
    ):
        assert untyped(getattr(RelevanceGraph, method)) <= {"self"}, method


def untyped(function):
    parameters = inspect.signature(function).parameters.values()
    return {one.name for one in parameters if one.annotation is one.empty}


@pytest.mark.parametrize("name", ["", ".metrics", ".training", ".vectors"])
def test_lazy_names_are_imports_to_a_checker(name):
    package = import_module(f"icd_relevancy{name}")
    imported = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(Path(package.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(package.__all__) <= imported
    assert not name or set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize(
    "call",
    [
        lambda: WHML(alpha="x"),
        lambda: WHML(relevance="graph"),
        lambda: WHML(harmonic_of=["scores"]),
        lambda: icd_relevancy.set_relevance("graph"),
        lambda: RelevanceGraph.from_vectors("icd10cm"),
        lambda: RelevanceGraph.from_vectors(icd_relevancy.CodeVectors(["A01"], [[1.0]]), threshold="high"),
        lambda: RelevanceGraph([1], np.eye(1), 0.5),
        lambda: RelevancyF1Score(average=3),
        lambda: icd_relevancy.losses.FocalLoss(gamma="x"),
        lambda: icd_relevancy.losses.FocalWeightedCrossentropy(focal_weight=None),
        lambda: icd_relevancy.losses.WeightedCrossentropy("x"),
        lambda: icd_relevancy.losses.IRW("x"),
        lambda: icd_relevancy.losses.IRW([0.5], cap="x"),
        lambda: icd_relevancy.losses.MCLoss("tree"),
        lambda: icd_relevancy.losses.HierL2(icd_relevancy.layers.Hierarchy([-1]), "x"),
        lambda: icd_relevancy.metrics.NDCG("x"),
        lambda: icd_relevancy.metrics.RankErrorsAtRecall("x"),
        lambda: icd_relevancy.metrics.MicroAUPRC("x"),
    ],
)
def test_a_wrong_type_is_one_clear_line(call):
    with pytest.raises(ValueError, match=r"Received: |not str; read") as told:
        call()
    assert len(str(told.value).splitlines()) == 1
