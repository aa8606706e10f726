import resource
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.fitting.batches import note_batches

LABELS = sparse.csr_matrix(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 1]], dtype=np.int64
)
FEATURES = np.arange(7, dtype=np.float32)[:, None] * [1.0, 10.0]


def passes(batches, count=1):
    return [np.concatenate([x.numpy()[:, 0] for x, _ in batches]).astype(int).tolist() for _ in range(count)]


def test_multi_hot_rows_stay_with_their_features():
    for x, y in note_batches(FEATURES, LABELS, 3, shuffle_seed=1):
        rows = x.numpy()[:, 0].astype(int)
        np.testing.assert_array_equal(x.numpy()[:, 1], 10.0 * rows)
        np.testing.assert_array_equal(y.numpy(), LABELS.toarray()[rows])
        assert y.dtype == np.float32


def test_every_note_once_and_a_smaller_last_batch():
    batches = note_batches(FEATURES, LABELS, 3)
    assert [len(y) for _, y in batches] == [3, 3, 1]
    assert batches.cardinality().numpy() == 3
    assert passes(batches, 2) == [list(range(7))] * 2


def test_the_order_depends_on_seed_and_epoch_alone():
    epochs = passes(note_batches(FEATURES, LABELS, 3, 5), 4)
    assert all(sorted(order) == list(range(7)) for order in epochs)
    assert len(set(map(tuple, epochs))) == 4
    assert passes(note_batches(FEATURES, LABELS, 2, 5), 4) == epochs
    for first in range(4):
        assert passes(note_batches(FEATURES, LABELS, 3, 5, first), 4 - first) == epochs[first:]
    assert passes(note_batches(FEATURES, LABELS, 3, 6), 4) != epochs


def test_the_order_ignores_global_seeds():
    np.random.seed(0)
    one = passes(note_batches(FEATURES, LABELS, 3, 5))
    np.random.seed(1)
    assert passes(note_batches(FEATURES, LABELS, 3, 5)) == one


def test_named_features():
    named = {"ids": np.arange(7, dtype=np.int32)[:, None], "mask": np.ones((7, 2), np.int32)}
    for x, y in note_batches(named, LABELS, 4, 0):
        assert x["ids"].dtype == np.int32
        assert x["mask"].shape == (len(y), 2)
        np.testing.assert_array_equal(y.numpy(), LABELS.toarray()[x["ids"].numpy()[:, 0]])


def test_memory_mapped_features(tmp_path):
    np.save(tmp_path / "x.npy", FEATURES.astype(np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert passes(note_batches(mapped, LABELS, 2, 3)) == passes(note_batches(FEATURES, LABELS, 2, 3))


def test_a_million_cells_times_two_thousand_stay_sparse(tmp_path):
    notes, labels, batch = 200_000, 9_278, 32
    random = np.random.default_rng(0)
    columns = random.integers(0, labels, 4 * notes, dtype=np.int32)
    y = sparse.csr_matrix(
        (np.ones(4 * notes, np.int8), columns, np.arange(0, 4 * notes + 1, 4)), (notes, labels)
    )
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (notes, 16))
    batches = note_batches(x, y, batch, shuffle_seed=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    for _, target in batches.take(60):
        assert target.shape == (batch, labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A dense matrix would take 7.4 GB.
    assert peak < 30e6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150e3


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_batch_sizes(batch_size):
    assert passes(note_batches(FEATURES, LABELS, batch_size)) == [list(range(7))]
