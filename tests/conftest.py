"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_make_parametrize_id(config, val, argname):
    """Bytes are named by their number: packed ones hold the time, and two processes must call a test the same."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(autouse=True, scope="module")
def few_compiled_programs():
    """On JAX, forgets the programs of a file of tests: with those of all files its compiler runs out of memory maps."""
    yield
    if os.environ.get("KERAS_BACKEND") == "jax":
        import jax

        jax.clear_caches()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real development data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("ICD_RELEVANCY_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set ICD_RELEVANCY_DATA)")
    return folder


@pytest.fixture(scope="session")
def miniature_encoder(tmp_path_factory) -> Path:
    """The folder of a BERT with random weights and a small vocabulary."""
    import miniature

    return miniature.write_encoder(tmp_path_factory.mktemp("encoders") / "miniature")


@pytest.fixture(scope="session")
def miniature_cache(tmp_path_factory) -> Path:
    """A cache folder whose code vectors of ICD-10-CM are few: of miniature and of synthetic notes' codes."""
    import miniature

    from icd_relevancy.data.synthetic.universe import label_universe

    folder = tmp_path_factory.mktemp("cache")
    codes = (*miniature.WORDS, miniature.UNSEEN, *label_universe(100).codes)
    miniature.vectors(codes).save(folder / "vectors" / "icd10cm")
    return folder


@pytest.fixture
def in_miniature(miniature_cache, monkeypatch, tmp_path) -> Path:
    """An empty working directory, with the miniature cache."""
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(miniature_cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def two_systems_cache(miniature_cache) -> Path:
    """The miniature cache, with code vectors of ICD-9-CM too."""
    import miniature
    import numpy as np

    from icd_relevancy.vectors import CodeVectors

    codes = tuple(miniature.NINE.values())
    CodeVectors(codes, np.eye(len(codes), dtype=np.float32)).save(miniature_cache / "vectors" / "icd9cm")
    return miniature_cache


@pytest.fixture
def in_two_systems(in_miniature, two_systems_cache) -> Path:
    """An empty working directory, with the cache of two systems."""
    return in_miniature


@pytest.fixture(scope="session")
def trained(miniature_encoder, miniature_cache, tmp_path_factory) -> Path:
    """A folder with `notes.csv`, `settings.yaml` and the `model` that the command line trained on them."""
    import miniature

    from icd_relevancy.cli.main import main

    folder = tmp_path_factory.mktemp("trained")
    miniature.notes().write(folder / "notes.csv")
    settings = f"encoder: {miniature_encoder}\nmax_length: 32\nlearning_rate: 0.1\nepochs: 40\nloss: bce\n"
    (folder / "settings.yaml").write_text(settings)
    options = ["--config", str(folder / "settings.yaml"), "--out", str(folder / "model")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICD_RELEVANCY_CACHE", str(miniature_cache))
        assert main(["train", str(folder / "notes.csv"), *options]) == 0
    return folder


@pytest.fixture
def place(in_miniature) -> Path:
    """The empty working directory, with good notes beside it."""
    return in_miniature


@pytest.fixture
def settings(trained) -> list[str]:
    """Options of a short training."""
    return ["--config", str(trained / "settings.yaml"), "--epochs", "1"]


@pytest.fixture
def check_refused(capsys, place):
    """Checks that a command says one line that names the place, and writes nothing."""

    from command_line import SECRET

    from icd_relevancy.cli.main import main

    def check(*arguments, names: str = ""):
        before = sorted(place.rglob("*"))
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert len(told.err.splitlines()) == 1
        assert told.err.startswith("icd-relevancy: ")
        assert names in told.err
        assert SECRET not in told.err
        assert "Traceback" not in told.err
        assert sorted(place.rglob("*")) == before
        return told.err

    return check
