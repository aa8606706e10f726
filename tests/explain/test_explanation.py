import json

import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.explain import CategoryExplanation, CodeExplanation, Explanation
from icd_relevancy.explain.explanation import codes_to_explain

TEXT = "No cough. Fever."
CODES = (
    CodeExplanation(
        "R50.9",
        "Fever, unspecified",
        0.9,
        True,
        words=((3, 8, -0.2), (10, 15, 0.7)),
        fidelity=0.8,
        category=CategoryExplanation("R50", ((10, 15, 1.0),)),
    ),
    CodeExplanation("R05.9", "Cough, unspecified", 0.2, False),
)


def test_json_without_text_tells_nothing_of_the_note():
    explanation = Explanation("n1", TEXT, "lime", CODES, read_until=15)
    told = explanation.to_dict()
    assert json.loads(json.dumps(told)) == {
        "note_id": "n1",
        "method": "lime",
        "read_until": 15,
        "codes": [
            {
                "code": "R50.9", "title": "Fever, unspecified", "probability": 0.9, "assigned": True, "fidelity": 0.8,
                "words": [{"start": 3, "stop": 8, "weight": -0.2}, {"start": 10, "stop": 15, "weight": 0.7}],
                "category": {"name": "R50", "words": [{"start": 10, "stop": 15, "weight": 1.0}]},
            },
            {
                "code": "R05.9", "title": "Cough, unspecified", "probability": 0.2, "assigned": False,
                "fidelity": None, "words": [],
            },
        ],
    }  # fmt: skip


def test_json_with_text_has_the_words():
    told = Explanation("n1", TEXT, "lime", CODES).to_dict(with_text=True)
    assert (told["text"], told["read_until"]) == (TEXT, 16)
    assert [word["word"] for word in told["codes"][0]["words"]] == ["cough", "Fever"]
    assert told["codes"][0]["category"]["words"][0]["word"] == "Fever"


def test_neither_repr_nor_errors_quote_the_note():
    explanation = Explanation("n1", TEXT, "lime", CODES)
    assert repr(explanation) == "Explanation('lime', 2 codes)"
    assert "words" not in repr(CODES[0])
    with pytest.raises(ValueError, match="spans of the") as raised:
        Explanation("n1", TEXT, "lime", (CodeExplanation("R05", "", 0.1, False, words=((3, 99, 0.1),)),))
    assert "cough" not in str(raised.value)


def test_top_words_are_the_largest_of_either_sign():
    words = ((0, 2, 0.1), (3, 8, -0.4), (10, 15, 0.4), (15, 16, 0.2))
    code = CodeExplanation("R50.9", "", 0.9, True, words=words)
    assert code.top_words(3) == ((3, 8, -0.4), (10, 15, 0.4), (15, 16, 0.2))
    assert len(code.top_words()) == 4


@pytest.mark.parametrize(
    "words",
    [
        ((5, 3, 0.1),),
        ((3, 3, 0.1),),
        ((-1, 3, 0.1),),
        ((0, 4, 0.1), (3, 5, 0.1)),
        ((3, 5, 0.1), (0, 2, 0.1)),
        ((0, 2, float("nan")),),
        ((10, 16, 0.1),),
    ],
)
def test_bad_words_are_refused(words):
    with pytest.raises(ValueError, match=r"The words of code 'R50\.9'"):
        Explanation("", TEXT, "lime", (CodeExplanation("R50.9", "", 0.9, True, words=words),), read_until=15)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`method` must be one of"):
        Explanation("", TEXT, "shap", ())
    with pytest.raises(ValueError, match="`read_until` must be from 0 to the text's 16"):
        Explanation("", TEXT, "lime", (), read_until=17)
    with pytest.raises(InputError, match="top_k must be at least 1"):
        codes_to_explain([0.5], ["R05"], None, 0.5, 0)
    with pytest.raises(ValueError, match="Each of the 2 labels"):
        codes_to_explain([0.5], ["R05", "I10"], None, 0.5, 1)


def test_all_assigned_codes_are_explained_and_at_least_the_most_probable():
    labels, probabilities = ["A", "B", "C", "D"], [0.6, 0.1, 0.9, 0.3]
    for top_k, expected in ((1, "CA"), (2, "CA"), (3, "CAD"), (9, "CADB")):
        chosen = codes_to_explain(probabilities, labels, None, 0.5, top_k)
        assert "".join(code.code for _, code in chosen) == expected
        assert [labels[at] for at, _ in chosen] == list(expected)
        assert [code.assigned for _, code in chosen] == [code in "CA" for code in expected]
