import numpy as np
import pytest
from small_system import small_system

from experiments import vector_sets
from experiments.vector_sets import ONE_HOT, VECTOR_SETS, one_hot_vectors, vector_set, vectors_fingerprint
from icd_relevancy.errors import InputError
from icd_relevancy.relevance import RelevanceGraph
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.recipes import hierarchy_only_vectors


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_set_is_built_once(own_cache, monkeypatch):
    system = small_system()
    first = vector_set("Hierarchy only", system)
    np.testing.assert_array_equal(first.vectors, hierarchy_only_vectors(system).vectors)
    assert [path.name[:15] for path in (own_cache / "vectors").iterdir()] == ["hierarchy-only-"]
    monkeypatch.setattr(vector_sets.recipes, "hierarchy_only_vectors", lambda system: 1 / 0)
    np.testing.assert_array_equal(vector_set("Hierarchy only", system).vectors, first.vectors)


def test_another_recipe_is_another_set(own_cache, monkeypatch):
    system = small_system()
    vector_set("TF-IDF titles", system)
    _, build = VECTOR_SETS["TF-IDF titles"]
    monkeypatch.setitem(VECTOR_SETS, "TF-IDF titles", ("another recipe", build))
    vector_set("TF-IDF titles", system)
    assert len(list((own_cache / "vectors").iterdir())) == 2


def test_icd2vec_is_of_the_codes_and_the_encoder(own_cache, miniature_encoder):
    system = small_system()
    few = vector_set("ICD2Vec", system, ["J18.9", "I10"], str(miniature_encoder), 32)
    assert few.codes == ("J18.9", "I10")
    assert few.meta["encoder"] == str(miniature_encoder)
    other = vector_set("ICD2Vec", system, ["J18.9"], str(miniature_encoder), 32)
    assert other.codes == ("J18.9",)
    np.testing.assert_allclose(other.vectors[0], few.vectors[0], rtol=1e-5)


def test_the_packaged_vectors_are_those_of_nnbsvr(in_miniature):
    from icd_relevancy.codes import icd10cm

    packaged = CodeVectors.load("icd10cm")
    assert vectors_fingerprint(vector_set("NNBSVR", icd10cm())) == vectors_fingerprint(packaged)


def test_one_hot_matches_only_itself(own_cache):
    vectors = vector_set(ONE_HOT, small_system(), ["J18.9", "J18.8"])
    assert (vectors.similarity("J18.9", "J18.8"), vectors.similarity("J18.9", "J18.9")) == (0, 1)


def test_one_hot_matches_as_identity():
    codes = ["J18.9", "I10", "E11.9"]
    vectors = one_hot_vectors(codes)
    assert [vectors.similarity("I10", code) for code in codes] == [0, 1, 0]
    graph = RelevanceGraph.from_vectors(vectors, threshold=0.01)
    assert graph.is_identity
    assert graph.codes == RelevanceGraph.identity(codes).codes
    assert vectors.meta["recipe"] == "one-hot-1"


def test_refused_one_hot_codes(monkeypatch):
    with pytest.raises(InputError, match="'A0' is listed twice"):
        one_hot_vectors(["A0"] * 2)
    monkeypatch.setattr(vector_sets, "MOST_ONE_HOT", 2)
    with pytest.raises(InputError, match=r"RelevanceGraph\.identity"):
        one_hot_vectors(["a", "b", "c"])


def test_an_unknown_name_is_told(own_cache):
    with pytest.raises(InputError, match="no code vectors named 'ICD3Vec'; there are NNBSVR, "):
        vector_set("ICD3Vec", small_system())


def test_fingerprints_tell_codes_and_values_apart():
    one = CodeVectors(["A", "B"], [[1.0, 2.0], [3.0, 4.0]])
    for other in (
        CodeVectors(["A", "C"], one.vectors),
        CodeVectors(["A", "B"], [[1.0, 2.0], [3.0, 5.0]]),
        CodeVectors(["A", "B"], np.c_[one.vectors, [0, 0]]),
    ):
        assert vectors_fingerprint(other) != vectors_fingerprint(one)
    assert vectors_fingerprint(CodeVectors(["A", "B"], one.vectors)) == vectors_fingerprint(one)
