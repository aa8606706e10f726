import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import recipes
from icd_relevancy.vectors.recipes import hierarchy_only_vectors


@pytest.fixture(scope="module")
def toy():
    parents = {"I": None, "A-B": "I", "A0": "A-B", "A0.1": "A0", "A0.9": "A0", "B2": "A-B", "C-D": "I"}
    return CodeSystem("toy", tuple(parents), dict.fromkeys(parents, ""), parents, category_level=2)


def test_hand_worked_characters(toy):
    # Characters: first A B C; second "" 0 2; third "" 1 9. The group C-D has no codes and is read as C.
    scaled = {"A0": [0, 0.5, 0], "A0.1": [0, 0.5, 0.5], "A0.9": [0, 0.5, 1], "B2": [0.5, 1, 0]}
    mean = np.mean([*scaled.values(), [1, 0, 0]], axis=0)
    below = np.mean(list(scaled.values()), axis=0)
    expected = {**scaled, "A-B": below, "C-D": [1, 0, 0], "I": np.mean([*scaled.values(), [1, 0, 0]], axis=0)}
    vectors = hierarchy_only_vectors(toy)
    for code in toy.codes[1:]:
        row = vectors.vectors[vectors.codes.index(code)]
        np.testing.assert_allclose(row, expected[code] - mean, atol=1e-6, err_msg=code)
    # The chapter is the mean of all codes, so it is moved off the centre.
    np.testing.assert_allclose(vectors.vectors[0], [recipes.NUDGE, 0, 0], atol=1e-6)


def test_positions_are_a_choice(toy):
    assert hierarchy_only_vectors(toy, positions=2).vectors.shape == (7, 2)
    assert hierarchy_only_vectors(icd10cm(), positions=5).meta["positions"] == 5
    with pytest.raises(InputError, match="positions must be at least 1"):
        hierarchy_only_vectors(toy, positions=0)


@pytest.mark.parametrize(("system", "positions"), [(icd9cm, 5), (icd10cm, 7)])
def test_real_systems(system, positions):
    vectors = hierarchy_only_vectors(system())
    assert vectors.vectors.shape == (len(system()), positions)
    assert np.linalg.norm(vectors.vectors, axis=1).min() >= recipes.NUDGE
    at_codes = [system().level(code) >= system().category_level for code in system().codes]
    assert np.ptp(vectors.vectors[at_codes], axis=0) == pytest.approx(1)


def test_codes_written_alike_are_near():
    vectors = hierarchy_only_vectors(icd10cm(), codes=["J18.9", "J18.8", "J18", "B37.81", "T81.40XA"])
    assert vectors.codes == ("J18.9", "J18.8", "J18", "B37.81", "T81.40XA")
    assert vectors.most_similar("J18.9", k=1)[0][0] == "J18.8"
    assert vectors.similarity("J18.9", "T81.40XA") < 0 < vectors.similarity("J18.9", "J18")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_no_code_is_left_without_direction(count):
    codes = tuple("12345"[:count])
    table = hierarchy_only_vectors(CodeSystem("flat", codes, dict.fromkeys(codes, ""), dict.fromkeys(codes)))
    assert np.abs(table.vectors).max(axis=1).min() > 0


def test_refused_codes(toy):
    with pytest.raises(InputError, match="'Z9' is not a code of toy"):
        hierarchy_only_vectors(toy, codes=["A0", "Z9"])
    with pytest.raises(InputError, match="'A0' is listed twice"):
        hierarchy_only_vectors(toy, codes=["A0", "A0"])
