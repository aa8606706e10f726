import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import multilabel, ranking
from icd_relevancy.training.monitor import monitored
from icd_relevancy.training.stays.config import MONITORS

Y = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 1]])
SCORES = np.random.default_rng(0).random(Y.shape)


def test_metrics_by_name():
    assert monitored("ndcg")(Y, SCORES) == ranking.ndcg(Y, SCORES)
    assert monitored("map")(Y, SCORES) == ranking.mean_average_precision(Y, SCORES)
    assert monitored("micro_auprc")(Y, SCORES) == multilabel.auprc(Y, SCORES, "micro")
    assert monitored("macro_auroc")(Y, SCORES) == multilabel.auroc(Y, SCORES, "macro")


def test_f1_is_at_the_best_threshold():
    assert monitored("micro_f1")(Y, Y * 0.2 + 0.1) == monitored("macro_f1")(Y, Y * 0.2 + 0.1) == 1.0


@pytest.mark.parametrize("name", [name for name in MONITORS if name != "loss"])
def test_better_scores_are_more(name):
    assert monitored(name)(Y, Y + 0.01 * SCORES) > monitored(name)(Y, SCORES)


@pytest.mark.parametrize("name", ["loss", "micro_recall", "auprc"])
def test_unknown_metrics(name):
    with pytest.raises(InputError, match="no metric"):
        monitored(name)
