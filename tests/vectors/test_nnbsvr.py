import numpy as np
import pytest

from icd_relevancy.codes import code_knowledge, icd9cm, knowledge_from_table
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import nnbsvr_vectors
from icd_relevancy.vectors.features import knowledge_features


@pytest.fixture(scope="module")
def vectors():
    return nnbsvr_vectors("icd9cm", epochs=8)


def test_every_node_has_a_vector_of_29_dimensions(vectors):
    assert vectors.codes == icd9cm().codes
    assert vectors.vectors.shape[1] == 29
    assert vectors.meta["dimensions"] == 29
    assert 1 < vectors.meta["elbow"] < 128
    assert np.all(np.diff(vectors.meta["explained_variance"]) >= 0)


def test_cosines_follow_those_of_the_features(vectors):
    features, _ = knowledge_features(code_knowledge("icd9cm"))
    rows = np.random.default_rng(0).choice(len(vectors), 1500, replace=False)
    wanted = (features[rows] @ features[rows].T).toarray()
    units = vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)
    found = units[rows] @ units[rows].T
    assert np.sqrt(np.mean((found - wanted)[wanted > 0.5] ** 2)) < 0.12
    assert np.mean(found[wanted < 0.1] >= 0.76) < 1e-3


@pytest.mark.parametrize(("a", "b"), [("428.0", "428.9"), ("250.00", "250.02"), ("462", "464.00")])
def test_nearer_by_disease_than_to_a_stranger(vectors, a, b):
    assert vectors.similarity(a, b) > max(vectors.similarity(a, c) for c in ("717.0", "E849.0", "366.9"))


def test_a_category_has_one_length_however_its_codes_are_subdivided(vectors):
    length = dict(zip(vectors.codes, np.linalg.norm(vectors.vectors, axis=1), strict=True))
    assert length["428.0"] == pytest.approx(length["428.20"], rel=1e-5)


def test_lengths_tell_how_rare_chapter_and_block_are(vectors):
    length = dict(zip(vectors.codes, np.linalg.norm(vectors.vectors, axis=1), strict=True))
    assert length["390-459"] != length["280-289"]
    sizes = {
        chapter: sum(code in icd9cm().leaves for code in icd9cm().descendants(chapter))
        for chapter in ("280-289", "800-999")
    }
    assert (length["280-289"] > length["800-999"]) == (sizes["280-289"] < sizes["800-999"])


def test_the_elbow_is_taken_where_no_dimensions_are_given():
    elbow = nnbsvr_vectors("icd9cm", dimensions=None, epochs=0)
    assert elbow.vectors.shape[1] == elbow.meta["elbow"] == elbow.meta["dimensions"]


@pytest.fixture(scope="module")
def atc(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "atc.csv"
    path.write_text(
        "code,title,parent,oral\nA,Alimentary tract,,no\nA10,Drugs used in diabetes,A,no\n"
        "A10BA02,metformin,A10,yes\nA10BB09,gliclazide,A10,yes\nC,Cardiovascular system,,no\n"
        "C07,Beta blocking agents,C,no\nC07AB02,metoprolol,C07,yes\n"
    )
    return knowledge_from_table(path)


@pytest.mark.filterwarnings("ignore:7 dimensions are kept")
def test_selected_codes_of_a_table_of_ones_own_have_the_vectors_of_the_whole(atc):
    vectors = nnbsvr_vectors(atc, epochs=50)
    assert vectors.similarity("A10BA02", "A10BB09") > vectors.similarity("A10BA02", "C07AB02")
    some = nnbsvr_vectors(atc, codes=["C07AB02", "A10"], epochs=50)
    assert some.codes == ("C07AB02", "A10")
    np.testing.assert_allclose(some.vectors, vectors.select(some.codes).vectors, atol=1e-3)


def test_refusals():
    with pytest.raises(InputError, match=r"'999\.99' is not a code of icd9cm"):
        nnbsvr_vectors("icd9cm", codes=["999.99"])
    with pytest.raises(InputError, match="no knowledge of 'icd11'"):
        nnbsvr_vectors("icd11")
