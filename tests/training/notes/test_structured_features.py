"""Age, sex and specialty as columns, fitted on the training notes alone."""

import json

import numpy as np
import pytest

from icd_relevancy import InputError, Notes
from icd_relevancy.training import StructuredFeatures


def notes(**columns):
    count = len(next(iter(columns.values()), (1,)))
    return Notes(tuple(map(str, range(count))), ("Cough.",) * count, ((),) * count, **columns)


TRAINING = {
    "age": (20.0, 40.0, None, 60.0),
    "sex": ("female", "male", None, "unknown"),
    "specialty": ("Dental", None, "Cardiology", "Dental"),
}


def test_training_notes_by_hand():
    """Mean 40, deviation √(800/3)."""
    structured = StructuredFeatures.fit(notes(**TRAINING))
    assert structured.specialties == ("Cardiology", "Dental")
    assert structured.mean_age == 40
    assert structured.age_deviation == pytest.approx((800 / 3) ** 0.5)
    z = 20 / (800 / 3) ** 0.5
    expected = [
        [-z, 0, 1, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 1, 1, 0, 0],
        [z, 0, 0, 0, 0, 1, 0, 1, 0],
    ]
    found = structured.transform(notes(**TRAINING))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len(structured.names) == found.shape[1]
    assert structured.names[6:] == ("specialty_Cardiology", "specialty_Dental", "specialty_unknown")


def test_other_notes_are_scaled_by_the_training_notes():
    structured = StructuredFeatures.fit(notes(**TRAINING))
    new = structured.transform(notes(age=(90.0,), sex=("other",), specialty=("Oncology",)))
    z = 50 / (800 / 3) ** 0.5
    np.testing.assert_allclose(new, [[z, 0, 0, 0, 1, 0, 0, 0, 1]], atol=1e-5)


def test_every_categorical_feature_has_exactly_one_value():
    structured = StructuredFeatures.fit(notes(**TRAINING))
    found = structured.transform(notes(**TRAINING))
    (flag, _), sex, specialty = structured.categorical
    assert structured.names[flag] == "age_unknown"
    for start, stop in (sex, specialty):
        np.testing.assert_array_equal(found[:, start:stop].sum(axis=1), 1)
    assert (sex[1], specialty) == (6, (6, found.shape[1]))


def test_notes_that_say_nothing_but_text():
    structured = StructuredFeatures.fit(notes())
    assert structured == StructuredFeatures(0.0, 1.0, ())
    assert structured.transform(notes()).tolist() == [[0, 1, 0, 0, 0, 1, 1]]
    full = StructuredFeatures.fit(notes(**TRAINING))
    assert full.transform(notes()).tolist() == [[0, 1, 0, 0, 0, 1, 0, 0, 1]]


def test_one_age_alone_is_not_scaled():
    structured = StructuredFeatures.fit(notes(age=(30.0, 30.0)))
    assert structured.transform(notes(age=(30.0, 31.0)))[:, 0].tolist() == [0, 1]


def test_it_survives_json():
    structured = StructuredFeatures.fit(notes(**TRAINING))
    again = StructuredFeatures.from_dict(json.loads(json.dumps(structured.to_dict())))
    assert again == structured
    np.testing.assert_array_equal(again.transform(notes(**TRAINING)), structured.transform(notes(**TRAINING)))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"mean_age": 1.0}, "need .*'specialties'.*Received: .'mean_age'."),
        ({"mean_age": 1.0, "age_deviation": 0.0, "specialties": []}, "the deviation above 0"),
        ({"mean_age": float("nan"), "age_deviation": 1.0, "specialties": []}, "must be finite"),
        ({"mean_age": 1.0, "age_deviation": 1.0, "specialties": ["a", "a"]}, "more than once"),
        ({"mean_age": 1.0, "age_deviation": 1.0, "specialties": [], "height": 2}, "'height'"),
    ],
)
def test_what_is_no_description_is_refused(told, message):
    with pytest.raises(InputError, match=message):
        StructuredFeatures.from_dict(told)
