"""`encode_labels` and `unseen_share`."""

import numpy as np
import pytest
from sklearn.preprocessing import MultiLabelBinarizer

from icd_relevancy.data.labels import encode_labels, unseen_share
from icd_relevancy.errors import InputError


def test_rows_follow_the_notes_and_columns_the_labels():
    labels = encode_labels([("B", "A"), (), ("C", "X"), ("A", "A")], ("C", "A", "B"))
    assert labels.toarray().tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert labels.dtype == np.int64
    assert labels.has_sorted_indices


def test_no_notes_and_no_labels():
    assert encode_labels([], ("A", "B")).shape == (0, 2)
    assert encode_labels([("A",), ()], ()).shape == (2, 0)


def test_equal_to_scikit_learn():
    random = np.random.default_rng(0)
    names = [f"L{i}" for i in range(300)]
    codes = [tuple(random.choice(names, random.integers(0, 12))) for _ in range(500)]
    expected = MultiLabelBinarizer(classes=names).fit_transform(codes)
    np.testing.assert_array_equal(encode_labels(codes, names).toarray(), expected)


def test_repeated_label_names():
    with pytest.raises(InputError, match="'A' occurs more than once"):
        encode_labels([("A",)], ("A", "B", "A"))


def test_unseen_share():
    assert unseen_share([("A", "B"), ("X",), ("Y", "A", "B", "B"), ()], ("A", "B")) == pytest.approx(2 / 7)
    assert unseen_share([(), ()], ("A",)) == 0.0
    assert unseen_share([("A",)], ()) == 1.0


def test_a_million_codes():
    names = tuple(f"L{i}" for i in range(8000))
    codes = [names[i % 7000 : i % 7000 + 10] for i in range(100_000)]
    assert encode_labels(codes, names).nnz == 1_000_000
