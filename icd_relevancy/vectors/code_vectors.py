"""One vector a code, the folder they are kept in, and what the labels of a data set make of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from icd_relevancy._arguments import named_codes, warn_caller
from icd_relevancy.codes import CodeSystem, NormalisationReport, code_system
from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.errors import InputError, shown_code, shown_path
from icd_relevancy.files.disk import cache_folder, replacing
from icd_relevancy.files.safe_reading import has_lone_surrogate, read_array, reading
from icd_relevancy.relevance.graph import RelevanceGraph


@dataclass(frozen=True, eq=False)
class CodeVectors:
    """A frozen table of code vectors.

    A vector of zeros is allowed: its cosine with every vector, itself included, counts as 0, and the
    relevance graph lets its code match only itself. `save` and `load` refuse one, as it is there by accident.

    Args:
        codes: m distinct codes.
        vectors: array of shape `(m, d)`, one row a code; kept as read-only float32.
        meta: how the vectors were made, kept with them on disk. Must survive JSON. Defaults to none.

    Raises:
        InputError: the shapes disagree, a code is not a str or is listed twice, or a vector holds NaN or
            infinity.

    Example:
        >>> from icd_relevancy.vectors import CodeVectors
        >>> vectors = CodeVectors(["J18.9", "J18.8", "I10"], [[1, 0], [1, 0.1], [0, 1]])
        >>> round(vectors.similarity("J18.9", "I10"), 2)
        0.0
        >>> vectors.most_similar("J18.9", k=1)[0][0]
        'J18.8'
    """

    codes: tuple[str, ...]
    vectors: np.ndarray = field(repr=False)
    meta: Mapping = field(default_factory=dict, repr=False)

    if TYPE_CHECKING:
        # What may be given is wider than what is kept.
        def __init__(self, codes: Iterable[str], vectors: ArrayLike, meta: Mapping | None = None) -> None: ...

    def __post_init__(self):
        codes = tuple(self.codes)
        with np.errstate(over="ignore"):
            vectors = np.array(self.vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(codes):
            raise InputError(
                f"code vectors need one row for each of {len(codes)} codes. Received shape: {vectors.shape}"
            )
        for code in codes:
            if not isinstance(code, str):
                raise InputError(
                    f"code {shown_code(code)} is of type {type(code).__name__}, not str; read the codes as text, so "
                    "that leading and trailing zeros stay"
                )
        if len(set(codes)) < len(codes):
            seen: set[str] = set()
            twice = next(code for code in codes if code in seen or seen.add(code))
            raise InputError(f"code {shown_code(twice)} is listed twice; give one vector for each code")
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            raise InputError(
                f"the vector of code {shown_code(codes[int(np.argmin(finite))])} holds NaN or infinity"
            )
        vectors.setflags(write=False)
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "vectors", vectors)

    def __repr__(self) -> str:
        return f"CodeVectors({len(self.codes)} codes, {self.vectors.shape[1]} dimensions)"

    def __len__(self) -> int:
        return len(self.codes)

    def __contains__(self, code: object) -> bool:
        return code in self._rows

    def similarity(self, a: str, b: str) -> float:
        """Cosine of the vectors of two codes, from -1 to 1; 0 where one is a vector of zeros.

        Raises `InputError` where a code is unknown.
        """
        return float(self._units[self._row(a)] @ self._units[self._row(b)])

    def most_similar(self, code: str, k: int = 10) -> list[tuple[str, float]]:
        """The k codes whose vectors are nearest to that of a code, itself left out.

        Args:
            code: a code of this table.
            k: number of codes. Defaults to 10.

        Returns:
            `(code, cosine)` pairs, best first; ties stand in the order of `codes`.

        Raises:
            InputError: the code is unknown.
        """
        row = self._row(code)
        cosines = self._units @ self._units[row]
        nearest = np.argsort(-cosines, kind="stable")[: k + 1]
        return [(self.codes[i], float(cosines[i])) for i in nearest if i != row][:k]

    def select(self, codes: Sequence[str]) -> "CodeVectors":
        """The vectors of these codes, in this order.

        Raises `InputError` where a code is unknown, naming all such, or listed twice.
        """
        missing = [code for code in codes if code not in self._rows]
        if len(missing) > 1:
            raise InputError(
                f"{len(missing)} codes have no vector: {named_codes(missing)}; normalise them "
                "(RelevanceGraph.from_codes does), or build vectors that include them"
            )
        rows = [self._row(code) for code in codes]
        return CodeVectors(tuple(codes), self.vectors[rows], self.meta)

    def save(self, path: str | Path) -> None:
        """Writes the folder `path`: `codes.json`, `vectors.npy` and `meta.json`.

        The folder is written under a temporary name and then renamed, so that a reader never sees half of it.
        A folder of code vectors that is there already is replaced.

        Raises:
            InputError: `path` exists and is not a folder of code vectors, a vector is all zeros, or the disk
                is full.
        """
        path = Path(path)
        if path.exists() and not _is_saved(path):
            raise InputError(f"{path} exists and holds no code vectors; choose another folder")
        self._refuse_zeros(path)
        with replacing(path, folder=True) as folder:
            np.save(folder / "vectors.npy", self.vectors)
            (folder / "codes.json").write_text(json.dumps(self.codes), encoding="utf-8")
            (folder / "meta.json").write_text(json.dumps(dict(self.meta), indent=2), encoding="utf-8")

    @classmethod
    def load(cls, name_or_path: str | Path) -> "CodeVectors":
        """Reads vectors from a folder, or by name from the cache.

        A name is looked up under `vectors/` in the folder `$ICD_RELEVANCY_CACHE`, by default
        `~/.cache/icd_relevancy`. `"icd10cm"` and `"icd9cm"` are always available: where the cache lacks them,
        or holds an older recipe of ours, they are built by `nnbsvr_vectors` (a minute or two) and kept there;
        vectors of your own under these names stay.

        Args:
            name_or_path: a folder written by `save`, or a name.

        Returns:
            The `CodeVectors`.

        Raises:
            InputError: there is no such folder or name, its files are damaged, or a vector is all zeros.
        """
        path = Path(name_or_path)
        if _is_saved(path):
            return cls._read(path)
        cached = cache_folder() / "vectors" / str(name_or_path)
        if str(name_or_path) in PACKAGED_SYSTEMS:
            return _packaged(str(name_or_path), cached)
        if _is_saved(cached):
            return cls._read(cached)
        raise InputError(
            f"no code vectors at {shown_path(path)} nor of that name in {cached.parent}; build them or give "
            f"{' or '.join(PACKAGED_SYSTEMS)}"
        )

    @classmethod
    def _read(cls, path: Path) -> "CodeVectors":
        with reading(f"{path}: these code vectors cannot be read", "a folder of them", "build them again"):
            codes, meta = (
                json.loads((path / name).read_text("utf-8")) for name in ("codes.json", "meta.json")
            )
            try:
                _check_json(codes, meta)
                vectors = cls(codes, read_array(path / "vectors.npy"), meta)
            except InputError as error:
                raise InputError(
                    f"{path}: these code vectors cannot be read ({error}); build them again"
                ) from None
        vectors._refuse_zeros(path)
        return vectors

    def _refuse_zeros(self, path: Path) -> None:
        zero = ~self.vectors.any(axis=1)
        if zero.any():
            raise InputError(
                f"{path}: the vector of code {shown_code(self.codes[int(np.argmax(zero))])} is all zeros, so it "
                "matches nothing; leave the code out or build its vector again"
            )

    def _row(self, code: str) -> int:
        if code not in self._rows:
            raise InputError(
                f"code {shown_code(code)} has no vector; normalise it, or build vectors that include it"
            )
        return self._rows[code]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {code: row for row, code in enumerate(self.codes)}

    @cached_property
    def _units(self) -> np.ndarray:
        norms = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return self.vectors / np.where(norms > 0, norms, 1)


def label_vectors(labels: Sequence[str], vectors: CodeVectors, system: CodeSystem) -> CodeVectors:
    """The vectors of a data set's labels, in their order; one of another edition has that of its nearest ancestor."""
    if not labels:
        raise InputError("there are no labels: the notes carry no codes")
    known = [_nearest(label, vectors, system) for label in labels]
    missing = list(dict.fromkeys(label for label, code in zip(labels, known, strict=True) if code is None))
    advice = "correct the codes, choose their code system, or leave out the labels"
    if len(missing) == 1:
        raise InputError(
            f"label {shown_code(missing[0])} has no vector, nor has any ancestor in {system.name}; {advice}"
        )
    if missing:
        raise InputError(
            f"{len(missing)} labels have no vector, nor has any ancestor in {system.name}: "
            f"{named_codes(missing)}; {advice}"
        )
    distinct = list(dict.fromkeys(known))
    position = {code: row for row, code in enumerate(distinct)}
    rows = np.array([position[code] for code in known])
    return CodeVectors(labels, vectors.select(distinct).vectors[rows], vectors.meta)


def graph_of_labels(
    labels: Sequence[str],
    system: CodeSystem | str,
    vectors: str | Path | None = None,
    threshold: float = 0.76,
) -> RelevanceGraph:
    """The relevance graph of a data set's labels; the vectors are those of the system where none are named."""
    if not isinstance(system, CodeSystem):
        system = code_system(system)
    loaded = CodeVectors.load(vectors or system.name)
    return RelevanceGraph.from_vectors(label_vectors(labels, loaded, system), threshold=threshold)


def known_codes(
    codes: Iterable[str], vectors: CodeVectors | str | None, system: CodeSystem | str | None
) -> tuple[CodeVectors, NormalisationReport]:
    """The vectors of the distinct codes that a system knows, and what became of each; for `from_codes` of a graph."""
    codes = [codes] if isinstance(codes, str) else list(codes)
    if isinstance(vectors, CodeVectors) and system is None:
        system = vectors.meta.get("code_system")
    if not isinstance(system, CodeSystem):
        system = code_system("icd10cm" if system is None else system)
    resolved, report = system.normalise_all(codes, groups=False)
    labels = list(dict.fromkeys(code for code in resolved if code is not None))
    if report.unknown:
        message = (
            f"{len(report.unknown_codes)} codes unknown to {system.name}: {named_codes(report.unknown_codes)}"
        )
        if not labels:
            raise InputError(f"{message}; choose their code system, or correct them")
        warn_caller(f"{message}; they are left out of the graph, correct them to keep them")
    if not isinstance(vectors, CodeVectors):
        vectors = CodeVectors.load(system.name if vectors is None else vectors)
    return label_vectors(labels, vectors, system), report


def _nearest(label: str, vectors: CodeVectors, system: CodeSystem) -> str | None:
    if label in vectors:
        return label
    code = system.normalise(label)
    candidates = () if code is None else (code, *system.ancestors(code))
    return next((candidate for candidate in candidates if candidate in vectors), None)


def _packaged(name: str, folder: Path) -> CodeVectors:
    # Imported here, because reading a folder needs no decomposition.
    from icd_relevancy.vectors.nnbsvr import nnbsvr_points, read_knowledge, recipe

    if _is_saved(folder):
        vectors = CodeVectors._read(folder)
        if vectors.meta.get("recipe", recipe()) == recipe():
            return vectors
    knowledge = read_knowledge(name)
    vectors = CodeVectors(knowledge.code_system.codes, *nnbsvr_points(knowledge))
    vectors.save(folder)
    return vectors


def _check_json(codes, meta) -> None:
    if not isinstance(codes, list):
        raise InputError("codes.json holds no list")
    if not isinstance(meta, dict):
        raise InputError("meta.json holds no object")
    titles, system = meta.get("titles", {}), meta.get("code_system", "")
    if not isinstance(system, str) or not isinstance(titles, dict) or has_lone_surrogate([codes, titles]):
        raise InputError("codes.json or meta.json holds values of another kind")


def _is_saved(path: Path) -> bool:
    return all((path / name).is_file() for name in ("vectors.npy", "codes.json", "meta.json"))
