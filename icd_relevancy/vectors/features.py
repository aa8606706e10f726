"""Knowledge per code as numbers: the matrix that code vectors are reduced from."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from icd_relevancy.codes import CodeKnowledge, CodeSystem
from icd_relevancy.codes.features import GROUPS
from icd_relevancy.errors import InputError, shown_code

# Shares of the squared length of a code's features, so that a cosine reads as a sum of what two codes share. They
# are set so that most codes of one category reach 0.76 and hardly any of one block that are of different
# categories and clinical categories do.
_PATH_SHARES = (0.40, 0.36, 0.16, 0.04, 0.02, 0.015, 0.01)
_DESCRIPTOR_SHARE = 0.14
_CATEGORY_SHARE = 0.20
_ATTRIBUTES_SHARE = 0.04
_SPECIALTY_SHARE = 0.03
# Features that exclude each other: two codes that differ in them are different in kind, however near they
# stand in the hierarchy. A share of 0.25 takes two otherwise equal codes below a cosine of 0.76.
_OPPOSITES = (
    (0.25, ("female_only", "male_only")),
    (0.25, ("benign", "in_situ", "malignant", "metastatic", "uncertain_behaviour")),
    (0.25, ("poisoning", "adverse_effect", "underdosing")),
    (0.25, ("personal_history", "family_history")),
    (0.10, ("newborn_only", "child_only", "adult_only")),
    (0.10, ("acute", "chronic")),
)
_SIGNED = ((0.25, "polarity"),)
_INHERITED = 0.5  # share of a parent's words that a code takes over; a grandparent's is its square
_TERMS = 0.5  # weight of the inclusion terms against the title
# Words that say how specific a code is, on which side, at which visit or how well it heals, not which disease
# it is: codes that only differ in them should be neighbours.
_SPECIFICITY = frozenset(
    """a an and as at by due for from in into of on or the to with without other unspecified specified certain
    mention not elsewhere classified nec nos part parts site sites multiple side right left bilateral
    unilateral initial subsequent sequela encounter displaced nondisplaced open closed routine delayed healing
    nonunion malunion""".split()
)
CODE_RANGE = re.compile(r"\([A-Z]\d\w[^)]*\)")
# A single letter says nothing but after these words, where it tells one disease from another.
_WORD = re.compile(r"\b(?:type|vitamin|hepatitis|factor|group) (?:[a-z]|[ivx]+|\d+)\b|[^\W\d_]{2,}|\d+")


def knowledge_features(
    knowledge: CodeKnowledge, groups: Iterable[str] | None = None
) -> tuple[sparse.csr_matrix, list[str]]:
    """Features `(m, columns)` whose cosine says how related two codes are, in rows of unit length; the columns' names.

    Every group of features is brought to one length in every row and then weighted, so that a long title does
    not outweigh a short one: the path through the hierarchy (each node of it, most at the top), the words of
    title and inclusion terms with those of the ancestors, the clinical category, the specialties, and all
    other attributes. Features that exclude each other (sex, behaviour of a neoplasm, too much and too
    little, …) point away from each other. Numbers are min-max scaled; numbers with a sign keep it.
    """
    wanted = checked_groups(groups)
    blocks = [block for block in _blocks(knowledge, wanted) if block[0].nnz]
    matrix = sparse.hstack([np.float32(np.sqrt(share)) * block for block, _, share in blocks] or [
        sparse.csr_matrix((len(knowledge.table), 1), dtype=np.float32)
    ], format="csr")  # fmt: skip
    bare = np.flatnonzero(np.diff(matrix.indptr) == 0)
    if len(bare):
        code = knowledge.table.index[bare[0]]
        raise InputError(
            f"{knowledge.code_system.name}: code {shown_code(code)} has no feature of {sorted(wanted)}; "
            "give it a title or a feature, or leave it out"
        )
    return normalize(matrix).astype(np.float32), [name for _, names, _ in blocks for name in names]


def checked_groups(groups: Iterable[str] | None) -> frozenset[str]:
    """The groups of features that are wanted, all for None; raises an `InputError` for one that is unknown."""
    if groups is None:
        return frozenset(GROUPS)
    wanted = frozenset(groups)
    if unknown := wanted - set(GROUPS):
        raise InputError(
            f"unknown groups of features {sorted(unknown)}; expected some of {', '.join(GROUPS)}"
        )
    return wanted


def _blocks(knowledge: CodeKnowledge, wanted: frozenset[str]):
    """Yields `(matrix, column names, share)`; the rows of each matrix have unit length or are empty."""
    table, system = knowledge.table, knowledge.code_system
    features = {feature.name: feature for feature in knowledge.features if feature.group in wanted}
    if "hierarchy" in wanted:
        yield *_path(knowledge), 1.0
    if "descriptor" in wanted:
        yield *_descriptor(system), _DESCRIPTOR_SHARE
    used = set()
    for share, names in _OPPOSITES:
        known = [name for name in names if name in features and features[name].kind == "boolean"]
        if len(known) > 1:
            used.update(known)
            yield _simplex(table[known].to_numpy(np.float32)), known, share
    for share, name in _SIGNED:
        if name in features and features[name].kind == "ordinal":
            used.add(name)
            yield normalize(sparse.csr_matrix(_scaled(table[name])[:, None])), [name], share
    for name, share in (("clinical_category", _CATEGORY_SHARE), ("specialty", _SPECIALTY_SHARE)):
        if name in features and features[name].kind in ("categorical", "multiple"):
            used.add(name)
            matrix, names = _indicators(_at_any_visit(knowledge, name), name)
            yield normalize(matrix), names, share
    rest = [
        feature
        for feature in features.values()
        if feature.name not in used and feature.group not in ("hierarchy", "descriptor")
    ]
    encoded = [_encoded(table[feature.name], feature) for feature in rest]
    # A text of none but words that say nothing of the disease has no columns.
    encoded = [(matrix, names) for matrix, names in encoded if names]
    if encoded:
        matrix = sparse.hstack([matrix for matrix, _ in encoded], format="csr")
        yield normalize(matrix), [name for _, names in encoded for name in names], _ATTRIBUTES_SHARE


def _at_any_visit(knowledge: CodeKnowledge, name: str) -> pd.Series:
    """A feature, where the group above answers for codes of a visit: an injury is the same one at every visit."""
    values, system = knowledge.table[name], knowledge.code_system
    if "encounter" not in knowledge.table:
        return values
    visits = knowledge.table["encounter"].notna()
    parents = [system.parent(code) if visit else None for code, visit in visits.items()]
    above = [
        value if parent is None else values[parent] for parent, value in zip(parents, values, strict=True)
    ]
    return pd.Series(above, index=values.index)


def _encoded(values: pd.Series, feature) -> tuple[sparse.csr_matrix, list[str]]:
    if feature.kind in ("boolean", "ordinal"):
        return sparse.csr_matrix(_scaled(values)[:, None]), [feature.name]
    if feature.kind == "text":
        return _word_columns(values.fillna("").tolist(), feature.name)
    return _indicators(values, feature.name)


def _scaled(values: pd.Series) -> np.ndarray:
    """Into [0, 1], or into [-1, 1] where there are negative ones; a missing value counts as 0."""
    numbers = np.nan_to_num(values.to_numpy(np.float32))
    low, high = numbers.min(), numbers.max()
    if low < 0:
        return numbers / max(-low, high)
    return (numbers - low) / (high - low) if high > low else np.zeros_like(numbers)


def _simplex(indicators: np.ndarray) -> sparse.csr_matrix:
    """Indicators of k exclusive features as corners of a simplex: two of them have a cosine of -1 / (k - 1)."""
    count = indicators.sum(axis=1, keepdims=True)
    corners = np.where(count > 0, indicators / np.maximum(count, 1) - 1 / indicators.shape[1], 0)
    return normalize(sparse.csr_matrix(corners.astype(np.float32)))


def _indicators(values: pd.Series, name: str) -> tuple[sparse.csr_matrix, list[str]]:
    """One column a value; a row has as many as it has values."""
    listed = [value if isinstance(value, tuple) else () if pd.isna(value) else (value,) for value in values]
    rows = np.repeat(np.arange(len(listed)), [len(several) for several in listed])
    distinct, columns = np.unique([str(one) for several in listed for one in several], return_inverse=True)
    matrix = sparse.csr_matrix(
        (np.ones(len(rows), np.float32), (rows, columns)), (len(listed), len(distinct))
    )
    return matrix, [f"{name}: {value}" for value in distinct]


def _path(knowledge: CodeKnowledge) -> tuple[sparse.csr_matrix, list[str]]:
    """One column a node, with the share of its level in the rows of all that it holds.

    Below the categories a code of its own is no column: it would only say that each code differs from all others.
    """
    paths = _paths(knowledge)
    shared = {path[:length] for path in paths for length in range(1, len(path))}
    shared |= {path[: knowledge.code_system.category_level + 1] for path in paths}
    columns = {node: column for column, node in enumerate(dict.fromkeys(
        path[:length] for path in paths for length in range(1, len(path) + 1) if path[:length] in shared
    ))}  # fmt: skip
    rows, at, values = [], [], []
    for row, path in enumerate(paths):
        for length in range(1, len(path) + 1):
            if path[:length] in columns:
                rows.append(row)
                at.append(columns[path[:length]])
                values.append(_PATH_SHARES[min(length, len(_PATH_SHARES)) - 1])
    matrix = sparse.csr_matrix(
        (np.sqrt(np.array(values, np.float32)), (rows, at)), shape=(len(paths), len(columns))
    )
    return matrix, [f"path: {node[-1]}" for node in columns]


def _paths(knowledge: CodeKnowledge) -> list[tuple[str, ...]]:
    """The nodes down to each code; in a table without parents, the code's parts by position."""
    system = knowledge.code_system
    if any(system.parents.values()):
        return list(system.paths.values())
    positions = [f.name for f in knowledge.features if re.fullmatch(r"position_\d+", f.name)]
    parts = knowledge.table[positions].astype(object).to_numpy()
    return [tuple(str(part) for part in row if not pd.isna(part)) for row in parts]


def _descriptor(system: CodeSystem) -> tuple[sparse.csr_matrix, list[str]]:
    titles = [CODE_RANGE.sub("", system.title(code)).lower() for code in system.codes]
    if not any(map(_words, titles)):
        return sparse.csr_matrix((len(titles), 0), dtype=np.float32), []
    terms = [" ".join(system.inclusion_terms(code)).lower() for code in system.codes]
    tfidf = _word_counter()
    own = normalize(tfidf.fit_transform(titles) + _TERMS * tfidf.transform(terms))
    row = {code: number for number, code in enumerate(system.codes)}
    below = [(row[code], row[parent]) for code, parent in system.parents.items() if parent is not None]
    to_parent = sparse.csr_matrix((len(row), len(row)), dtype=np.float32)
    if below:
        children, parents = zip(*below, strict=True)
        to_parent = sparse.csr_matrix((np.ones(len(below), np.float32), (children, parents)), to_parent.shape)
    total = inherited = own
    while inherited.nnz:
        inherited = _INHERITED * (to_parent @ inherited)
        total = total + inherited
    return normalize(total), [f"word: {word}" for word in tfidf.get_feature_names_out()]


def _word_columns(texts: list[str], name: str) -> tuple[sparse.csr_matrix, list[str]]:
    if not any(map(_words, texts)):
        return sparse.csr_matrix((len(texts), 0), dtype=np.float32), []
    tfidf = _word_counter()
    return tfidf.fit_transform(texts), [f"{name}: {word}" for word in tfidf.get_feature_names_out()]


def _word_counter() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=_words, sublinear_tf=True, dtype=np.float32)


def _words(text: str) -> Sequence[str]:
    words = []
    for word in _WORD.findall(text.lower()):
        first, space, _ = word.partition(" ")
        words += [first, word] if space else [word]
    return [word for word in words if word not in _SPECIFICITY]
