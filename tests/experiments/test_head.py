"""The head's compiled epochs do what Keras does step by step."""

import keras
import numpy as np
import pytest
from scipy import sparse

from experiments.rows.head import Head, Schedule
from icd_relevancy import TLCL, WHML, RelevanceGraph
from icd_relevancy.errors import InputError
from icd_relevancy.models import note_classifier

NOTES, SIZE, LABELS = 53, 6, 9
SCHEDULE = Schedule(learning_rate=0.02, batch_size=8, epochs=3, patience=5)


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(NOTES, SIZE)).astype(np.float32)
    y = sparse.csr_matrix((x @ random.normal(size=(SIZE, LABELS)) > 2).astype(np.int64))
    return x, y


def graph() -> RelevanceGraph:
    near = np.eye(LABELS) + 0.9 * np.eye(LABELS, k=1) + 0.9 * np.eye(LABELS, k=-1)
    return RelevanceGraph.from_similarity(near, [f"C{label}" for label in range(LABELS)], 0.76)


LOSSES = [
    keras.losses.BinaryCrossentropy,
    lambda: TLCL(relevance=graph()),
    lambda: WHML(alpha=0.75, relevance=graph()),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_an_epoch_is_keras_steps_on_whole_batches(data, loss):
    x, y = data
    train, validation = np.arange(3, 40), np.arange(40, NOTES)
    head = Head(x, y, loss())
    assert head.train(train, validation, SCHEDULE, seed=4) == 3

    keras.utils.set_random_seed(4)
    plain = note_classifier(LABELS, embedding_size=SIZE)
    plain.compile(keras.optimizers.Adam(0.02), loss=loss())
    for epoch in range(3):
        order = np.random.default_rng([4, epoch]).permutation(train)
        for start in range(0, 32, 8):  # 37 notes are four batches, and five notes left over
            rows = order[start : start + 8]
            plain.train_on_batch(x[rows], y[rows].toarray().astype(np.float32))
    np.testing.assert_allclose(head.scores(validation), plain.predict(x[validation], verbose=0), atol=1e-5)


def test_a_head_starts_anew_for_each_fold_and_schedule(data):
    x, y = data
    head, first = Head(x, y, LOSSES[2]()), np.arange(30)
    head.train(first, np.arange(30, 40), SCHEDULE, seed=1)
    once = head.scores(np.arange(NOTES))
    faster = Schedule(learning_rate=0.1, batch_size=8, epochs=2, patience=1)
    head.train(np.arange(20, NOTES), np.arange(17), faster, seed=2)
    assert not np.allclose(head.scores(np.arange(NOTES)), once, atol=0.01)
    head.train(first, np.arange(30, 40), SCHEDULE, seed=1)
    np.testing.assert_array_equal(head.scores(np.arange(NOTES)), once)


@pytest.mark.parametrize("loss", [LOSSES[0], LOSSES[2]])
def test_it_stops_without_progress_and_keeps_the_best_weights(data, loss):
    x, y = data
    train, validation = np.arange(40), np.arange(40, NOTES)
    head = Head(x, y, loss())
    # At this rate the weights run away from what the other notes say.
    epochs = head.train(train, validation, Schedule(0.5, 8, 60, 3), seed=0)
    assert 3 < epochs < 60
    truth = y[validation].toarray().astype(np.float32)
    kept = float(loss()(truth, head.scores(validation)))
    for shorter in range(1, epochs + 1):
        head.train(train, validation, Schedule(0.5, 8, shorter, 60), seed=0)
        # The best of so many epochs is no better than the best of all.
        assert kept <= float(loss()(truth, head.scores(validation))) + 1e-6


def test_fewer_notes_than_a_batch_are_one(data):
    x, y = data
    head = Head(x, y, keras.losses.BinaryCrossentropy())
    before = head.scores(np.arange(5))
    head.train(np.arange(5), np.arange(5, 10), Schedule(0.1, 32, 10, 10), seed=0)
    assert not np.allclose(head.scores(np.arange(5)), before)


def test_a_loss_that_is_not_finite_is_told(data):
    x, y = data
    with pytest.raises(InputError, match="not finite in epoch 1; lower the learning rate"):
        Head(x, y, keras.losses.BinaryCrossentropy()).train(
            np.arange(40), np.arange(40, NOTES), Schedule(float("nan"), 8, 3, 5), seed=0
        )
