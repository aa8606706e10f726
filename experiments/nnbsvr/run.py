"""Experiments on codes alone, without notes: which codes, their vectors, and what was computed already."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.fingerprints import system_digest
from experiments.task import (
    RESULTS,
    assignments,
    comparable,
    kept,
    library_versions,
    one_line,
    result_path,
    write_provenance,
)
from experiments.vector_sets import vector_set, vectors_fingerprint
from icd_relevancy.codes import code_system
from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.errors import InputError
from icd_relevancy.settings import from_mapping, read_yaml
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import sample_codes

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class CodesConfig:
    """Which codes an experiment is on; `experiments/nnbsvr/codes.yaml` documents and sets the values."""

    code_system: str
    codes: int | None
    seed: int
    encoder: str | None
    max_length: int


class CodesTask:
    """The codes of an experiment, and the sets of vectors that it compares.

    Attributes:
        codes: codes without children, in hierarchy order: all of the system, or a random sample of them.
    """

    def __init__(self, config: CodesConfig):
        if config.codes is not None and config.codes < 1:
            raise InputError(f"codes must be at least 1, or null for all. Received: codes={config.codes}")
        self.config = config
        self.system = code_system(config.code_system)
        self.codes = self.sample(config.codes, self.system.leaves)
        self._used: dict[str, str] = {}

    @property
    def name(self) -> str:
        """A file name for the codes."""
        system = Path(self.config.code_system).name.partition(".")[0]
        return system if self.config.codes is None else f"{system}-{self.config.codes}"

    def sample(self, count: int | None, codes: Sequence[str] | None = None) -> tuple[str, ...]:
        """Codes drawn at random, in their order; all where `count` is None or there are no more."""
        return sample_codes(self.codes if codes is None else codes, count, self.config.seed)

    def vectors(self, name: str, more: Sequence[str] = ()) -> CodeVectors:
        """The vectors of a set of `vector_sets`, of the task's codes and of `more`."""
        codes = tuple(dict.fromkeys((*self.codes, *more)))
        whole = self.config.codes is None
        config = self.config
        found = vector_set(name, self.system, None if whole else codes, config.encoder, config.max_length)
        found = found.select(codes)
        self._used[name] = vectors_fingerprint(found)
        return found

    def vector_fingerprints(self) -> dict[str, str]:
        """A digest of each set of vectors that was used."""
        return dict(self._used)

    def kept(self, name: str, settings: dict, vectors: CodeVectors, compute: Callable[[], object]):
        """What `compute` returns, of JSON values; a result of the same settings and vectors is read back.

        Raises:
            InputError: the kept result is damaged.
        """
        of_codes = system_digest(self.system), vectors_fingerprint(vectors)
        described = [settings, asdict(self.config), *of_codes, library_versions()]
        return kept(result_path(RESULTS / "runs" / f"nnbsvr-{self.name}", name, described), compute)


def run(module: str, make: Callable[[CodesTask, dict, Path], None]) -> None:
    """Runs an experiment from the command line: `--encoder` and `--set KEY=VALUE`.

    Args:
        module: Name of the experiment; `<module>.yaml` beside this file holds its settings, and
            `results/nnbsvr-<module>/` what it writes.
        make: Writes the results, given the codes, the experiment's settings and the stem of its files.
    """
    parser = argparse.ArgumentParser(f"python -m experiments.nnbsvr.{module}", description=make.__doc__)
    parser.add_argument("--encoder", help="hub name or folder (default: all-MiniLM-L6-v2)")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help=f"change a setting of codes.yaml or of {module}.yaml",
    )
    options = parser.parse_args()
    with one_line():
        config, settings = _settings(module, options)
        task = CodesTask(config)
        settings = comparable(settings, config.code_system, PACKAGED_SYSTEMS)
        stem = RESULTS / f"nnbsvr-{module}" / task.name
        make(task, settings, stem)
        _write_provenance(task, settings, stem)


def _settings(module: str, options) -> tuple[CodesConfig, dict]:
    settings = read_yaml(_HERE / f"{module}.yaml")
    common = {**read_yaml(_HERE / "codes.yaml"), **settings.pop("task", {})}
    if options.encoder:
        common["encoder"] = options.encoder
    for name, value in assignments(options.set).items():
        if name in common:
            common[name] = value
        elif isinstance(settings.get(name), (int, float, str)):
            if type(value) is not type(settings[name]):
                kind = type(settings[name]).__name__
                raise InputError(f"--set {name}: expected {kind}. Received: {name}={value!r}")
            settings[name] = value
        else:
            known = [*common, *(key for key, old in settings.items() if isinstance(old, (int, float, str)))]
            raise InputError(f"--set {name}: no such setting; there are {', '.join(known)}")
    return from_mapping(CodesConfig, common, "experiments/nnbsvr/codes.yaml"), settings


def _write_provenance(task: CodesTask, settings: dict, stem: Path) -> None:
    told = {
        "task": asdict(task.config),
        "experiment": settings,
        "codes": len(task.codes),
        "vectors": task.vector_fingerprints(),
        "versions": library_versions(),
    }
    write_provenance(told, stem)
