"""Codes alone, without notes: which codes, and their vectors."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from experiments.fingerprints import digest_of, system_digest
from experiments.harness import Task
from experiments.vector_sets import vector_set, vectors_fingerprint
from icd_relevancy.codes import code_system
from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import sample_codes


@dataclass(frozen=True)
class CodesConfig:
    """Which codes a table is on; `experiments/tasks/codes.yaml` documents and sets the values."""

    code_system: str
    codes: int | None
    seed: int
    encoder: str | None
    max_length: int

    @property
    def name(self) -> str:
        """A file name for the codes."""
        system = Path(self.code_system).name.partition(".")[0]
        return system if self.codes is None else f"{system}-{self.codes}"


class CodesTask(Task):
    """The codes of a table, and the sets of vectors that it compares.

    Attributes:
        codes: codes without children, in hierarchy order: all of the system, or a random sample of them.
    """

    kind = CodesConfig
    settings = ("codes",)
    public = PACKAGED_SYSTEMS

    def __init__(self, config: CodesConfig):
        super().__init__(config)
        if config.codes is not None and config.codes < 1:
            raise InputError(f"codes must be at least 1, or null for all. Received: codes={config.codes}")
        self.system = code_system(config.code_system)
        self.codes = self.sample(config.codes, self.system.leaves)
        self._used: dict[str, str] = {}

    @property
    def data(self) -> str:
        """The code system."""
        return self.config.code_system

    def sample(self, count: int | None, codes: Sequence[str] | None = None) -> tuple[str, ...]:
        """Codes drawn at random, in their order; all where `count` is None or there are no more."""
        return sample_codes(self.codes if codes is None else codes, count, self.config.seed)

    def vectors(self, name: str, more: Sequence[str] = ()) -> CodeVectors:
        """The vectors of a set of `vector_sets`, of the task's codes and of `more`."""
        codes, config = tuple(dict.fromkeys((*self.codes, *more))), self.config
        needed = None if config.codes is None else codes
        vectors = vector_set(name, self.system, needed, config.encoder, config.max_length).select(codes)
        self._used[name] = vectors_fingerprint(vectors)
        return vectors

    def vector_fingerprints(self) -> dict[str, str]:
        """A digest of each set of vectors that was used."""
        return dict(self._used)

    def kept_of(self, name: str, settings: dict, vectors: CodeVectors, compute: Callable[[], object]):
        """What `compute` returns, of JSON values; a result of the same settings, codes and vectors is read back."""
        return self.kept(name, [settings, vectors_fingerprint(vectors)], compute)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that results depend on but their own settings and vectors."""
        described = [asdict(self.config), system_digest(self.system), self.versions()]
        return digest_of(json.dumps(described, sort_keys=True))

    def sizes(self) -> dict:
        """The number of codes, and the vectors that were used."""
        return {"codes": len(self.codes), "vectors": self.vector_fingerprints()}
