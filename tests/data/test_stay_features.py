"""`encode_drugs`."""

import numpy as np
import pytest

from icd_relevancy.data import Stays, encode_drugs
from icd_relevancy.errors import InputError


def stays(drugs, **columns) -> Stays:
    return Stays(tuple(map(str, range(len(drugs)))), drugs, ((),) * len(drugs), **columns)


def test_age_stays_a_number():
    features = encode_drugs(stays(((),) * 5, age=(0.0, 44.5, 89.0, 120.0, None)))
    assert features.names == ("age", "age_missing", "female", "male")
    assert features.matrix.dtype == np.float32
    assert features.matrix[:, 0].toarray().ravel().tolist() == [0, 0.5, 1, 1, 0]
    assert features.matrix[:, 1].toarray().ravel().tolist() == [0, 0, 0, 0, 1]


def test_sex():
    features = encode_drugs(stays(((),) * 5, sex=("female", "male", "other", "unknown", None)))
    assert features.matrix[:, 2:4].toarray().tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0]]


def test_drugs_as_indicators():
    table = stays((("b", "a", "b"), (), ("b",)))
    features = encode_drugs(table)
    assert features.ingredients == ("a", "b")
    assert features.names[4:] == ("a", "b")
    assert features.matrix.toarray()[:, 4:].tolist() == [[1, 1], [0, 0], [0, 1]]
    # Neither age nor sex is known.
    assert features.matrix.toarray()[:, :4].tolist() == [[0, 1, 0, 0]] * 3
    assert features.unknown_drugs == ()
    rare = encode_drugs(table, min_count=2)
    assert rare.ingredients == ("b",)
    assert rare.unknown_drugs == (("a", 1),)


def test_new_stays_on_the_columns_of_old_ones():
    old = encode_drugs(stays((("a", "b"), ("c",))))
    new = encode_drugs(stays((("x", "b", "x"), ("x", "y"), ("c",))), ingredients=old.ingredients)
    assert new.names == old.names
    assert new.matrix.toarray()[:, 4:].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert new.unknown_drugs == (("x", 2), ("y", 1))
    assert repr(new) == "StayFeatures(3 stays, 7 columns, 2 unknown drugs)"


def test_no_stays_and_a_repeated_ingredient():
    assert encode_drugs(stays(()), ingredients=("a",)).matrix.shape == (0, 5)
    with pytest.raises(InputError, match="'a' occurs more than once"):
        encode_drugs(stays(((),)), ingredients=("a", "a"))
