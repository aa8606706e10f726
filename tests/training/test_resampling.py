"""ML-SMOTE: by hand, against a brute-force search, and what it does with few examples."""

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy import InputError
from icd_relevancy.encoding.token_states import RaggedStates
from icd_relevancy.training import ml_smote
from icd_relevancy.training.resampling import imbalance_per_label

# Label 0 has six examples, label 1 three, label 2 two, label 3 one, label 4 none.
POINTS = np.array([[50.0], [51], [52], [0], [1], [10], [60], [63], [90]])
LABELS = np.array(
    [
        [1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [1, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
    ]
)


def random_case(seed=0, notes=60, labels=8):
    """Frequent and rare labels, some notes with several."""
    rng = np.random.default_rng(seed)
    drawn = (rng.random((notes, labels)) < np.geomspace(0.6, 0.04, labels)).astype(int)
    drawn[:3, -1] = 1
    return rng.normal(size=(notes, 4)).astype("float32"), drawn


def nearest(points, row, bag, count):
    others = sorted((np.linalg.norm(points[row] - points[other]), other) for other in bag if other != row)
    return [other for _, other in others[:count]]


def test_ratios_by_hand():
    """Six, three, two and one example: 6/6, 6/3, 6/2, 6/1, and none."""
    np.testing.assert_array_equal(imbalance_per_label(LABELS), [1, 2, 3, 6, np.nan])
    np.testing.assert_array_equal(imbalance_per_label(sparse.csr_matrix(LABELS)), [1, 2, 3, 6, np.nan])


def test_new_examples_by_hand():
    """MeanIR is (1 + 2 + 3 + 6) / 4 = 3, so only label 3 is above it; without it MeanIR is 2, and label 2 is."""
    report = ml_smote(POINTS, LABELS, neighbours=1).report
    assert report.minority.tolist() == [3]
    assert (report.added.tolist(), report.skipped, report.mean_before) == ([0], (3,), 3.0)

    resampled = ml_smote(POINTS, LABELS[:, :3], neighbours=1)
    assert resampled.report.minority.tolist() == [2]
    assert resampled.sources.tolist() == [[6, 7], [7, 6]]
    assert ((resampled.features[9:] > 60) & (resampled.features[9:] < 63)).all()
    # Label 0 is carried by one of the two, not by more than half of them.
    assert resampled.labels.toarray()[9:].tolist() == [[0, 0, 1]] * 2
    np.testing.assert_array_equal(resampled.report.imbalance_after, [6 / 6, 6 / 3, 6 / 4])
    assert (resampled.report.mean_before, resampled.report.mean_after) == (2.0, 1.5)


@pytest.mark.parametrize(
    ("label_set", "expected"),
    [("ranking", [[0, 0, 1]] * 2), ("union", [[1, 0, 1]] * 2), ("intersection", [[0, 0, 1]] * 2)],
)
def test_label_sets_by_hand(label_set, expected):
    resampled = ml_smote(POINTS, LABELS[:, :3], neighbours=1, label_set=label_set)
    assert resampled.labels.toarray()[9:].tolist() == expected


@pytest.mark.parametrize("label_set", ["ranking", "union", "intersection"])
@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_every_example_is_between_two_near_ones_and_carries_their_labels(label_set, neighbours):
    points, labels = random_case()
    resampled = ml_smote(points, labels, neighbours=neighbours, label_set=label_set, seed=3)
    counts = labels.sum(axis=0)
    ratios = counts.max() / counts
    minority = [label for label in range(8) if ratios[label] > ratios.mean()]
    assert resampled.report.minority.tolist() == minority
    row = len(points)
    for label in minority:
        bag = np.flatnonzero(labels[:, label])
        for seed in bag:
            near = nearest(points, seed, bag, neighbours)
            first, mate = resampled.sources[row - len(points)]
            assert first == seed
            assert mate in near
            # On the line between the two: the same step in every dimension.
            steps = (resampled.features[row] - points[seed]) / (points[mate] - points[seed])
            np.testing.assert_allclose(steps, steps[0], atol=1e-4)
            assert 0 <= steps[0] <= 1
            carried = labels[[seed, *near]].sum(axis=0)
            least = {"ranking": (len(near) + 1) / 2 + 0.5, "union": 1, "intersection": len(near) + 1}[
                label_set
            ]
            np.testing.assert_array_equal(resampled.labels[[row]].toarray()[0], carried >= least)
            row += 1
    assert row == len(resampled.features) == resampled.labels.shape[0]
    assert resampled.report.added.tolist() == [counts[label] for label in minority]
    np.testing.assert_array_equal(resampled.features[: len(points)], points)
    np.testing.assert_array_equal(resampled.labels[: len(points)].toarray(), labels)
    np.testing.assert_array_equal(resampled.report.imbalance_before, ratios)
    after = resampled.labels.toarray().sum(axis=0)
    np.testing.assert_array_equal(resampled.report.imbalance_after, after.max() / after)
    assert resampled.report.mean_after < resampled.report.mean_before


def test_every_neighbour_is_drawn_and_every_step_is_another():
    points, labels = np.random.default_rng(0).normal(size=(206, 3)), np.zeros((206, 2), int)
    labels[:200, 0] = labels[200:, 1] = 1
    drawn, steps = set(), set()
    for seed in range(30):
        resampled = ml_smote(points, labels, seed=seed)
        drawn.update(map(tuple, resampled.sources.tolist()))
        moved = resampled.features[206:] - points[resampled.sources[:, 0]]
        steps.update(np.round(np.linalg.norm(moved, axis=1), 9).tolist())
    assert len(drawn) == 6 * 5
    assert len(steps) == 30 * 6


def test_the_seed_decides():
    case = random_case()
    one, same, other = (ml_smote(*case, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.features, same.features)
    np.testing.assert_array_equal(one.sources, same.sources)
    assert (one.features != other.features).any()


def test_few_examples_take_the_neighbours_there_are():
    report = ml_smote(*random_case(), neighbours=5).report
    sizes = random_case()[1].sum(axis=0)
    assert report.few == tuple(label for label in report.minority.tolist() if 1 < sizes[label] <= 5)
    assert report.few


def test_repeated_examples_are_neighbours_of_each_other():
    """A note that occurs twice is not its own neighbour, whichever copy the search finds first."""
    labels = [[1, 0]] * 9 + [[0, 1]] * 3
    resampled = ml_smote(np.zeros((12, 2)), labels, neighbours=2)
    assert all(seed != mate for seed, mate in resampled.sources.tolist())


@pytest.mark.parametrize("labels", [np.zeros((4, 3)), np.ones((4, 2)), np.eye(4)])
def test_without_a_minority_nothing_is_added(labels):
    points = np.arange(8.0).reshape(4, 2)
    resampled = ml_smote(points, labels)
    np.testing.assert_array_equal(resampled.features, points)
    np.testing.assert_array_equal(resampled.labels.toarray(), labels)
    assert resampled.sources.shape == (0, 2)
    assert not len(resampled.report.minority)


def test_token_states_are_mixed_where_both_notes_have_tokens():
    states = np.arange(6 * 3 * 2, dtype="float16").reshape(6, 3, 2)
    mask = np.array([[1, 1, 1]] * 4 + [[1, 1, 0], [1, 1, 1]])
    # Padding of any size moves neither distances nor states.
    states[4, 2] = 999
    labels = np.array([[1, 0]] * 4 + [[0, 1]] * 2)
    resampled = ml_smote(states, labels, mask)
    assert resampled.sources.tolist() == [[4, 5], [5, 4]]
    assert resampled.features.dtype == np.float16
    np.testing.assert_array_equal(resampled.attention_mask, [*mask.tolist(), [1, 1, 0], [1, 1, 1]])
    shorter, longer = resampled.features[6:]
    np.testing.assert_array_equal(longer[2], states[5, 2])
    np.testing.assert_array_equal(shorter[2], states[4, 2])
    for new in (shorter, longer):
        steps = (new[:2].astype(float) - states[4, :2]) / (states[5, :2].astype(float) - states[4, :2])
        np.testing.assert_allclose(steps, steps[0, 0], atol=0.01)
        assert 0 < steps[0, 0] < 1


def test_neighbours_of_token_states_are_those_of_their_means():
    points, labels = random_case()
    mask = (np.arange(5) < np.random.default_rng(1).integers(1, 6, (60, 1))).astype(int)
    noise = np.random.default_rng(2).normal(size=(60, 5, 4))
    noise -= (noise * mask[..., None]).sum(axis=1, keepdims=True) / mask.sum(axis=1)[:, None, None]
    states = points[:, None] + noise
    np.testing.assert_array_equal(ml_smote(states, labels, mask).sources, ml_smote(points, labels).sources)


def test_ragged_token_states_stay_ragged(monkeypatch):
    """One long note does not pad all others, neither those given nor the synthetic ones."""
    random = np.random.default_rng(5)
    _, labels = random_case()
    lengths = random.integers(1, 6, len(labels))
    lengths[3] = 400
    mask = (np.arange(400) < lengths[:, None]).astype("int32")
    states = RaggedStates(random.normal(size=(lengths.sum(), 4)).astype("float16"), lengths)
    padded = np.asarray(states)
    monkeypatch.delattr(RaggedStates, "__array__")
    # Rows in another order, as of a training part.
    rows = random.permutation(len(labels))
    expected = ml_smote(padded[rows], labels[rows], mask[rows])
    found = ml_smote(states[rows], labels[rows], mask[rows])
    assert isinstance(found.features, RaggedStates)
    assert found.features.shape == expected.features.shape
    assert len(found.sources)
    tokens = found.attention_mask.sum()
    assert found.features.nbytes == tokens * 4 * 2 < expected.features.nbytes / 20
    np.testing.assert_array_equal(found.sources, expected.sources)
    np.testing.assert_array_equal(found.attention_mask, expected.attention_mask)
    np.testing.assert_array_equal(found.features[:, :], expected.features)


def test_structured_features_lie_between_or_are_the_most_frequent():
    """Seed 3 of label 1 has neighbours 4 and 5; the category is one-hot in columns 1 to 3, the flag column 4."""
    points = np.array([[90.0], [91], [92], [0], [1], [2], [3]])
    labels = np.array([[1, 0]] * 3 + [[0, 1]] * 2 + [[1, 0]] * 2)
    labels[5] = [1, 1]
    structured = np.zeros((7, 5), "float32")
    structured[:, 0] = [0, 0, 0, -1, 1, 3, 0]
    structured[[3, 4, 5], [1, 2, 2]] = 1
    structured[[3, 4], 4] = 1
    resampled = ml_smote(points, labels, structured=structured, categorical=[(1, 4), (4, 5)], neighbours=2)
    assert resampled.report.minority.tolist() == [1]
    assert resampled.sources[:, 0].tolist() == [3, 4, 5]
    new = resampled.structured[7:]
    # Neighbours' categories: of 3 both the second; of 4 one each, and its own is the second; of 5 likewise.
    assert new[:, 1:4].tolist() == [[0, 1, 0]] * 3
    # Flags: of 3 one each, its own 1; of 4 one each, its own 1; of 5 both 1.
    assert new[:, 4].tolist() == [1, 1, 1]
    for row, (seed, mate) in zip(new, resampled.sources, strict=True):
        steps = (resampled.features[7:] - points[resampled.sources[:, 0]])[:, 0]
        step = steps[seed - 3] / (points[mate] - points[seed])[0]
        expected = structured[seed, 0] + step * (structured[mate, 0] - structured[seed, 0])
        assert row[0] == pytest.approx(expected, abs=1e-5)
    np.testing.assert_array_equal(resampled.structured[:7], structured)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros(9)}, r"Received: shape \(9,\)"),
        ({"features": np.zeros((8, 2))}, "one row a row of the 9 labels"),
        ({"features": np.zeros((9, 3, 2))}, "token states .* need an attention_mask"),
        ({"attention_mask": np.ones((9, 1))}, "embeddings none"),
        ({"features": np.zeros((9, 3, 2)), "attention_mask": np.ones((9, 4))}, r"attention_mask \(9, 4\)"),
        ({"features": np.where(POINTS == 1, np.nan, POINTS)}, "row 4 .* not finite"),
        ({"structured": np.zeros((8, 2))}, r"structured must be \(9, k\)"),
        ({"structured": np.zeros((9, 2)), "categorical": [(1, 3)]}, "ranges of the 2 structured columns"),
        ({"categorical": [(0, 1)]}, "ranges of the 0 structured columns"),
        ({"neighbours": 0}, "neighbours=0"),
        ({"label_set": "any"}, "label_set='any'"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(InputError, match=message) as refusal:
        ml_smote(**{"features": POINTS, "labels": LABELS, **change})
    assert "\n" not in str(refusal.value)
