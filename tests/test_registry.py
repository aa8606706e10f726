"""Things by name: of an index, of a user's own module, and what is refused in one line."""

import subprocess
import sys

import pytest

import icd_relevancy
from icd_relevancy.errors import InputError
from icd_relevancy.losses.by_name import NOTE_LOSSES, STAY_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.registry import Registry

OURS = Registry("loss", {"mine": "own_things:my_loss"})


@pytest.fixture(autouse=True)
def own_module(tmp_path, monkeypatch):
    (tmp_path / "own_things.py").write_text(
        "from icd_relevancy.registry import Registry\n"
        "losses = Registry('loss', {})\n"
        "@losses.entry(settings=3)\n"
        "def my_loss(x):\n"
        "    return 2 * x\n"
        "@losses.entry(settings=4)\n"
        "class MyLoss: pass\n"
        "def no_loss(): pass\n"
    )
    (tmp_path / "own_needy.py").write_text("import no_such_library_at_all\n")
    (tmp_path / "own_broken.py").write_text("from own_things import nothing_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("own_things", "own_needy", "own_broken"):
        sys.modules.pop(name, None)


def test_a_thing_is_found_by_name_and_by_path():
    assert OURS.names == ("mine",)
    assert OURS.find("mine")(4) == OURS.find("own_things:my_loss")(4) == 8
    assert OURS.about("mine") == {"settings": 3}
    assert OURS.about("own_things:MyLoss") == {"settings": 4}


def test_asking_for_names_imports_nothing():
    OURS.check("mine")
    OURS.check("own_things:my_loss")
    assert OURS.knows("mine")
    assert "own_things" not in sys.modules


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mse", "loss must be one of mine. Received: loss='mse'"),
        (3, "loss must be one of mine. Received: loss=3"),
        (["mine"], "loss must be one of mine"),
        ("my things:loss", "loss must be one of mine"),
        ("..things:loss", "loss must be one of mine"),
        ("no_such_module:my_loss", "there is no module no_such_module here; install it"),
        ("own_things.deeper:my_loss", "there is no module own_things.deeper here"),
        ("own_needy:my_loss", "its module own_needy needs no_such_library_at_all, which is not installed"),
        ("own_broken:my_loss", "its module own_broken cannot be imported: cannot import name"),
        ("own_things:your_loss", "your_loss is not there in the module own_things"),
        ("own_things:no_loss", "no_loss is not marked as a loss in the module own_things"),
        ("numpy:sum", "sum is not marked as a loss in the module numpy"),
        ("numpy:pi", "pi is not marked as a loss"),
        ("os:system", "os is a module of Python's own, which has no loss"),
        ("antigravity:geohash", "antigravity is a module of Python's own"),
    ],
)
def test_what_is_not_there_is_one_line(name, message):
    with pytest.raises(InputError) as caught:
        OURS.find(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_thing_of_one_kind_is_none_of_another():
    with pytest.raises(InputError, match="is not marked as a model"):
        Registry("model", {}).find("own_things:my_loss")


def test_a_module_never_takes_the_place_of_a_name_of_its_face():
    face = sys.modules["icd_relevancy"]
    face.WHML = sys
    assert icd_relevancy.WHML is icd_relevancy.losses.WHML


@pytest.mark.parametrize("index", [NOTE_MODELS, NOTE_LOSSES, STAY_LOSSES], ids=["models", "notes", "stays"])
def test_every_path_of_an_index_leads_to_a_thing_with_the_settings_that_it_names(index):
    for name in index.names:
        assert callable(index.find(name))
        assert index.about(name)["settings"] is index.settings(name)


@pytest.mark.parametrize(
    "code",
    [
        "from icd_relevancy.cli import main; main(['train', '--help'])",
        "from icd_relevancy.training import TrainingConfig; TrainingConfig(model='caml', units=3, joint=True)",
        "from icd_relevancy.training import MedicationConfig; MedicationConfig(loss='focal', gamma=3.0)",
    ],
    ids=["help", "notes", "stays"],
)
def test_names_and_settings_are_read_without_keras(code):
    code = f"import contextlib, sys\nwith contextlib.suppress(SystemExit):\n    {code}\n"
    code += "print('@', [name for name in ('keras', 'tensorflow', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "@ []", done.stderr


def test_things_of_ours_have_no_path():
    """By a path into the package a loss of notes would pass for one of stays."""
    with pytest.raises(InputError, match="loss must be one of bce, mcloss"):
        STAY_LOSSES.find("icd_relevancy.losses.relevancy:build_whml")


def test_a_thing_of_ones_own_has_the_source_of_its_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = "from icd_relevancy.losses.by_name import loss\n\n\n@loss()\ndef own(settings, labels):\n    return None\n"
    (tmp_path / "sourced_losses.py").write_text(source)
    assert STAY_LOSSES.source("sourced_losses:own") == source
    assert STAY_LOSSES.source("bce") is None
