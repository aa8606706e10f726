"""Fixtures of the losses' tests."""

import keras
import pytest

import icd_relevancy
from icd_relevancy.relevance.matching import GraphInUse


@pytest.fixture
def no_default():
    """Forgets the default graph and that the warning was given."""
    before = GraphInUse._warned
    GraphInUse._warned = False
    icd_relevancy.set_relevance(None)
    yield
    icd_relevancy.set_relevance(None)
    GraphInUse._warned = before


@pytest.fixture(autouse=True)
def float32_policy():
    yield
    keras.config.set_dtype_policy("float32")
