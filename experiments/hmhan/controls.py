"""The linear controls of a table: words and word pairs, one classifier for each code."""

import time
from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from icd_relevancy.data import Notes, train_validation_split
from icd_relevancy.training.thresholds import tune_threshold

# Below every decision value, for a code without an example to learn from.
_NEVER = -1e3


def control_scores(name: str, texts, y, test_texts, seed: int = 0) -> np.ndarray:
    """Decision values of a control, `(n_test, m)`: unbounded, so tune a threshold.

    Args:
        name: `nb_svm` (naive-Bayes log-count ratios times the words, Wang and Manning 2012), `logistic` or `svc`.
        texts: n training notes.
        y: Their labels, CSR `(n, m)`.
        test_texts: The notes to score.
        seed: Of the solver. Defaults to 0.
    """
    return _CONTROLS[name](texts, y, test_texts, seed)


def tuned_control(
    scores: Callable, notes: Notes, y: sparse.csr_matrix, test: Notes, validation: float, seed: int
) -> tuple[np.ndarray, float, float]:
    """A control that learns from all training notes, and from part of them for its decision threshold.

    Args:
        scores: Gives the decision values of test notes by a control of training notes: a function of the
            training notes, their labels and the test notes.
        notes: n training notes.
        y: Their labels, CSR `(n, m)`.
        test: The notes to score.
        validation: Share of the training notes that the threshold is tuned on.
        seed: Of their choice.

    Returns:
        The scores of the test notes, `(n_test, m)`, the threshold and the seconds that the scores took.
    """
    train, held_out = train_validation_split(y, notes.groups(), validation, seed)
    tuning = scores(notes.select(train), y[train], notes.select(held_out))
    started = time.monotonic()
    found = scores(notes, y, test)
    return found, tune_threshold(y[held_out], tuning)[0], time.monotonic() - started


def _nb_svm(texts, y, test_texts, seed):
    words = CountVectorizer(ngram_range=(1, 2), binary=True)
    x, x_test = words.fit_transform(texts), words.transform(test_texts)

    def features(target):
        ratio = np.log(_shares(x, target) / _shares(x, ~target))
        return x.multiply(ratio).tocsr(), x_test.multiply(ratio).tocsr()

    model = LogisticRegression(C=4, solver="liblinear", max_iter=500, random_state=seed)
    return _one_a_code(features, model, y, len(test_texts))


def _shares(x, rows: np.ndarray) -> np.ndarray:
    counts = 1 + np.asarray(x[np.flatnonzero(rows)].sum(axis=0)).ravel()
    return counts / counts.sum()


def _linear(model):
    def scores(texts, y, test_texts, seed):
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        features = words.fit_transform(texts), words.transform(test_texts)
        return _one_a_code(lambda target: features, model(seed), y, len(test_texts))

    return scores


def _one_a_code(features, model, y: sparse.csr_matrix, count: int) -> np.ndarray:
    """Decision values of a classifier for each code, given for its target the training and the test features."""
    scores = np.full((count, y.shape[1]), _NEVER, np.float32)
    columns = y.tocsc()
    for code in range(y.shape[1]):
        target = columns[:, [code]].toarray().ravel() > 0
        if target.any() and not target.all():
            x, x_test = features(target)
            scores[:, code] = model.fit(x, target).decision_function(x_test)
        elif target.all():
            scores[:, code] = -_NEVER
    return scores


_CONTROLS = {
    "nb_svm": _nb_svm,
    "logistic": _linear(
        # With more words than notes the dual problem is solved many times faster.
        lambda seed: LogisticRegression(
            C=1000, class_weight="balanced", solver="liblinear", dual=True, random_state=seed
        )
    ),
    "svc": _linear(lambda seed: LinearSVC(C=1, class_weight="balanced", random_state=seed)),
}
