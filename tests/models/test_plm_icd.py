"""PLM-ICD: its chunks, its attention, and states that a frozen encoder has given before."""

import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import attention_model, encoder_of, head_of, plm_icd, plm_icd_body
from tests.models import backbone_oracles as oracles


def test_it_equals_its_equations(miniature_encoder):
    """The states are the encoder's for every four tokens alone."""
    model = oracles.made("plm_icd", miniature_encoder)
    encoder = encoder_of(model)
    x, _ = oracles.notes(6)
    mask = x["attention_mask"]
    chunks = [
        np.asarray(encoder({part: array[:, start : start + 4] for part, array in x.items()}))
        for start in (0, 4, 8)
    ]
    states = np.concatenate(chunks, axis=1)
    assert states.shape == (6, oracles.LENGTH, 32)
    np.testing.assert_allclose(oracles.states_of(model, x), states * mask[..., None], atol=1e-5)
    np.testing.assert_allclose(
        oracles.probabilities(model, x), oracles.from_states(model, states, mask), atol=1e-5
    )


def test_states_given_are_as_those_of_the_encoder(miniature_encoder):
    model, (x, _) = oracles.made("plm_icd", miniature_encoder), oracles.notes(6)
    frozen = plm_icd(oracles.LABELS, embedding_size=32, attention_dim=10)
    head_of(frozen).set_weights(head_of(model).get_weights())
    given = {"states": oracles.states_of(model, x), "attention_mask": x["attention_mask"]}
    assert sorted(frozen.input) == sorted(given)
    np.testing.assert_allclose(
        oracles.probabilities(frozen, given), oracles.probabilities(model, x), atol=1e-6
    )
    weights = [attention_model(part)(of)["code_attention"] for part, of in ((frozen, given), (model, x))]
    np.testing.assert_allclose(*map(np.asarray, weights), atol=1e-6)


def test_what_does_not_fit_is_refused(miniature_encoder):
    encoder = TransformerEncoder(miniature_encoder, max_length=16, return_sequence=True)
    for options, message in [
        ({}, "exactly one of encoder and embedding_size"),
        ({"encoder": encoder, "embedding_size": 32}, "exactly one of encoder and embedding_size"),
        ({"embedding_size": 0}, "embedding_size must be at least 1"),
        ({"encoder": TransformerEncoder(miniature_encoder, max_length=16)}, "return_sequence=True"),
    ]:
        with pytest.raises(InputError, match=message):
            plm_icd_body(**options)
