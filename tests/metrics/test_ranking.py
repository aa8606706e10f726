"""Ranking metrics: against loops over every tie order, scikit-learn, hand-worked notes and invariants."""

import numpy as np
import oracles
import pytest
from scipy import sparse
from sklearn.metrics import coverage_error, label_ranking_average_precision_score, ndcg_score

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import positive_ranks, ranking

ALL = [
    (ranking.rank_errors_at_recall, oracles.rank_errors_step, (0.5,)),
    (ranking.rank_errors_at_recall, oracles.rank_errors_step, (0.34,)),
    (ranking.rank_errors_at_recall, oracles.rank_errors_step, (1.0,)),
    (ranking.ndcg, oracles.ndcg, ()),
    (ranking.ndcg, oracles.ndcg, (2,)),
    (ranking.recall_at_k, oracles.recall_at_k, (3,)),
    (ranking.precision_at_k, oracles.precision_at_k, (3,)),
    (ranking.precision_at_k, oracles.precision_at_k, (10,)),
    (ranking.r_precision, oracles.r_precision, ()),
    (ranking.mean_average_precision, oracles.average_precision, ()),
    (ranking.coverage, oracles.coverage, ()),
]


def linear(y_true, y_score, recall, average="mean"):
    return ranking.rank_errors_at_recall(y_true, y_score, recall, interpolation="linear", average=average)


WITH_LINEAR = [*ALL, *((linear, oracles.rank_errors_linear, (recall,)) for recall in (0.5, 0.8))]
IDS = [f"{metric.__name__}{arguments}" for metric, _, arguments in WITH_LINEAR]


@pytest.fixture
def tied_notes():
    """Notes of 6 labels whose scores take 3 values only, two notes without labels."""
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, (14, 6))
    y_true[[3, 9]] = 0
    y_true[5] = 1
    scores = rng.integers(0, 3, (14, 6)) / 4
    scores[0] = 0.5
    return y_true, scores


@pytest.fixture
def strict_notes():
    """Notes of 40 labels without ties, each with a label."""
    rng = np.random.default_rng(1)
    y_true = (rng.random((30, 40)) < 0.15).astype(np.int64)
    y_true[:, 7] = 1
    return y_true, rng.permutation(30 * 40).reshape(30, 40) / 1200


@pytest.mark.parametrize(("metric", "oracle", "arguments"), WITH_LINEAR, ids=IDS)
def test_equals_the_mean_over_all_tie_orders(metric, oracle, arguments, tied_notes):
    y_true, scores = tied_notes
    expected = [
        oracles.over_tie_orders(oracle, labels, list(row), *arguments) if labels.any() else np.nan
        for labels, row in zip(y_true, scores, strict=True)
    ]
    np.testing.assert_allclose(metric(y_true, scores, *arguments, average=None), expected, atol=1e-12)
    assert metric(y_true, scores, *arguments) == pytest.approx(np.nanmean(expected))


@pytest.mark.parametrize(("metric", "oracle", "arguments"), WITH_LINEAR, ids=IDS)
def test_equals_the_loop_without_ties(metric, oracle, arguments, strict_notes):
    y_true, scores = strict_notes
    ranked = [list(labels[np.argsort(-row)]) for labels, row in zip(y_true, scores, strict=True)]
    expected = [oracle(labels, *arguments) for labels in ranked]
    np.testing.assert_allclose(metric(y_true, scores, *arguments, average=None), expected, atol=1e-12)


@pytest.mark.parametrize(("metric", "oracle", "arguments"), WITH_LINEAR, ids=IDS)
def test_ignores_label_order_storage_and_chunks(metric, oracle, arguments, tied_notes, monkeypatch):
    y_true, scores = tied_notes
    value = metric(y_true, scores, *arguments)
    order = np.random.default_rng(2).permutation(6)
    assert metric(y_true[:, order], scores[:, order], *arguments) == value
    assert metric(sparse.csr_matrix(y_true), scores.astype(np.float32), *arguments) == value
    assert metric(sparse.coo_array(y_true.astype(bool)), scores.astype(np.float16), *arguments) == value
    assert type(value) is float
    for chunk in (1, 4, 13):
        monkeypatch.setattr(positive_ranks, "CHUNK_SCORES", chunk)
        assert metric(y_true, scores, *arguments) == value


def test_hand_worked_note():
    # Ranks of the three true labels: 1, 4 and 6 of 7.
    y_true = [[1, 0, 0, 1, 0, 1, 0]]
    scores = [[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]]
    errors = {
        r: ranking.rank_errors_at_recall(y_true, scores, r) for r in (0.1, 1 / 3, 0.34, 0.5, 2 / 3, 0.7, 1)
    }
    assert errors == {0.1: 0, 1 / 3: 0, 0.34: 2, 0.5: 2, 2 / 3: 2, 0.7: 3, 1: 3}
    # Percentiles of (1, 4, 6) and (1, 2, 3): 4 − 2, and 5 − 2.5.
    assert linear(y_true, scores, 0.5) == 2
    assert linear(y_true, scores, 0.75) == 2.5
    assert ranking.coverage(y_true, scores) == 6
    assert ranking.recall_at_k(y_true, scores, 5) == pytest.approx(2 / 3)
    assert ranking.precision_at_k(y_true, scores, 5) == 0.4
    assert ranking.r_precision(y_true, scores) == pytest.approx(1 / 3)
    assert ranking.mean_average_precision(y_true, scores) == pytest.approx((1 + 2 / 4 + 3 / 6) / 3)


def test_rank_errors_at_full_recall_are_coverage_minus_the_labels(tied_notes):
    y_true, scores = tied_notes
    for step in ("step", "linear"):
        errors = ranking.rank_errors_at_recall(y_true, scores, 1.0, interpolation=step, average=None)
        coverage = ranking.coverage(y_true, scores, average=None)
        np.testing.assert_allclose(errors, np.where(y_true.any(1), coverage - y_true.sum(1), np.nan))


def test_rank_errors_at_a_fraction_that_floating_point_overshoots():
    assert 0.07 * 100 > 7
    scores = -np.arange(107.0)[None]
    y_true = np.r_[np.ones(7), np.zeros(7), np.ones(93)][None]
    assert ranking.rank_errors_at_recall(y_true, scores, 0.07) == 0
    assert ranking.rank_errors_at_recall(y_true, scores, 0.071) == 7


def test_equal_scores_give_chance():
    y_true = np.zeros((1, 1000), dtype=int)
    y_true[0, :10] = 1
    scores = np.full((1, 1000), 0.5)
    assert ranking.recall_at_k(y_true, scores, 30) == pytest.approx(0.03)
    assert ranking.r_precision(y_true, scores) == pytest.approx(0.01)
    assert ranking.coverage(y_true, scores) == pytest.approx(10 * 1001 / 11)


def test_equals_scikit_learn(strict_notes, tied_notes):
    y_true, scores = strict_notes
    assert ranking.coverage(y_true, scores) == pytest.approx(coverage_error(y_true, scores))
    assert ranking.mean_average_precision(y_true, scores) == pytest.approx(
        label_ranking_average_precision_score(y_true, scores)
    )
    for truth, score in (strict_notes, tied_notes):
        labelled = truth.any(1)
        for k in (None, 1, 3):
            assert ranking.ndcg(truth, score, k) == pytest.approx(
                ndcg_score(truth[labelled], score[labelled], k=k)
            )


@pytest.mark.parametrize("k", [None, 2])
def test_ndcg_with_gains_and_a_discount(tied_notes, k):
    y_true, scores = tied_notes
    rng = np.random.default_rng(3)
    for gains in (rng.random(6), rng.integers(0, 4, 6), rng.integers(1, 5, y_true.shape)):
        for discount in ("log2", lambda rank: 1 / rank):
            value = ranking.ndcg(y_true, scores, k, average=None, gains=gains, discount=discount)
            arguments = (k,) if discount == "log2" else (k, discount)
            gained = y_true * gains
            expected = [
                oracles.over_tie_orders(oracles.ndcg, row, list(score), *arguments) if row.any() else np.nan
                for row, score in zip(gained, scores, strict=True)
            ]
            np.testing.assert_allclose(value, expected, atol=1e-12)
    for gains in (np.ones(6), np.full(y_true.shape, 2.5)):
        assert ranking.ndcg(y_true, scores, k, gains=gains) == pytest.approx(ranking.ndcg(y_true, scores, k))
    graded = rng.integers(0, 4, y_true.shape) * y_true
    assert ranking.ndcg(y_true, scores, k, gains=graded) == pytest.approx(
        ndcg_score(graded[graded.any(1)], scores[graded.any(1)], k=k)
    )


@pytest.mark.parametrize(
    ("metric", "name", "levels"),
    [
        (ranking.rank_errors_at_recall, "recall", (0.25, 0.5, 1.0)),
        (ranking.recall_at_k, "k", [1, 3, 50]),
        (ranking.precision_at_k, "k", np.array([2, 5])),
    ],
)
def test_several_levels_are_those_one_by_one(metric, name, levels, tied_notes):
    one_by_one = [metric(*tied_notes, **{name: level}) for level in levels]
    np.testing.assert_array_equal(metric(*tied_notes, **{name: levels}), one_by_one)
    by_note = metric(*tied_notes, **{name: levels}, average=None)
    for place, level in enumerate(levels):
        np.testing.assert_array_equal(by_note[:, place], metric(*tied_notes, **{name: level}, average=None))


def test_one_ranking_serves_all_metrics(tied_notes, monkeypatch):
    expected = [metric(*tied_notes, *arguments) for metric, _, arguments in ALL]
    ranks = ranking.positive_ranks(*tied_notes)
    report = ranking.ranking_report(*tied_notes, recalls=(0.34, 0.5, 1.0), ks=(3,))
    monkeypatch.setattr(ranking, "positive_ranks", None)
    assert [metric(ranks, None, *arguments) for metric, _, arguments in ALL] == expected
    assert ranking.ranking_report(ranks, recalls=(0.34, 0.5, 1.0), ks=(3,)) == report
    by_name = dict(zip(IDS, expected, strict=False))
    assert report == {
        "rank_errors@34": by_name["rank_errors_at_recall(0.34,)"],
        "rank_errors@50": by_name["rank_errors_at_recall(0.5,)"],
        "rank_errors@100": by_name["rank_errors_at_recall(1.0,)"],
        "recall@3": by_name["recall_at_k(3,)"],
        "precision@3": by_name["precision_at_k(3,)"],
        "ndcg": by_name["ndcg()"],
        "map": by_name["mean_average_precision()"],
        "r_precision": by_name["r_precision()"],
        "coverage": by_name["coverage()"],
    }
    with pytest.raises(InputError, match="must be left out"):
        ranking.ndcg(ranks, tied_notes[1])


def test_the_report_says_the_recall_in_per_cent(strict_notes):
    names = list(ranking.ranking_report(*strict_notes))
    assert names[:5] == [*(f"rank_errors@{r}" for r in (25, 50, 75, 100)), "recall@5"]
    assert "rank_errors@7" in ranking.ranking_report(*strict_notes, recalls=(0.07,), ks=())


def test_labels_that_the_model_never_saw_rank_last():
    y_true, scores = [[1, 0, 0, 1]], [[0.9, 0.8, 0.7, -np.inf]]
    assert ranking.recall_at_k(y_true, scores, 3) == 0.5
    assert ranking.coverage(y_true, scores) == 4


def test_leaves_its_input_alone(tied_notes):
    y_true, scores = tied_notes
    labels = sparse.csr_array((np.array([1, 0, 1]), np.array([2, 1, 0]), np.array([0, 3])), shape=(1, 6))
    before = scores.copy(), labels.data.copy(), labels.indices.copy()
    ranking.ndcg(labels, scores[:1])
    ranking.ndcg(y_true, scores)
    np.testing.assert_array_equal(scores, before[0])
    np.testing.assert_array_equal(labels.data, before[1])
    np.testing.assert_array_equal(labels.indices, before[2])


@pytest.mark.parametrize("recall", [0, -0.1, 50, 100, float("nan")])
def test_refuses_a_recall_that_is_no_fraction(recall):
    with pytest.raises(InputError, match=r"fraction in \(0, 1\]"):
        ranking.rank_errors_at_recall([[1, 0]], [[0.1, 0.2]], recall)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2, 0.3]]), r"shape of y_true, \(1, 2\)"),
        (lambda: ranking.ndcg([[2, 0]], [[0.1, 0.2]]), "only 0 and 1"),
        (lambda: ranking.ndcg([1, 0], [0.1, 0.2]), r"\(notes, labels\)"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, np.nan]]), "NaN"),
        (lambda: ranking.ndcg([[1, 0]], sparse.csr_array([[0.1, 0.2]])), "dense"),
        (lambda: ranking.ndcg([[0, 0]], [[0.1, 0.2]]), "no note with a label"),
        (lambda: ranking.ndcg(np.zeros((0, 2)), np.zeros((0, 2))), "no note with a label"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], average="micro"), "'mean' or None"),
        (lambda: ranking.recall_at_k([[1, 0]], [[0.1, 0.2]], 0), "at least 1"),
        (lambda: ranking.precision_at_k([[1, 0]], [[0.1, 0.2]], 1.5), "whole number"),
        (lambda: ranking.rank_errors_at_recall([[1, 0]], [[0.1, 0.2]], 1, "cubic"), "'step' or 'linear'"),
        (lambda: ranking.rank_errors_at_recall([[1, 0]], [[0.1, 0.2]], (0.5, 50)), "fraction"),
        (lambda: ranking.rank_errors_at_recall([[1, 0]], [[0.1, 0.2]], ()), "must not be empty"),
        (lambda: ranking.ndcg([[1, 0]]), r"shape of y_true, \(1, 2\). Received: \(\)"),
        (
            lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], gains="exponential"),
            "'binary' or numbers of the shape",
        ),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], gains=[1, 2, 3]), r"shape \(2,\) or \(1, 2\)"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], gains=[-1, 0]), "at least 0"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], gains=[np.inf, 0]), "finite"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], gains=[0, 1]), "no note with a label"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], discount="linear"), "'log2' or a function"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], discount=lambda rank: rank), "falling"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], discount=lambda rank: 1), "each rank from 1 to 2"),
        (lambda: ranking.ndcg([[1, 0]], [[0.1, 0.2]], discount=lambda rank: np.inf / rank), "falling"),
    ],
)
def test_refuses_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_ranks_compare_without_an_error():
    ranks = [
        ranking.positive_ranks(sparse.csr_matrix([[1, 0, 1]]), np.array([[3.0, 2.0, 1.0]])) for _ in "ab"
    ]
    assert ranks[0] == ranks[0]
    assert ranks[0] != ranks[1]
