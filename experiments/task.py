"""The classification task of the experiments on notes: notes, labels, embeddings, relevance graphs and folds."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import sparse

from experiments.fingerprints import columns_digest, digest_of, sources_digest
from experiments.vector_sets import MAX_LENGTH, vector_set, vectors_fingerprint
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.codes import code_system
from icd_relevancy.data import Notes, encode_labels, load_notes, stratified_group_folds, synthetic_notes
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.disk import cache_folder, replacing
from icd_relevancy.files.safe_reading import reading
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.settings import from_mapping, read_yaml
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.code_vectors import label_vectors

RESULTS = Path("results")
_HERE = Path(__file__).parent
_REAL_DATA = ("cmc2007", "codiesp")
# Sources of notes that others have too, beside which the papers' figures can stand.
PUBLIC_NOTES = ("synthetic", *_REAL_DATA, "codiesp-es", "codiesp+cmc2007", "mimic4-notes")
_OF_SYNTHETIC = ("notes", "codes")
_OF_HEADS = ("threshold", "pooling", "learning_rate", "batch_size", "epochs", "patience")


@dataclass(frozen=True)
class TaskConfig:
    """What the rows of a table have in common; `experiments/task.yaml` documents and sets the values."""

    data: str
    notes: int
    codes: int
    min_count: int
    folds: int
    seed: int
    threshold: float
    encoder: str | None
    pooling: str
    lowercase: bool | None
    max_length: int
    learning_rate: float
    batch_size: int
    epochs: int
    patience: int
    validation: float

    @property
    def name(self) -> str:
        """A file name for the data."""
        return Path(self.data).name.partition(".")[0]

    @property
    def code_system(self) -> str:
        """The code system of the data."""
        return "icd9cm" if self.data == "cmc2007" else "icd10cm"


class Task:
    """Notes ready for training; everything costly is made when it is first used."""

    def __init__(self, config: TaskConfig):
        self.config = config
        self.system = code_system(config.code_system)
        self.notes, _ = with_canonical_codes(_read(config), self.system)
        self.labels = self.notes.label_names(config.min_count)
        self.y: sparse.csr_matrix = encode_labels(self.notes.codes, self.labels)
        self._vectors_of: dict[str, CodeVectors] = {}

    @cached_property
    def features(self) -> np.ndarray:
        """The notes' embeddings by the frozen encoder, float32 `(n, d)`."""
        from icd_relevancy.training import embed

        config = self.config
        cache = cache_folder() / "embeddings"
        settings = {"pooling": config.pooling, "lowercase": config.lowercase}
        return embed(self.notes.text, config.encoder, config.max_length, cache, **settings)

    @cached_property
    def vectors(self) -> CodeVectors:
        """The labels' code vectors."""
        return label_vectors(self.labels, CodeVectors.load(self.config.code_system), self.system)

    def vectors_of(self, name: str | None = None) -> CodeVectors:
        """The labels' code vectors of a set of `vector_sets`; by default those of the package."""
        if name is None:
            return self.vectors
        if name not in self._vectors_of:
            codes = [code for label in self.labels if (code := self.system.normalise(label))]
            # An encoder that reads few tokens reads as few of a code's text.
            length = min(self.config.max_length, MAX_LENGTH)
            codes = tuple(dict.fromkeys(codes))
            found = vector_set(name, self.system, codes, self.config.encoder, length)
            self._vectors_of[name] = label_vectors(self.labels, found, self.system)
        return self._vectors_of[name]

    def vector_fingerprints(self) -> dict[str, str]:
        """A digest of each named set of vectors that was used."""
        return {name: vectors_fingerprint(vectors) for name, vectors in self._vectors_of.items()}

    def relevance(self, threshold: float | None = None, vectors: str | None = None) -> RelevanceGraph:
        """The labels' relevance graph at τ (by default the configuration's) by the vectors of that name."""
        tau = self.config.threshold if threshold is None else threshold
        return RelevanceGraph.from_vectors(self.vectors_of(vectors), threshold=tau)

    @cached_property
    def fold(self) -> np.ndarray:
        """The fold of each note; notes of one patient or text share one."""
        return stratified_group_folds(self.y, self.notes.groups(), self.config.folds, self.config.seed)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the data and of all that the runs depend on."""
        from icd_relevancy.encoding.pretrained import encoder_hash

        of_others = columns_digest(self.notes), vectors_fingerprint(self.vectors)
        described = [asdict(self.config), *of_others, encoder_hash(self.config.encoder), library_versions()]
        return digest_of(json.dumps(described, sort_keys=True))


def library_versions() -> dict[str, str]:
    """The versions that a result depends on; of the sources of the package and the experiments their digest."""
    names = ("icd_relevancy", "keras", "numpy", "scikit-learn", "tensorflow")
    return {"sources": sources_digest(), **{name: version(name) for name in names}}


def run(module: str, make: Callable[[Task, dict, Path], None], heads: bool = False) -> None:
    """Runs an experiment from the command line: `--data`, `--encoder` and `--set KEY=VALUE`.

    Args:
        module: Name of the experiment, such as `table2` or `nnbsvr.table3`; the YAML file beside its module
            holds its settings, and `results/nnbsvr-table3/` what it writes.
        make: Writes the results of a task, given the experiment's settings and the stem of its files.
        heads: Whether it trains by `fold_runs`. TensorFlow then computes on one thread, unless
            `TF_NUM_INTRAOP_THREADS` says otherwise: a step takes a third less of a processor than on two, and
            the digits do not depend on their number. The first embedding of the notes takes longer. Settings of
            that training are refused where there is none. Defaults to False.
    """
    if heads:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    options = note_options(module, make.__doc__, f"synthetic, {', '.join(_REAL_DATA)}, or a file of notes")
    with one_line():
        start_tensorflow()
        settings = read_yaml(_HERE / f"{module.replace('.', '/')}.yaml")
        unused = () if heads else _OF_HEADS
        task = Task(_task_config(options, settings.pop("task", {}), unused))
        settings = comparable(settings, task.config.data, PUBLIC_NOTES)
        stem = RESULTS / module.replace(".", "-") / task.config.name
        make(task, settings, stem)
        write_provenance(_provenance(task, settings, unused), stem)


def comparable(settings: dict, data: str, public: Collection[str]) -> dict:
    """The settings of an experiment, without the paper's figures where the data is a user's own.

    Args:
        settings: The settings, in which everything called `printed` is of the paper.
        data: What the experiment is on: a name, `SOURCE:PATH` or a file.
        public: The names and sources that the paper's figures are compared with.
    """
    return settings if data.partition(":")[0] in public else _without_printed(settings)


def _without_printed(settings):
    if isinstance(settings, list):
        return [_without_printed(value) for value in settings]
    if not isinstance(settings, dict):
        return settings
    kept = {name: value for name, value in settings.items() if name != "printed" or isinstance(value, dict)}
    return {name: {} if name == "printed" else _without_printed(value) for name, value in kept.items()}


def settings_in_use(config, unused: Collection[str], of_synthetic: Collection[str] = _OF_SYNTHETIC) -> dict:
    """The settings of a configuration that the results depend on, for their provenance.

    Args:
        config: A dataclass with `data`.
        unused: Settings that the experiment has no use for.
        of_synthetic: Settings of the synthetic data alone. Defaults to those of notes.
    """
    unused = {*unused, *(() if config.data == "synthetic" else of_synthetic)}
    return {name: value for name, value in asdict(config).items() if name not in unused}


def note_options(module: str, description: str | None, data: str) -> argparse.Namespace:
    """The options of an experiment on notes: `--data`, `--encoder` and `--set KEY=VALUE`.

    Args:
        module: Name of the experiment.
        description: What it does.
        data: What `--data` may be.
    """
    # Every model of a table traces its functions anew, of which TensorFlow warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(f"python -m experiments.{module}", description=description)
    parser.add_argument("--data", help=data)
    parser.add_argument("--encoder", help="hub name or folder (default: all-MiniLM-L6-v2)")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="change a setting of task.yaml"
    )
    return parser.parse_args()


def kept(path: Path, compute: Callable[[], object]):
    """What `compute` returns, of JSON values, or what it returned before and is in the file.

    Raises:
        InputError: The kept result is damaged.
    """
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(compute()), encoding="utf-8")
    with reading(path, "a kept result", "delete it and run again"):
        return json.loads(path.read_text(encoding="utf-8"))


def result_path(folder: Path, name: str, settings: dict | list) -> Path:
    """The file of a result that depends on settings, of JSON values, for `kept`."""
    return folder / f"{name}-{digest_of(json.dumps(settings, sort_keys=True))}.json"


@contextmanager
def one_line() -> Iterator[None]:
    """Ends an experiment that has bad input, or is interrupted, with one line."""
    try:
        yield
    except InputError as error:
        sys.exit(report(error))
    except KeyboardInterrupt:
        sys.exit("experiments: interrupted; what was computed is kept, run the same again")


def report(error: InputError) -> int:
    """Tells a bad input in one line; returns the exit code."""
    print(f"experiments: {error}", file=sys.stderr)
    return 2


def assignments(items: list[str]) -> dict:
    """The names and values of `--set NAME=VALUE …`, each value read as YAML."""
    import yaml

    settings = {}
    for item in items:
        name, _, value = item.partition("=")
        try:
            settings[name] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise InputError(f"--set {name}: {shown_word(value)} is no YAML value") from None
    return settings


def _task_config(options, own: dict, unused: Collection[str] = ()) -> TaskConfig:
    common = read_yaml(_HERE / "task.yaml")
    data = options.data or common["all"]["data"]
    settings = {**common["all"], **common.get(data, {}), **own, "data": data}
    if options.encoder:
        settings["encoder"] = options.encoder
    changes = assignments(options.set)
    for name in (name for name in changes if name in unused):
        raise InputError(
            f"--set {name}: this experiment has no such setting; see `training` in its YAML file"
        )
    settings |= changes
    return from_mapping(TaskConfig, settings, "experiments/task.yaml")


def _read(config: TaskConfig) -> Notes:
    if config.data == "synthetic":
        return synthetic_notes(config.notes, config.seed, n_codes=config.codes)
    if config.data not in _REAL_DATA:
        return load_notes(config.data, config.code_system)
    notes = load_notes(f"{config.data}:{data_folder(config.data)}", config.code_system)
    return replace(notes, source=config.data)


def data_folder(name: str) -> Path:
    """The folder of a real data set, under `$ICD_RELEVANCY_DATA` or beside the checkout.

    Raises:
        InputError: If there is none.
    """
    folder = Path(os.environ.get("ICD_RELEVANCY_DATA", _HERE.parent.parent / "shared" / "data")) / name
    if not folder.is_dir():
        raise InputError(f"{folder}: no {name} data here; set ICD_RELEVANCY_DATA to the folder above it")
    return folder


def _provenance(task: Task, settings: dict, unused: Collection[str]) -> dict:
    return {
        "task": settings_in_use(task.config, unused),
        "experiment": settings,
        "notes": len(task.notes),
        "labels": len(task.labels),
        "fingerprint": task.fingerprint,
        "vectors": task.vector_fingerprints(),
        "versions": library_versions(),
    }


def write_provenance(told: dict, stem: Path) -> None:
    """Writes what a result comes from beside it, `<stem>.run.json`."""
    with replacing(stem.with_name(f"{stem.name}.run.json")) as temporary:
        temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
