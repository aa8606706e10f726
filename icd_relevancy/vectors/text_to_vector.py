"""From the words of a code to its vector: the network of NNBSVR."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import keras
import numpy as np

from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.encoding.encoder import TransformerEncoder
from icd_relevancy.encoding.pretrained import encoder_hash, resolve_encoder
from icd_relevancy.encoding.tokenizer import checked_texts
from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import replacing
from icd_relevancy.files.safe_reading import reading
from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.fitting.fit import STEPS_PER_EXECUTION, fit, progress
from icd_relevancy.settings import check_range, setting


@dataclass(frozen=True)
class TextToVectorConfig:
    """How a `TextToVector` is trained; what is None depends on `fine_tune`.

    Attributes:
        encoder: hub name or folder; None for the default encoder, all-MiniLM-L6-v2.
        fine_tune: whether the encoder is trained too, as in the paper.
        max_length: number of tokens at which a text is cut. Defaults to 150, the paper's.
        hidden: units of a ReLU layer before the last one; 0 for none. Defaults to 0 with `fine_tune`, as in
            the paper, else to 1024: over frozen embeddings a linear layer alone is too weak.
        learning_rate: Adam's. Defaults to 5e-5 with `fine_tune`, as in the paper, else to 1e-3.
        batch_size: Defaults to 32 with `fine_tune`, as in the paper, else to 256.
        epochs: Defaults to 5 with `fine_tune`, as in the paper, else to 40.
        seed: seed of the initial weights and of the order of the codes, from 0 to 4294967295.

    Raises:
        InputError: a number lies outside its range.
    """

    encoder: str | None = None
    fine_tune: bool = False
    max_length: int = setting(150, least=3)
    hidden: int | None = setting(None, least=0)
    learning_rate: float | None = setting(None, above=0)
    batch_size: int | None = setting(None, least=1)
    epochs: int | None = setting(None, least=1)
    seed: int = setting(0, least=0, most=2**32 - 1)

    def __post_init__(self):
        for field in fields(self):
            check_range(field, getattr(self, field.name))

    def filled(self) -> "TextToVectorConfig":
        """The configuration with the defaults in place of None."""
        defaults = (
            {"hidden": 0, "learning_rate": 5e-5, "batch_size": 32, "epochs": 5}
            if self.fine_tune
            else {"hidden": 1024, "learning_rate": 1e-3, "batch_size": 256, "epochs": 40}
        )
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return TextToVectorConfig(**{**defaults, **given})


class TextToVector:
    """Encoder, pooling and a dense layer of d outputs, trained with the mean squared error (NNBSVR §3.1.3).

    Made by `train` or `load`. Its outputs are vectors for texts, so that a code that a later edition adds, or
    one without knowledge beyond its title, gets a vector in the space of the others.

    Attributes:
        config: how it was trained; `encoder` says where the encoder is.
        model: the network; with `fine_tune` the encoder is part of it.
        encoder_hash: fingerprint of the encoder with which the training began.
    """

    def __init__(self, config: TextToVectorConfig, model: keras.Model, encoder_hash: str):
        self.config = config
        self.model = model
        self.encoder_hash = encoder_hash

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        targets: np.ndarray,
        config: TextToVectorConfig | None = None,
        cache: str | Path | None = None,
        checkpoint: str | Path | None = None,
        verbose: int | str = 0,
    ) -> "TextToVector":
        """Learns to make the vectors from the texts.

        With a frozen encoder (the default) every text is embedded once and kept in `cache`: embedding goes on
        where it was after an interruption, and the rest takes about a minute. With `fine_tune` the training
        goes on from its last whole epoch.

        Args:
            texts: n texts, such as `CodeKnowledge.words` of each code.
            targets: `(n, d)` vectors, such as `nnbsvr_vectors` of the codes.
            config: how to train. Defaults to None, the defaults of `TextToVectorConfig`.
            cache: folder for embeddings. Defaults to None, which keeps none.
            checkpoint: folder for the state of an unfinished fine-tuning; removed at its end, unless it holds
                anything else. Defaults to None, which keeps none.
            verbose: as in `keras.Model.fit`. Defaults to 0.

        Raises:
            InputError: the numbers of texts and targets differ, a target is not finite, a text is blank, or
                the encoder cannot be had.

        Example:
            >>> network = TextToVector.train(["Cough", "Fever"], np.eye(2))  # doctest: +SKIP
            >>> network.predict(["Cough"]).shape  # doctest: +SKIP
            (1, 2)
        """
        config = (config or TextToVectorConfig()).filled()
        texts, targets = checked_texts(texts), np.asarray(targets, np.float32)
        _check(texts, targets)
        config = replace(config, encoder=_encoder_name(config.encoder))
        model, data = _untrained(texts, targets.shape[1], config, cache)
        _fit(model, data, texts, targets, config, checkpoint, verbose)
        return cls(config, model, encoder_hash(config.encoder))

    def predict(self, texts: Sequence[str], cache: str | Path | None = None) -> np.ndarray:
        """The vectors of texts.

        Args:
            texts: n texts.
            cache: folder for the embeddings by a frozen encoder. Defaults to None, which keeps none.

        Returns:
            float32 `(n, d)`.
        """
        texts = checked_texts(texts)
        if not self.config.fine_tune:
            data = embed(texts, self.config.encoder, self.config.max_length, cache)
        else:
            encoder = next(layer for layer in self.model.layers if isinstance(layer, TransformerEncoder))
            data = encoder.tokenize(texts)
        return self.model.predict(data, batch_size=self.config.filled().batch_size, verbose=0)

    def save(self, path: str | Path) -> None:
        """Writes the folder `path`: `model.keras` and `text_to_vector.json`; an older one is replaced.

        Raises:
            InputError: `path` exists and is no such folder, or the disk is full.
        """
        path = Path(path)
        if path.exists() and not (path / "text_to_vector.json").is_file():
            raise InputError(f"{path} exists and holds no text_to_vector.json; choose another folder")
        state = {"config": asdict(self.config), "encoder_hash": self.encoder_hash}
        with replacing(path, folder=True) as folder:
            self.model.save(folder / "model.keras")
            (folder / "text_to_vector.json").write_text(json.dumps(state, indent=2), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path, encoder: str | Path | None = None) -> "TextToVector":
        """Reads a folder that `save` wrote, on whatever machine.

        Args:
            path: the folder.
            encoder: where the frozen encoder is now: hub name or folder. A network that was fine-tuned holds
                its own and needs none. Defaults to None, where it was at the training.

        Raises:
            InputError: there is none, it is damaged, or the frozen encoder is not there or not the one it was
                trained with.
        """
        path = Path(path)
        if not all((path / name).is_file() for name in ("text_to_vector.json", "model.keras")):
            raise InputError(f"{path}: no trained text-to-vector network; train it again")
        with reading(path, "a trained text-to-vector network", "train it again"):
            state = json.loads((path / "text_to_vector.json").read_text(encoding="utf-8"))
            config, trained_with = TextToVectorConfig(**state["config"]), str(state["encoder_hash"])
            model = keras.saving.load_model(path / "model.keras")
        if encoder is not None:
            config = replace(config, encoder=_encoder_name(encoder))
        if not config.fine_tune and encoder_hash(config.encoder) != trained_with:
            raise InputError(
                f"{path}: the encoder {config.encoder or 'all-MiniLM-L6-v2'} has changed since the network was "
                "trained (its fingerprint differs); restore it or train again"
            )
        return cls(config, model, trained_with)


def _encoder_name(encoder: str | Path | None) -> str | None:
    """None, a hub name, or a folder as it is found from any working directory."""
    name = encoder and resolve_encoder(encoder)
    return str(Path(name).resolve()) if name and Path(name).is_dir() else name


def _untrained(texts: list[str], dimensions: int, config: TextToVectorConfig, cache):
    """The network with initial weights, and the texts as it takes them."""
    embedded = None if config.fine_tune else embed(texts, config.encoder, config.max_length, cache)
    # Not before the embedding, which draws random numbers only where the cache is cold.
    keras.utils.set_random_seed(config.seed)
    if config.fine_tune:
        encoder = TransformerEncoder(config.encoder, trainable=True, max_length=config.max_length)
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
        }
        embeddings, data = encoder(inputs), encoder.tokenize(texts)
    else:
        data, inputs = embedded, keras.Input(embedded.shape[1:], name="embedding")
        embeddings = inputs
    if config.hidden:
        embeddings = keras.layers.Dense(config.hidden, activation="relu", name="hidden")(embeddings)
    outputs = keras.layers.Dense(dimensions, dtype="float32", name="vector")(embeddings)
    return keras.Model(inputs, outputs, name="text_to_vector"), data


def _fit(model, data, texts, targets, config: TextToVectorConfig, checkpoint, verbose) -> None:
    model.compile(
        keras.optimizers.Adam(config.learning_rate),
        loss="mse",
        steps_per_execution=1 if config.fine_tune else STEPS_PER_EXECUTION,
    )
    if not config.fine_tune:
        model.fit(
            data,
            targets,
            config.batch_size,
            epochs=config.epochs,
            callbacks=progress(verbose),
            verbose=verbose if verbose == 2 else 0,
        )
        return
    identity = _identity(texts, targets, config)
    state = None if checkpoint is None else Path(checkpoint) / f"{identity}.npz"
    fit(
        model,
        lambda epoch: note_batches(data, targets, config.batch_size, config.seed, epoch),
        None,
        config.epochs,
        checkpoint=state,
        verbose=verbose,
        identity=identity,
    )
    if state is not None:
        state.unlink(missing_ok=True)
        with suppress(OSError):  # the states of other trainings stay
            state.parent.rmdir()


def _check(texts: list[str], targets: np.ndarray) -> None:
    if targets.ndim != 2 or len(targets) != len(texts):
        raise InputError(f"{len(texts)} texts need one target vector each. Received: {targets.shape}")
    if not np.isfinite(targets).all():
        row = int(np.argmin(np.isfinite(targets).all(axis=1)))
        raise InputError(f"target vector {row} holds NaN or infinity")
    blank = next((row for row, text in enumerate(texts) if not text.strip()), None)
    if blank is not None:
        raise InputError(f"text {blank} is blank; give the code a title or leave it out")


def _identity(texts: list[str], targets: np.ndarray, config: TextToVectorConfig) -> str:
    digest = hashlib.sha256(json.dumps(asdict(config), sort_keys=True).encode())
    digest.update("\0".join(texts).encode())
    digest.update(np.ascontiguousarray(targets))
    digest.update(encoder_hash(config.encoder).encode())
    return digest.hexdigest()[:16]
