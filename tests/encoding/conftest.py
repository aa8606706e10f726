"""The miniature encoder for the tests of this folder."""

import pytest

from tests.encoding.miniature_encoder import write_encoder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder") / "miniature")
