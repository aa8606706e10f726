"""Folders of trained models that a stranger wrote: each codes or is refused in one line, and does nothing else."""

import builtins
import io
import json
import random
import shutil
import socket
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import h5py
import keras
import miniature
import numpy as np
import pytest

from icd_relevancy.cli.main import main
from icd_relevancy.data import synthetic_stays
from icd_relevancy.encoding.tokenizer import build_tokenizer
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import note_classifier
from icd_relevancy.training import MedicationCoder, MedicationConfig, NoteCoder, TrainingConfig
from icd_relevancy.training.coder import load_coder, read_coder_json
from icd_relevancy.training.model_file import read_model
from icd_relevancy.training.notes.joint_coder import JointCoder

SECRET = "Mrs Miller of 5 Elm Street"
MUTATED_FOLDERS = 32
VALUES = [
    None, True, -1, 0, 1, 2**31, 2**63, 10**30, 1.5, float("nan"), float("inf"), "", SECRET, "../../etc/passwd",
    "\ud800", [], {}, [[]], [None], {"a": 1}, [1e9], [-1], [[0, 0, 0]], "icd10cm", "hmhan",
]  # fmt: skip


@pytest.fixture(scope="module")
def folders(trained, two_systems_cache, tmp_path_factory) -> dict[str, Path]:
    """A trained folder of each kind."""
    made = tmp_path_factory.mktemp("folders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICD_RELEVANCY_CACHE", str(two_systems_cache))
        lexicon = {"model": "lexicon", "epochs": 1}
        NoteCoder.train(miniature.notes(40), TrainingConfig(**lexicon)).save(made / "notes")
        JointCoder.train(miniature.two_systems(40), TrainingConfig(joint=True, **lexicon)).save(
            made / "joint"
        )
    small = MedicationConfig(hidden_layers=1, units=4, epochs=1, constraint="roll_up")
    MedicationCoder.train(synthetic_stays(60, seed=3), small).save(made / "medication")
    shutil.copytree(trained / "model", made / "encoder")
    return {path.name: path for path in made.iterdir()}


@pytest.fixture
def copy_of(folders, in_miniature):
    def copy(kind: str) -> Path:
        folder = in_miniature / "model"
        shutil.rmtree(folder, ignore_errors=True)
        return shutil.copytree(folders[kind], folder)

    return copy


@pytest.fixture
def harmless(in_miniature, monkeypatch):
    """Fails the test for a question, a connection, or a file written outside of the temporary folder."""

    def forbidden(*_, **__):
        raise AssertionError("a question or a connection")

    (in_miniature / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(in_miniature / "temporary"))
    for place, name in ((builtins, "input"), (socket.socket, "connect"), (socket, "getaddrinfo")):
        monkeypatch.setattr(place, name, forbidden)
    yield
    assert list((in_miniature / "temporary").iterdir()) == []
    assert {path.name for path in in_miniature.iterdir()} <= {"temporary", "model", "model.keras", "encoder"}


def use(kind: str, folder: Path) -> None:
    """Loads a folder and codes by it."""
    if kind == "medication":
        list(MedicationCoder.load(folder).rank(synthetic_stays(2, seed=4)))
    else:
        list(load_coder(folder).predict(["cough and fever", ""]))


def check_one_line(kind: str, folder: Path) -> str | None:
    """What a folder is refused with, or None; one line without a warning or a word of what is in the folder."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            use(kind, folder)
            return None
        except InputError as error:
            line = str(error)
    assert "\n" not in line
    assert SECRET not in line
    assert told == []
    return line


def mutated(value, draw: random.Random):
    """A JSON value with one to three of its parts taken out, replaced or put twice."""
    value = json.loads(json.dumps(value))
    for _ in range(draw.choice([1, 1, 2, 3])):
        spots, open_values = [], [value]
        while open_values:
            part = open_values.pop()
            keys = list(part) if isinstance(part, dict) else range(min(len(part), 5))
            spots += [(part, key) for key in keys]
            open_values += [part[key] for key in keys if isinstance(part[key], dict | list)]
        if not spots:
            break
        part, key = draw.choice(spots)
        how = draw.random()
        if how < 0.3:
            del part[key]
        elif how < 0.9 or isinstance(part, dict):
            part[key] = draw.choice(VALUES)
        else:
            part.append(part[key])
    return value


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Bytes cut off, with bits flipped, or with some taken out."""
    changed, at = bytearray(content), draw.randrange(len(content))
    match draw.choice(["cut", "flip", "flip", "gap"]):
        case "cut":
            del changed[at:]
        case "flip":
            for _ in range(draw.choice([1, 4, 50])):
                changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        case "gap":
            del changed[at : at + draw.randrange(1, 400)]
    return bytes(changed)


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_parts(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def mutate_a_file(folder: Path, draw: random.Random) -> None:
    path = draw.choice(sorted(folder.iterdir()))
    if draw.random() < 0.25:
        path.write_bytes(damaged(path.read_bytes(), draw))
    elif path.suffix == ".json":
        path.write_text(json.dumps(mutated(json.loads(path.read_text()), draw)))
    else:
        # With checksums that fit: the damage is inside.
        parts = parts_of(path)
        name = draw.choice(sorted(parts))
        if name == "config.json":
            parts[name] = json.dumps(mutated(json.loads(parts[name]), draw)).encode()
        else:
            parts[name] = damaged(parts[name], draw)
        write_parts(path, parts)


@pytest.mark.parametrize("kind", ["notes", "joint", "medication", "encoder"])
def test_a_mutated_folder_codes_or_is_refused_in_one_line(copy_of, harmless, kind):
    assert check_one_line(kind, copy_of(kind)) is None
    draw, refused = random.Random(13), 0
    for _ in range(MUTATED_FOLDERS):
        folder = copy_of(kind)
        mutate_a_file(folder, draw)
        refused += check_one_line(kind, folder) is not None
    assert refused > MUTATED_FOLDERS / 3


def change_json(path: Path, change) -> None:
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.pop("labels"), r"coder\.json: labels is missing"),
        (lambda told: told["titles"].__setitem__(1, 3), r'coder\.json: titles\.1 must be of type "string"'),
        (lambda told: told.update(decision_threshold=SECRET), r'decision_threshold must be of type "number"'),
        (lambda told: told.update(decision_threshold=float("nan")), "its files are of different models"),
        (lambda told: told["features"].update({SECRET: {}}), "features: has a name that is not known"),
        (lambda told: told["training"].update(model=SECRET), "holds a model .not shown: 26 characters of text"),
        (lambda told: told.update(labels=[SECRET, *told["labels"][1:]]), "its files are of different models"),
    ],
)  # fmt: skip
def test_coder_json_is_checked_by_its_schema(copy_of, change, message):
    folder = copy_of("notes")
    change_json(folder / "coder.json", change)
    with pytest.raises(InputError, match=message) as caught:
        load_coder(folder)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"training": ' * 50_000, b"1" * 5_000, b"\xff\xfe{}"])
def test_a_coder_json_that_no_reader_takes(tmp_path, content):
    (tmp_path / "coder.json").write_bytes(content)
    with pytest.raises(InputError, match=r"coder\.json"):
        read_coder_json(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.update(idf=part["idf"][:-1]),
        lambda part: part["idf"].__setitem__(0, float("inf")),
        lambda part: part["words"].__setitem__(0, part["words"][1]),
        lambda part: part["phrases"]["links"].append([10**9, 0, 1.0]),
        lambda part: part["phrases"]["links"].append([-1, 0, 1.0]),
        lambda part: part["phrases"]["links"].append([0.5, 0, 1.0]),
        lambda part: part["phrases"]["links"].append([0, 0, float("nan")]),
        lambda part: part["titles"]["names"].__setitem__(0, [-1]),
        lambda part: part["titles"]["names"].__setitem__(0, [10**6]),
        lambda part: part["titles"]["names"].__setitem__(0, []),
        lambda part: part.update(labels=part["labels"][::-1]),
    ],
)
def test_every_array_of_a_lexicon_is_checked(copy_of, change):
    folder = copy_of("notes")
    change_json(folder / "coder.json", lambda told: change(told["features"]["lexicons"]["lexical"]))
    assert check_one_line("notes", folder) is not None


def test_a_hub_name_in_a_folder_reaches_no_network(copy_of, harmless, monkeypatch):
    from huggingface_hub import constants

    folder = copy_of("encoder")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder.parent / "temporary"))
    change_json(folder / "coder.json", lambda told: told["training"].update(encoder="stranger/model"))
    assert "stranger/model: named by the model's folder" in check_one_line("encoder", folder)
    coder = load_coder(folder)
    with pytest.raises(InputError, match="--encoder"):
        coder.truncated(["cough"])
    with pytest.raises(InputError, match="--encoder"):
        coder.inputs(["cough"], cache=folder.parent / "temporary")


@pytest.fixture(scope="module")
def good_encoder(miniature_encoder, tmp_path_factory) -> Path:
    """A `model.keras` with an encoder in it."""
    encoder = TransformerEncoder(miniature_encoder, max_length=16, trainable=True)
    path = tmp_path_factory.mktemp("encoder") / "model.keras"
    note_classifier(3, encoder=encoder).save(path)
    assert read_model(path).output_shape == (None, 3)
    return path


@pytest.fixture
def saved_encoder(good_encoder, in_miniature) -> Path:
    """The model with an encoder, to change."""
    return Path(shutil.copy(good_encoder, in_miniature))


def change_config(path: Path, change) -> None:
    """Changes the configuration of each layer in a saved model."""
    parts = parts_of(path)
    config = json.loads(parts["config.json"])
    for layer in config["config"]["layers"]:
        change(layer)
    parts["config.json"] = json.dumps(config).encode()
    write_parts(path, parts)


def of_encoder(change):
    return lambda layer: change(layer["config"]) if layer["class_name"] == "TransformerEncoder" else None


@pytest.mark.parametrize(
    "name", ["../escaped.json", "/tmp/escaped-from-a-model.json", "modeling.py", "vocab.txt"]
)
def test_a_tokenizer_writes_no_file(saved_encoder, harmless, name):
    change_config(saved_encoder, of_encoder(lambda config: config["tokenizer_files"].update({name: "{}"})))
    with pytest.raises(InputError, match="not a model of this package"):
        read_model(saved_encoder)
    assert not Path("/tmp/escaped-from-a-model.json").exists()
    with pytest.raises(InputError, match=r"the files of the tokenizer: must be tokenizer\.json"):
        build_tokenizer({"tokenizer.json": "{}", name: "{}"}, None)


def test_code_and_files_that_a_saved_encoder_names_are_left_out(saved_encoder, harmless):
    evil = {
        "auto_map": {"AutoTokenizer": ["evil.T", None]},
        "tokenizer_class": "Evil",
        "tokenizer_file": "/dev/zero",
    }

    def change(config):
        config["architecture"] |= {"auto_map": {"AutoModel": "evil.Model"}, "_name_or_path": "stranger/model"}
        config["architecture"] |= {"num_labels": 10**12, "custom_pipelines": {"x": {"impl": "evil.P"}}}
        told = json.loads(config["tokenizer_files"]["tokenizer_config.json"])
        config["tokenizer_files"]["tokenizer_config.json"] = json.dumps(told | evil)
        config["name_or_path"] = "stranger/model"

    change_config(saved_encoder, of_encoder(change))
    assert read_model(saved_encoder).output_shape == (None, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["architecture"].update(vocab_size=10**10),
        lambda config: config["architecture"].update(vocab_size=2**24),
        lambda config: config["architecture"].update(hidden_size=2**20, num_attention_heads=2),
        lambda config: config["architecture"].update(num_hidden_layers=10**9),
        lambda config: config["architecture"].update(model_type="whisper"),
        lambda config: config.update(architecture=None),
        lambda config: config.update(max_length=10**12, chunk_length=8),
        lambda config: config["tokenizer_files"].update({"tokenizer.json": "{}"}),
        lambda config: config.update(tokenizer_files=None),
    ],
)
def test_an_encoder_beyond_its_weights_is_never_built(saved_encoder, harmless, change):
    change_config(saved_encoder, of_encoder(change))
    with pytest.raises(InputError) as caught:
        read_model(saved_encoder)
    assert "\n" not in str(caught.value)


LAYERS = {
    "lambda": {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "x"}},
    "saved model": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp"}},
    "vocabulary": {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
    "function": {"module": "keras.utils", "class_name": "function", "config": "get_file"},
    "other module": {"module": "os", "class_name": "system", "config": {}},
    "registered": {"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": "evil>Dense"},
    "nameless": {"module": "keras.layers", "class_name": None, "config": {}, "registered_name": "Lambda"},
}  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("inside", [False, True])
def test_only_what_our_models_have_is_built(copy_of, harmless, layer, inside):
    def change(old):
        if old["class_name"] != "InputLayer":
            if inside:
                old["config"]["kernel_initializer"] = layer
            else:
                old.update(layer)

    folder = copy_of("encoder")
    change_config(folder / "model.keras", change)
    assert "not a model of this package" in check_one_line("encoder", folder)


def test_a_layer_beyond_its_weights_is_never_built(copy_of, harmless):
    folder = copy_of("encoder")
    change_config(folder / "model.keras", lambda layer: layer["config"].update(units=10**10))
    assert "not a model of this package" in check_one_line("encoder", folder)


def external(file, path):
    file["vars"] = h5py.ExternalLink(str(path), "/x")


def soft(file, path):
    file["vars"] = h5py.SoftLink("/x")


def kept_outside(file, path):
    file.create_dataset("vars", (1,), "f4", external=[(str(path), 0, 4)])


def virtual(file, path):
    layout = h5py.VirtualLayout((1,), "f4")
    layout[:] = h5py.VirtualSource(str(path), "x", (1,))
    file.create_virtual_dataset("vars", layout)


def packed(file, path):
    file.create_dataset("vars", (2**30,), "f4", compression="gzip", chunks=(2**20,))


def endless(file, path):
    file["vars"] = file["/"]


@pytest.mark.parametrize("change", [external, soft, kept_outside, virtual, packed, endless])
def test_weights_lie_in_the_file_itself(copy_of, harmless, change):
    folder = copy_of("encoder")
    parts = parts_of(folder / "model.keras")
    buffer = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(buffer, "a") as file:
        change(file.create_group("more"), folder / "secret.h5")
    write_parts(folder / "model.keras", {**parts, "model.weights.h5": buffer.getvalue()})
    assert "not a model of this package" in check_one_line("encoder", folder)


def test_no_other_member_and_none_packed(copy_of, harmless):
    folder = copy_of("encoder")
    path = folder / "model.keras"
    parts = parts_of(path)
    for more in ("../escaped", "assets/evil.py", "model.weights.npz"):
        write_parts(path, {**parts, more: b""})
        assert "not a model of this package" in check_one_line("encoder", folder)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert "not a model of this package" in check_one_line("encoder", folder)


def test_code_beside_an_encoder_is_not_run(miniature_encoder, in_miniature, harmless, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(in_miniature / "temporary"))
    folder = shutil.copytree(miniature_encoder, in_miniature / "encoder")
    (folder / "evil.py").write_text("from pathlib import Path\nPath('escaped').touch()\n")
    change_json(
        folder / "config.json",
        lambda told: told.update(auto_map={"AutoModel": "evil.M", "TFAutoModel": "evil.M"}),
    )
    change_json(
        folder / "tokenizer_config.json",
        lambda told: told.update(auto_map={"AutoTokenizer": ["evil.T", "evil.T"]}, tokenizer_class="Evil"),
    )
    with pytest.raises(InputError, match="tokenizer"):
        TransformerEncoder(folder, max_length=16)
    change_json(folder / "tokenizer_config.json", lambda told: told.update(tokenizer_class="BertTokenizer"))
    encoder = TransformerEncoder(folder, max_length=16)
    assert encoder(encoder.tokenize(["cough"])).shape == (1, 32)


def test_the_command_line_says_one_line_of_a_hostile_folder(copy_of, harmless, capsys):
    folder = copy_of("encoder")
    (folder / "note.txt").write_text(SECRET)
    change_config(folder / "model.keras", lambda layer: layer.update(LAYERS["lambda"]))
    for command in (["predict"], ["explain", "--out", str(folder / "page.html")]):
        assert main([command[0], str(folder), str(folder / "note.txt"), *command[1:]]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert len(told.err.splitlines()) == 1
        assert "model.keras: not a model of this package" in told.err
        assert SECRET not in told.err


@pytest.mark.parametrize("kind", ["model", "loss"])
@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("model.evil", "is not installed, but lies in the working directory or near the folder"),
        ("evil", "is not installed, but lies in the working directory or near the folder"),
        ("numpy.f2py.__main__", "is of a package that does not use icd_relevancy"),
        ("model.evil.deeper", "there is no module model.evil.deeper here"),
        ("antigravity", "is a module of Python's own"),
    ],
)
def test_a_folder_lets_no_module_run_that_is_not_of_this_package(
    copy_of, in_miniature, monkeypatch, kind, module, problem
):
    folder = copy_of("notes")
    for place in (folder, in_miniature):
        (place / "evil.py").write_text("import icd_relevancy\nraise SystemExit('it ran')\n")
    monkeypatch.syspath_prepend("")
    change_json(folder / "coder.json", lambda state: state["training"].update({kind: f"{module}:x"}))
    assert problem in check_one_line("notes", folder)
    assert module not in sys.modules


@pytest.mark.parametrize("kind", ["notes", "medication"])
def test_the_command_line_runs_no_module_of_a_folder(copy_of, in_miniature, monkeypatch, capsys, kind):
    folder = copy_of(kind)
    (folder / "evil.py").write_text("import icd_relevancy\nraise SystemExit('it ran')\n")
    # Not even where the user lets Python look for modules in the folder's place.
    monkeypatch.setenv("PYTHONPATH", str(in_miniature))
    monkeypatch.syspath_prepend(in_miniature)
    change_json(folder / "coder.json", lambda state: state["training"].update(loss="model.evil:x"))
    synthetic_stays(3, seed=1).write(in_miniature / "data.csv")
    miniature.notes(3).write(in_miniature / "notes.csv")
    command, data = ("predict", "notes.csv") if kind == "notes" else ("rank", "data.csv")
    for call in ([command, "model", data], ["evaluate", "model", data]):
        assert main(call) == 2
        message = capsys.readouterr().err
        assert "loss 'model.evil:x': its module model.evil is not installed" in message
        assert len(message.splitlines()) == 1


def test_a_folder_is_for_its_owner_alone(folders):
    for name in ("notes", "joint", "medication"):
        assert folders[name].stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folders[name].iterdir()} == {0o600}


def test_weights_that_are_not_finite_are_refused(copy_of):
    folder = copy_of("encoder")
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    model.save(folder / "model.keras")
    assert "its weights are damaged" in check_one_line("encoder", folder)
