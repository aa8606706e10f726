"""What long work says on standard error, on a terminal and elsewhere."""

import io
import time
from contextlib import redirect_stderr

import keras
import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.progress import doing, tell_if_long
from icd_relevancy.training import fit
from icd_relevancy.training.evaluation import predict_scores


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(params=[True, False], ids=["terminal", "file"])
def stderr(request):
    """What stands for standard error, and whether it is a terminal."""
    return Terminal() if request.param else io.StringIO(), request.param


def model():
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "sigmoid")])
    made.compile("adam", "binary_crossentropy")
    return made


def test_what_is_done_is_shown_on_a_terminal_alone(stderr):
    stream, is_terminal = stderr
    with redirect_stderr(stream), doing("loading the model"):
        shown = stream.getvalue()
    assert ("loading the model" in shown) == is_terminal
    assert (stream.getvalue() == "") != is_terminal


def test_long_work_is_told_anywhere_and_short_work_nowhere(stderr):
    with redirect_stderr(stderr[0]):
        tell_if_long("building vectors", 74_000)
        tell_if_long("building a few", 7)
    assert stderr[0].getvalue() == "icd-relevancy: building vectors; this takes a minute or two\n"


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_training_has_one_bar_on_standard_error(stderr, verbose, capsys):
    stream, is_terminal = stderr
    x, y = np.ones((20, 3), np.float32), sparse.csr_matrix(np.eye(20, 2))
    with redirect_stderr(stream):
        fit(model(), lambda epoch: note_batches(x, y, 4, 0, epoch), note_batches(x, y, 4), 3, verbose=verbose)
    shown = stream.getvalue()
    assert ("training, epoch 3 of at most 3" in shown) == (is_terminal and verbose == 1)
    assert is_terminal or shown == ""
    assert capsys.readouterr().out == ""


def test_prediction_shows_how_far_it_is_once_it_takes_long(stderr):
    stream, is_terminal = stderr
    made = model()
    predict_on_batch = made.predict_on_batch

    def slowly(x):
        time.sleep(0.3)
        return predict_on_batch(x)

    with redirect_stderr(stream):
        predict_scores(made, np.ones((2, 3), np.float32), 2)
        assert stream.getvalue() == ""
        made.predict_on_batch = slowly
        predict_scores(made, np.ones((6, 3), np.float32), 1)
    assert ("predicting" in stream.getvalue()) == is_terminal
