"""Pairs of codes that should or should not match, and how code vectors judge them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError, shown_code, shown_word
from icd_relevancy.relevance.graph import ROUNDING
from icd_relevancy.vectors.code_vectors import CodeVectors, label_vectors

COLUMNS = ("a", "b", "match", "kind", "source", "split")
_MATCHES = ("yes", "no", "apart")
THRESHOLDS = (0.6, 0.7, 0.76, 0.8, 0.9)


@dataclass(frozen=True, eq=False)
class CodePairs:
    """Pairs of codes with what is expected of them; read them with `read_code_pairs`.

    Attributes:
        table: one row a pair, columns `a`, `b` (codes), `match` (`"yes"`: should match; `"no"`: must not;
            `"apart"`: neither, reported by itself, such as left and right), `kind` (such as `"hyper/hypo"`),
            `source` (who says so) and `split` (such as `"development"` and `"test"`).
    """

    table: pd.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return len(self.table)

    def select(self, kind: str | None = None, source: str | None = None, split: str | None = None):
        """The pairs of one kind, source or split.

        Raises:
            InputError: no pair is of that kind, source or split; the message names those there are.
        """
        table = self.table
        for column, wanted in (("kind", kind), ("source", source), ("split", split)):
            if wanted is None:
                continue
            known = sorted(set(table[column]))
            if wanted not in known:
                raise InputError(
                    f"no pair of codes has the {column} {shown_word(wanted)}; there are "
                    + ", ".join(shown_word(name, quoted=False) for name in known)
                )
            table = table[table[column] == wanted]
        return CodePairs(table.reset_index(drop=True))

    def held_by(self, *vectors: CodeVectors) -> "CodePairs":
        """The pairs of which every one of these sets of vectors holds both codes, so that they are compared fairly."""
        in_all = [
            all(code in each for each in vectors for code in pair)
            for pair in self.table[["a", "b"]].itertuples(index=False)
        ]
        return CodePairs(self.table[np.array(in_all, bool)].reset_index(drop=True))


@dataclass(frozen=True)
class BestThreshold:
    """A threshold τ, the shares of `pair_report` at it, and their mean."""

    threshold: float
    balanced_accuracy: float
    must_reached: float
    must_not_below: float


def read_code_pairs(path: str | Path | None = None) -> CodePairs:
    """Reads pairs of codes from a CSV file with the columns `a,b,match,kind,source,split`.

    Args:
        path: the file, UTF-8. Defaults to None, the pairs of ICD-10-CM codes that come with the package.

    Returns:
        `CodePairs`.

    Raises:
        InputError: the file is missing or is no such table; names the file and the row.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from icd_relevancy.vectors import read_code_pairs
        >>> path = Path(mkdtemp()) / "pairs.csv"
        >>> _ = path.write_text("a,b,match,kind,source,split\\nP74.31,P74.32,no,hyper/hypo,NNBSVR §3.2,test\\n")
        >>> len(read_code_pairs(path))
        1
    """
    path = files("icd_relevancy.vectors") / "code_pairs.csv" if path is None else Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file of code pairs") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        kind = type(error).__name__
        raise InputError(f"{path}: cannot be read as a UTF-8 CSV file ({kind}); save it as one") from None
    if not lines or tuple(lines[0]) != COLUMNS:
        raise InputError(f"{path}: the first line must be {','.join(COLUMNS)}")
    if len(lines) == 1:
        raise InputError(f"{path}: the table has no pairs")
    seen: dict[frozenset, int] = {}
    for number, cells in enumerate(lines[1:], start=1):
        problem = _problem(cells, seen)
        if problem:
            raise InputError(f"{path}: row {number}: {problem}")
        seen[frozenset(cells[:2])] = number
    return CodePairs(pd.DataFrame(lines[1:], columns=list(COLUMNS)))


def _problem(cells: list[str], seen: dict[frozenset, int]) -> str | None:
    if len(cells) != len(COLUMNS):
        return f"{len(cells)} cells instead of {len(COLUMNS)}; quote a cell that holds a comma"
    a, b, match = cells[:3]
    for column, code in (("a", a), ("b", b)):
        if not code or code != code.strip():
            return f"column {column} holds no code, or one with white space around it"
    if match not in _MATCHES:
        return f"column match must be one of {', '.join(_MATCHES)}"
    if a == b:
        return f"{shown_code(a)} is paired with itself; give two codes"
    if frozenset((a, b)) in seen:
        first = seen[frozenset((a, b))]
        return f"the pair {shown_code(a)} and {shown_code(b)} stands in row {first} already; keep one of them"
    return None


def _pair_similarities(
    vectors: CodeVectors, pairs: CodePairs, code_system: CodeSystem | None = None
) -> pd.DataFrame:
    """The pairs with the `similarity` of each, `fallback` (an ancestor stood in for a code) and `missing` codes."""
    table = pairs.table.reset_index(drop=True)
    units = {}
    for code in pd.unique(table[["a", "b"]].to_numpy().ravel()):
        vector = _vector(code, vectors, code_system)
        if vector is not None:
            units[code] = vector / (np.linalg.norm(vector) or 1.0)
    similarities, fallback, missing = [], [], []
    for a, b in zip(table["a"], table["b"], strict=True):
        lacking = [code for code in (a, b) if code not in units]
        missing.append(" ".join(lacking))
        similarities.append(np.nan if lacking else float(units[a] @ units[b]))
        fallback.append(not lacking and not (a in vectors and b in vectors))
    return table.assign(similarity=similarities, fallback=fallback, missing=missing)


def pair_report(
    vectors: CodeVectors,
    pairs: CodePairs,
    thresholds: Sequence[float] = THRESHOLDS,
    code_system: CodeSystem | None = None,
) -> pd.DataFrame:
    """How many pairs are judged as they should be at each threshold, over all pairs and by kind.

    Pairs that must lie apart without being errors (`match` is `"apart"`) are reported by kind and counted on
    neither side.

    Args:
        vectors: code vectors.
        pairs: pairs of codes.
        thresholds: the τ to report.
        code_system: resolves codes that `vectors` does not hold to their nearest ancestor that it holds.
            Defaults to None, such codes are missing.

    Returns:
        One row a kind (`"all"` first) and threshold with the columns `kind`, `threshold`, `must_pairs`,
        `must_reached` (share of the pairs that should match whose cosine reaches τ), `must_not_pairs`,
        `must_not_below` (share of the pairs that must not match whose cosine stays below τ),
        `balanced_accuracy` (mean of the two), `apart_pairs`, `apart_below`, `fallback` (number of pairs in which
        an ancestor stood in for a code) and `missing` (number of pairs left out as a code has no vector). A share
        of no pairs is NaN.

    Example:
        >>> import pandas as pd
        >>> from icd_relevancy.vectors import CodeVectors
        >>> from icd_relevancy.vectors.pairs import COLUMNS, CodePairs, pair_report
        >>> pairs = CodePairs(pd.DataFrame([["I10", "I15.9", "yes", "by hand", "", ""]], columns=COLUMNS))
        >>> vectors = CodeVectors(["I10", "I15.9"], [[1, 0], [3, 4]])
        >>> pair_report(vectors, pairs, (0.6, 0.7)).query("kind == 'all'")["must_reached"].tolist()
        [1.0, 0.0]
    """
    judged = _pair_similarities(vectors, pairs, code_system)
    parts = {"all": judged, **{str(kind): part for kind, part in judged.groupby("kind", sort=False)}}
    rows = []
    for kind, part in parts.items():
        cosines = {match: _cosines(part, match) for match in _MATCHES}
        for threshold in thresholds:
            reached = {
                match: (cosines[match] >= threshold - ROUNDING).mean() if len(cosines[match]) else np.nan
                for match in _MATCHES
            }
            rows.append(
                {
                    "kind": kind,
                    "threshold": threshold,
                    "must_pairs": len(cosines["yes"]),
                    "must_reached": reached["yes"],
                    "must_not_pairs": len(cosines["no"]),
                    "must_not_below": 1 - reached["no"],
                    "balanced_accuracy": (reached["yes"] + 1 - reached["no"]) / 2,
                    "apart_pairs": len(cosines["apart"]),
                    "apart_below": 1 - reached["apart"],
                    "fallback": int(part["fallback"].sum()),
                    "missing": int(part["similarity"].isna().sum()),
                }
            )
    return pd.DataFrame(rows)


def pair_auc(vectors: CodeVectors, pairs: CodePairs, code_system: CodeSystem | None = None) -> float:
    """Probability that a pair that should match has a greater cosine than one that must not (ROC-AUC).

    Pairs with a code that has no vector are left out.

    Args:
        vectors: code vectors.
        pairs: pairs of codes.
        code_system: as in `pair_report`.

    Raises:
        InputError: there are not pairs of both sorts.

    Example:
        >>> import pandas as pd
        >>> from icd_relevancy.vectors import CodeVectors
        >>> from icd_relevancy.vectors.pairs import COLUMNS, CodePairs, pair_auc
        >>> rows = [["I10", "I15.9", "yes", "", "", ""], ["I10", "E16.2", "no", "", "", ""]]
        >>> vectors = CodeVectors(["I10", "I15.9", "E16.2"], [[1, 0], [3, 4], [0, 1]])
        >>> pair_auc(vectors, CodePairs(pd.DataFrame(rows, columns=COLUMNS)))
        1.0
    """
    must, must_not = _both_sorts(vectors, pairs, code_system)
    return float(roc_auc_score([1] * len(must) + [0] * len(must_not), np.concatenate([must, must_not])))


def best_threshold(
    vectors: CodeVectors, pairs: CodePairs, code_system: CodeSystem | None = None
) -> BestThreshold:
    """The threshold, of those from 0 to 1, with the greatest balanced accuracy; of equals the greatest.

    A threshold chosen on the pairs it is scored on flatters: choose it on one split, report it on the other.
    """
    must, must_not = _both_sorts(vectors, pairs, code_system)
    # Up to the next cosine of a pair that should match, raising τ loses none; beyond the last one nor does 1.
    candidates = np.unique(np.clip([*must, 1.0], 0, 1))
    reached = (must[:, None] >= candidates - ROUNDING).mean(axis=0)
    below = (must_not[:, None] < candidates - ROUNDING).mean(axis=0)
    best = len(candidates) - 1 - int(np.argmax(((reached + below) / 2)[::-1]))
    return BestThreshold(
        float(candidates[best]),
        float(reached[best] + below[best]) / 2,
        float(reached[best]),
        float(below[best]),
    )


def scores_by_split(vectors: CodeVectors, pairs: CodePairs | None) -> dict:
    """The scores of each split by itself, with the threshold that is best on the development pairs."""
    if not pairs:
        return {"best_threshold": None, "splits": {}}
    splits = {split: pairs.select(split=split) for split in dict.fromkeys(pairs.table["split"])}
    development = splits.get("development")
    best = best_threshold(vectors, development).threshold if _has_both_kinds(development) else None
    return {
        "best_threshold": best,
        "splits": {split: _split_scores(vectors, part, best) for split, part in splits.items()},
    }


def _has_both_kinds(pairs: CodePairs | None) -> bool:
    return pairs is not None and {"yes", "no"} <= set(pairs.table["match"])


def _split_scores(vectors: CodeVectors, pairs: CodePairs, best: float | None) -> dict:
    report = pair_report(vectors, pairs, [*THRESHOLDS, *([] if best is None else [best])])
    report = report.astype(object).where(report.notna(), None)
    shares = [
        {"must_match_reached": row.must_reached, "must_not_match_below": row.must_not_below}
        for row in report[report.kind == "all"].itertuples()
    ]
    first = report.iloc[0]
    return {
        "must_match_pairs": first.must_pairs,
        "must_not_match_pairs": first.must_not_pairs,
        "pair_auc": pair_auc(vectors, pairs) if _has_both_kinds(pairs) else None,
        "thresholds": {f"{tau:g}": row for tau, row in zip(THRESHOLDS, shares, strict=False)},
        "at_best_threshold": None if best is None else shares[-1],
    }


def _vector(code: str, vectors: CodeVectors, code_system: CodeSystem | None) -> np.ndarray | None:
    if code not in vectors and code_system is None:
        return None
    try:
        row = vectors.select([code]) if code_system is None else label_vectors([code], vectors, code_system)
    except InputError:
        return None
    return row.vectors[0].astype(np.float64)


def _cosines(judged: pd.DataFrame, match: str) -> np.ndarray:
    return judged.loc[judged["match"] == match, "similarity"].dropna().to_numpy()


def _both_sorts(vectors: CodeVectors, pairs: CodePairs, code_system) -> tuple[np.ndarray, np.ndarray]:
    judged = _pair_similarities(vectors, pairs, code_system)
    must, must_not = _cosines(judged, "yes"), _cosines(judged, "no")
    if not len(must) or not len(must_not):
        raise InputError(
            f"pairs that should match and pairs that must not are both needed. Received, with vectors: "
            f"{len(must)} and {len(must_not)}"
        )
    return must, must_not
