"""Where the weights of a lexicon start: the optimum, by its gradient, and a model that reads nothing else yet."""

import miniature
import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from icd_relevancy.training import TrainingConfig
from icd_relevancy.training import start as lexical_start
from icd_relevancy.training.notes.dataset import NoteData
from icd_relevancy.training.notes.models import make_model
from icd_relevancy.training.start import LexicalStart

NOTES, LABELS, CHANNELS = 60, 7, 3


@pytest.fixture
def told():
    """Scores of which the first channel tells something, the second nothing and the third the contrary."""
    rng = np.random.default_rng(0)
    y = rng.random((NOTES, LABELS)) < np.linspace(0.05, 0.6, LABELS)
    scores = rng.random((CHANNELS, NOTES, LABELS)) * (rng.random((CHANNELS, NOTES, LABELS)) < 0.4)
    scores[0] *= np.where(y, 1, 0.3)
    scores[2] *= ~y
    log_odds = rng.normal(size=LABELS)
    return scores, y.astype(float), log_odds


def flat(scores):
    return sparse.csr_matrix(np.concatenate(list(scores), axis=1))


def test_it_is_where_the_slope_is_zero(told):
    scores, y, log_odds = told
    start = LexicalStart.fit(flat(scores), sparse.csr_matrix(y), log_odds)
    logits = np.tensordot(start.channel_weights, scores, axes=1) + start.bias(log_odds)
    wrong = expit(logits) - y
    slopes = [(wrong * channel).sum() for channel in scores]
    ridge = lexical_start._RIDGE
    for weight, slope in zip(start.channel_weights[:2], slopes[:2], strict=True):
        assert weight > 0
        assert slope + ridge * weight == pytest.approx(0, abs=0.02)
    # The third would be negative; no word of a code makes it less likely.
    assert start.channel_weights[2] == 0
    assert slopes[2] > 1
    assert (wrong * log_odds).sum() + ridge * start.scale == pytest.approx(0, abs=0.02)
    assert wrong.sum() + ridge * start.offset == pytest.approx(0, abs=0.02)
    assert start.channel_weights[0] > 2


def test_so_many_scores_are_sampled_by_notes(told, monkeypatch):
    scores, y, log_odds = told
    lexical, labels = flat(scores), sparse.csr_matrix(y)
    whole = LexicalStart.fit(lexical, labels, log_odds)
    monkeypatch.setattr(lexical_start, "_MOST_SCORES", lexical.nnz // 2)
    seen = []
    cells = lexical_start._cells
    monkeypatch.setattr(lexical_start, "_cells", lambda *told: seen.append(told[0].shape[0]) or cells(*told))
    half = LexicalStart.fit(lexical, labels, log_odds, seed=1)
    assert seen == [NOTES // 2]
    assert half.channel_weights[0] == pytest.approx(whole.channel_weights[0], rel=0.5)
    assert half.offset != whole.offset


def test_without_a_word_or_a_code(told):
    _, _, log_odds = told
    nothing = sparse.csr_matrix((NOTES, LABELS * CHANNELS))
    start = LexicalStart.fit(nothing, sparse.csr_matrix((NOTES, LABELS)), log_odds)
    assert np.isfinite([*start.channel_weights, start.scale, start.offset]).all()
    assert start.offset < -5


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "lexicon"},
        {"model": "caml", "lexical": True, "units": 4},
        {"model": "hmhan", "lexical": True},
        {"model": "hmhan", "lexical": True, "attention": "none"},
    ],
)
def test_a_model_starts_from_its_lexicon(in_miniature, miniature_encoder, settings):
    if settings["model"] == "hmhan":
        settings = settings | {"encoder": str(miniature_encoder), "max_length": 32}
    config = TrainingConfig(**settings)
    data = NoteData.from_notes(miniature.notes(40), config)
    model = make_model(config, data)
    rows = data.training[:5]
    inputs = {name: data.inputs[name][rows] for name in model.input}
    lexical = inputs["lexical"] = inputs["lexical"].toarray()
    found = model.predict(inputs, verbose=0)
    y = data.single.y[data.training]
    share = np.asarray(y.mean(axis=0)).ravel()
    odds = np.log(share / (1 - share))
    start = LexicalStart.fit(data.inputs["lexical"][data.training], y, odds)
    scores = lexical.reshape(5, data.features.lexical_channels, -1)
    expected = expit(np.einsum("c,ncm->nm", start.channel_weights, scores) + start.bias(odds))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-5)
