"""LAAT against its equations."""

import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.models import laat_body
from tests.models import backbone_oracles as oracles


def test_it_equals_its_equations():
    model = oracles.made("laat")
    body, (x, _) = model.get_layer("laat_body"), oracles.notes(6)
    (embeddings,) = body.get_layer("embedding").get_weights()
    weights = body.get_layer("lstm").get_weights()
    mask = x["attention_mask"]
    states = np.array(
        [
            np.hstack(
                [
                    oracles.lstm(embeddings[ids], tokens, *weights[:3]),
                    oracles.lstm(embeddings[ids], tokens, *weights[3:], backwards=True),
                ]
            )
            for ids, tokens in zip(x["input_ids"], mask, strict=True)
        ]
    )
    np.testing.assert_allclose(np.asarray(body(x)), states, atol=1e-5)
    np.testing.assert_allclose(
        oracles.probabilities(model, x), oracles.from_states(model, states, mask), atol=1e-5
    )


def test_a_mask_may_have_holes():
    """A word that is left out leaves either state as it is, as if it were not there."""
    body, (x, _) = oracles.made("laat").get_layer("laat_body"), oracles.notes(2)
    ids = x["input_ids"][:1]
    mask = np.array([[1, 1, 0, 1, 1, 0, 0, 1, 0]])
    kept = mask[0] == 1
    states = np.asarray(body({"input_ids": ids, "attention_mask": mask}))[0]
    without = {"input_ids": ids[:, kept], "attention_mask": mask[:, kept]}
    np.testing.assert_allclose(states[kept], np.asarray(body(without))[0], atol=1e-6)
    assert not states[~kept].any()


def test_a_size_of_zero_is_refused():
    with pytest.raises(InputError, match="units must be at least 1"):
        laat_body(vocabulary_size=9, embedding_size=4, units=0)
