"""The controls that every model must beat: frequencies, linear models of words, titles, a dictionary of mentions."""

import time
from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from icd_relevancy.codes import CodeSystem
from icd_relevancy.data import Notes, train_validation_split
from icd_relevancy.errors import InputError
from icd_relevancy.models import FrequencyDummy
from icd_relevancy.text import Lexicon
from icd_relevancy.training.thresholds import tune_threshold

# Below every decision value, for a code without an example to learn from.
_NEVER = -1e3
# How much the coverage of a title, from 0 to 1, counts beside the decision value of a logistic regression.
_WEIGHT_OF_TITLES = 10.0


def training_shares(y: sparse.csr_matrix) -> np.ndarray:
    """The control that reads no note: the share of the training notes that carry each code, float32 `(m,)`."""
    return np.asarray(y.mean(axis=0), np.float32).ravel()


def word_probabilities(texts, y: sparse.csr_matrix, c: float, seed: int) -> tuple[Callable, int]:
    """TF-IDF of words and word pairs, and a logistic regression of inverse strength `c` for each code.

    Returns a function from notes to probabilities, float32 `(k, m)`, and the most iterations that a code took.
    """
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    x = words.fit_transform(texts)
    used = np.flatnonzero(np.asarray(y.sum(axis=0)).ravel())
    # With more words than notes the dual problem is solved many times faster.
    settings = {"solver": "liblinear", "dual": True, "max_iter": 1000, "random_state": seed}
    model = OneVsRestClassifier(LogisticRegression(C=c, class_weight="balanced", **settings))
    model.fit(x, y[:, used])

    def score(texts):
        scores = np.zeros((len(texts), y.shape[1]), np.float32)
        scores[:, used] = model.predict_proba(words.transform(texts))
        return scores

    return score, int(max(np.max(e.n_iter_) for e in model.estimators_ if hasattr(e, "n_iter_")))


def control_scores(
    name: str,
    notes: Notes,
    y: sparse.csr_matrix,
    labels: tuple[str, ...],
    system: CodeSystem,
    test: Notes,
    seed: int,
) -> np.ndarray:
    """Scores of test notes by a control: unbounded, so tune a threshold.

    Args:
        name: `frequency`, the share of the training notes with a code; `titles`, logistic regression beside the
            idf-weighted coverage of the code's title in the best sentence; `mentions`, the precision of the
            annotated mentions that the note has word for word; or one of `word_scores`.
        notes, y, labels, system: The training notes, their labels `(n, m)`, the m codes and their code system.
        test: The notes to score.
        seed: Of the solver.

    Raises:
        InputError: If the notes have no annotated mentions that it needs.
    """
    if name == "frequency":
        return FrequencyDummy().fit(y).predict(len(test))
    if name == "mentions":
        return _channel("mentions", test, labels, notes, mentions=notes.mentions)
    if name == "titles":
        # The lexicon squares the coverage.
        coverage = np.sqrt(_channel("titles", test, labels, notes, system=system))
        return word_scores("logistic", notes.text, y, test.text, seed) + _WEIGHT_OF_TITLES * coverage
    return word_scores(name, notes.text, y, test.text, seed)


def _channel(channel: str, test: Notes, labels: tuple[str, ...], notes: Notes, **names) -> np.ndarray:
    lexicon = Lexicon.fit(notes.text, notes.codes, labels, groups=notes.groups(), **names)
    if channel not in lexicon.channels:
        raise InputError(
            f"{notes.source or 'notes'}: no annotated mentions; leave the control {channel!r} out"
        )
    return lexicon.transform(test.text, [channel]).toarray()


def word_scores(name: str, texts, y, test_texts, seed: int = 0) -> np.ndarray:
    """Decision values of one classifier of words and word pairs a code, `(n_test, m)`: one of `WORD_CONTROLS`."""
    return WORD_CONTROLS[name](texts, y, test_texts, seed)


def tuned_control(
    scores: Callable, notes: Notes, y: sparse.csr_matrix, test: Notes, validation: float, seed: int
) -> tuple[np.ndarray, float, float]:
    """A control that learns from all training notes, and from part of them for its decision threshold.

    Args:
        scores: Gives the decision values of test notes, from the training notes, their labels and the test notes.
        notes, y, test: These, the labels CSR `(n, m)`.
        validation: Share of the training notes that the threshold is tuned on.
        seed: Of their choice.

    Returns:
        The scores of the test notes, `(n_test, m)`, the threshold and the seconds that the scores took.
    """
    train, held_out = train_validation_split(y, notes.groups(), validation, seed)
    tuning = scores(notes.select(train), y[train], notes.select(held_out))
    started = time.monotonic()
    of_test = scores(notes, y, test)
    return of_test, tune_threshold(y[held_out], tuning)[0], time.monotonic() - started


def _nb_svm(texts, y, test_texts, seed):
    """Naive-Bayes log-count ratios times the words (Wang and Manning 2012)."""
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


WORD_CONTROLS = {
    "nb_svm": _nb_svm,
    "logistic": _linear(
        # With more words than notes the dual problem is solved many times faster.
        lambda seed: LogisticRegression(
            C=1000, class_weight="balanced", solver="liblinear", dual=True, random_state=seed
        )
    ),
    "svc": _linear(lambda seed: LinearSVC(C=1, class_weight="balanced", random_state=seed)),
}
