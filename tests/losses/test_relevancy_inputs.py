"""What the losses refuse, and what they settle once."""

import keras
import numpy as np
import pytest
from keras import ops

import icd_relevancy
from icd_relevancy import TLCL, WHML, RelevanceGraph


@pytest.fixture
def some():
    """Three codes of which the first two match."""
    return RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)


@pytest.mark.parametrize("loss", [TLCL, WHML])
def test_y_true_of_another_shape_is_not_broadcast(loss, some):
    y_pred = np.full((3, len(some)), 0.5, "float32")
    for y_true in (y_pred[:, :1], y_pred[:1], y_pred[0]):
        with pytest.raises(ValueError, match="same shape"):
            loss(relevance=some)(y_true, y_pred)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_the_dtype_of_the_result_alone(some, dtype):
    rng = np.random.default_rng(0)
    y_true = (rng.random((4, len(some))) < 0.3).astype("float32")
    y_pred = rng.random((4, len(some))).astype("float32")
    found = WHML(relevance=some, dtype=dtype)(y_true, y_pred, sample_weight=np.ones(4))
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    exact = float(WHML(relevance=some)(y_true, y_pred))
    assert float(ops.cast(found, "float32")) == pytest.approx(exact, abs=0.01)


def test_the_default_graph_is_settled_at_the_first_use(no_default, some):
    y_true = np.eye(len(some), dtype="float32")
    y_pred = np.roll(y_true, 1, axis=1)
    loss = WHML()
    with pytest.warns(UserWarning, match="no relevance graph"):
        before = float(loss(y_true, y_pred))
    icd_relevancy.set_relevance(some)
    assert float(loss(y_true, y_pred)) == before
    assert loss.get_config()["relevance"] is None


def test_relevance_of_another_type_is_refused():
    with pytest.raises(ValueError, match="RelevanceGraph"):
        TLCL(relevance=np.eye(3))
