"""The fixture of the layers' tests."""

import keras
import pytest


@pytest.fixture(autouse=True)
def float32_policy():
    yield
    keras.config.set_dtype_policy("float32")
