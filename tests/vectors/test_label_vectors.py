import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.code_vectors import label_vectors

PARENTS = {"R": None, "R05": "R", "R05.9": "R05", "R50": "R", "R50.9": "R50"}
SYSTEM = CodeSystem("toy", tuple(PARENTS), dict.fromkeys(PARENTS, ""), PARENTS)
VECTORS = CodeVectors(["R05", "R05.9"], [[1, 0], [0, 1]], {"recipe": "by hand"})


def test_own_vector_then_the_nearest_ancestors():
    found = label_vectors(["R05.1", "R05.9", "R05"], VECTORS, SYSTEM)
    assert found.codes == ("R05.1", "R05.9", "R05")
    np.testing.assert_array_equal(found.vectors, [[1, 0], [0, 1], [1, 0]])
    assert found.meta == {"recipe": "by hand"}


def test_a_label_that_only_the_vectors_know():
    extra = CodeVectors(["LOCAL"], [[1.0]])
    np.testing.assert_array_equal(label_vectors(["LOCAL"], extra, SYSTEM).vectors, [[1]])


@pytest.mark.parametrize("label", ["R50.9", "Q00"])
def test_a_label_without_a_vector_is_named(label):
    with pytest.raises(InputError, match=f"label '{label}' has no vector"):
        label_vectors(["R05", label], VECTORS, SYSTEM)


def test_all_labels_without_a_vector_are_named_at_once():
    """They were named one a run."""
    labels = ["R05", "Miller", *[f"Q{number}" for number in range(10, 40)]]
    with pytest.raises(
        InputError, match=r"31 labels have no vector, .* toy: \(not shown: it is no code\), 'Q10', .*"
    ) as told:
        label_vectors(labels, VECTORS, SYSTEM)
    assert str(told.value).endswith(
        "'Q28' and 11 more; correct the codes, choose their code system, or leave out the labels"
    )
    with pytest.raises(InputError, match="2 codes have no vector: 'Q10', 'Q11'; normalise them"):
        VECTORS.select(["Q10", "R05", "Q11"])


def test_no_labels():
    with pytest.raises(InputError, match="no labels"):
        label_vectors([], VECTORS, SYSTEM)


def test_a_saved_zero_vector_is_refused_by_its_code(tmp_path):
    VECTORS.save(tmp_path / "mine")
    np.save(tmp_path / "mine" / "vectors.npy", np.array([[1, 0], [0, 0]], np.float32))
    with pytest.raises(InputError, match=r"mine: the vector of code 'R05.9' is all zeros"):
        CodeVectors.load(tmp_path / "mine")


def test_a_saved_nan_is_refused_by_its_code(tmp_path):
    VECTORS.save(tmp_path / "mine")
    np.save(tmp_path / "mine" / "vectors.npy", np.array([[1, 0], [np.nan, 0]], np.float32))
    with pytest.raises(InputError, match=r"mine: .*code 'R05.9' holds NaN"):
        CodeVectors.load(tmp_path / "mine")
