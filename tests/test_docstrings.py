"""The examples in the docstrings of every public object run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import icd_relevancy

# Modules whose examples cannot run here, each with the reason.
EXCLUDED: dict[str, str] = {}


def modules():
    found = [module.name for module in pkgutil.walk_packages(icd_relevancy.__path__, "icd_relevancy.")]
    return [
        "icd_relevancy",
        *sorted(name for name in found if not name.endswith("__main__") and name not in EXCLUDED),
    ]


def public_examples(module):
    """The doctests of a module's public functions, classes and methods."""
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        path = test.name.removeprefix(module.__name__).strip(".")
        if not any(part.startswith("_") for part in path.split(".")):
            yield test


@pytest.mark.parametrize("name", modules())
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Examples write below `results`, as the experiments do, and into no cache but this one.
    (tmp_path / "results").mkdir()
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(tmp_path / "cache"))
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in public_examples(importlib.import_module(name)):
        runner.run(test, out=report.append)
    assert not runner.summarize(verbose=False).failed, "".join(report)


def test_excluded_modules_still_exist():
    for name in EXCLUDED:
        assert importlib.util.find_spec(name) is not None


def test_the_examples_are_found():
    """The core's examples are among those that run, so the finder cannot silently find nothing."""
    found = {
        test.name
        for name in (
            "icd_relevancy.losses.relevancy",
            "icd_relevancy.metrics.relevancy",
            "icd_relevancy.relevance.graph",
        )
        for test in public_examples(importlib.import_module(name))
        if test.examples
    }
    assert {name.rsplit(".", 1)[1] for name in found} >= {
        "TLCL",
        "PLCL",
        "BHML",
        "WHML",
        "tlcl",
        "plcl",
        "RelevancyF1Score",
        "RelevancyPrecision",
        "RelevancyRecall",
        "RelevanceGraph",
        "set_relevance",
    }
