import subprocess
import sys

import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem
from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.encoding.pretrained import encoder_hash
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.vectors.recipes import code_text, icd2vec_vectors


@pytest.fixture(scope="module")
def toy():
    titles = {
        "10": "Respiratory (J00-J99)",
        "J18": "Pneumonia",
        "J18.9": "pneumonia with fever",
        "J45": "asthma",
        "J45.9": "asthma",
    }
    parents = {"10": None, "J18": "10", "J18.9": "J18", "J45": "10", "J45.9": "J45"}
    terms = {"J18": ("consolidation", "Pneumonia", "cough (with fever)")}
    notes = {"J18": ("fever",), "10": ("diseases of the lung (J40-J70)",)}
    return CodeSystem("toy", tuple(titles), titles, parents, terms, notes, category_level=1)


def test_text_of_a_code(toy):
    assert code_text(toy, "J18") == "Pneumonia; consolidation; cough (with fever); fever"
    assert code_text(toy, "10") == "Respiratory; diseases of the lung"
    assert code_text(toy, "J45") == "asthma"
    with pytest.raises(InputError, match="'J99' is not a code of toy"):
        code_text(toy, "J99")


def test_vectors_are_the_embeddings_of_the_texts(toy, miniature_encoder, tmp_path):
    vectors = icd2vec_vectors(toy, encoder=miniature_encoder, cache=tmp_path, max_length=32, progress=False)
    assert vectors.codes == toy.codes
    texts = [code_text(toy, code) for code in toy.codes]
    alone = embed(texts, miniature_encoder, 32, progress=False)
    np.testing.assert_allclose(vectors.vectors, alone, atol=1e-6)
    assert vectors.similarity("J45", "J45.9") == pytest.approx(1)
    assert vectors.similarity("J18", "J45") < 0.99
    assert vectors.meta == {
        "recipe": "icd2vec-1",
        "code_system": "toy",
        "encoder": str(miniature_encoder),
        "encoder_hash": encoder_hash(miniature_encoder),
        "pooling": "mean",
        "max_length": 32,
    }
    assert list(tmp_path.rglob("*.npz"))


def test_an_encoder_keeps_its_own_settings(toy, miniature_encoder):
    encoder = TransformerEncoder(miniature_encoder, pooling="cls", max_length=8)
    vectors = icd2vec_vectors(toy, codes=["J45", "J18"], encoder=encoder, progress=False)
    assert vectors.codes == ("J45", "J18")
    expected = embed(["asthma", code_text(toy, "J18")], encoder, progress=False)
    np.testing.assert_allclose(vectors.vectors, expected, atol=1e-6)
    assert (vectors.meta["pooling"], vectors.meta["max_length"]) == ("cls", 8)
    assert vectors.meta["encoder_hash"] == encoder.fingerprint()


def test_codes_are_checked_before_the_encoder_is_looked_for(toy):
    with pytest.raises(InputError, match="'J99' is not a code of toy"):
        icd2vec_vectors(toy, codes=["J99"], encoder="/no/such/folder")
    with pytest.raises(InputError, match="'J18' is listed twice"):
        icd2vec_vectors(toy, codes=["J18", "J18"], encoder="/no/such/folder")
    with pytest.raises(InputError, match="no such encoder folder"):
        icd2vec_vectors(toy, encoder="/no/such/folder")


def test_the_module_imports_no_tensorflow():
    code = "import sys, icd_relevancy.vectors.recipes; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
