import numpy as np
import pytest

from icd_relevancy.explain import attention_explanation
from icd_relevancy.explain.words import merge_pieces, word_spans
from icd_relevancy.layers import TransformerEncoder

TEXT = "No pneumonia."
SPANS = [(0, 0), (0, 2), (3, 9), (9, 12), (12, 13), (0, 0), (0, 0)]
LABELS = ["J18.9", "R05.9"]


def words(text):
    return [text[start:stop] for start, stop in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("... -- !?", []),
        ("No cough,fever; (dyspnea).", ["No", "cough", "fever", "dyspnea"]),
        ("s/p X-ray q.4h. at 10:30, 1,200 mL", ["s/p", "X-ray", "q.4h", "at", "10:30", "1,200", "mL"]),
        ("T 38.5°C; HIV+, 50%", ["T", "38.5°C", "HIV+", "50%"]),
        ("'cough' — patient's", ["cough", "patient's"]),
        ("<b>cough</b>", ["b", "cough", "b"]),
        # A letter and the accent that combines with it, and an emoji of four code points, are one word each.
        ("fe\u0301brile 👩‍⚕️ naïve", ["fe\u0301brile", "👩‍⚕️", "naïve"]),
        ("发热，咳嗽。", ["发热", "咳嗽"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_pieces_are_merged_to_words():
    text = "Atelectasis, no pneumo-thorax."
    pieces = [(0, 0), (0, 4), (4, 8), (8, 11), (11, 12), (13, 15), (16, 22), (22, 23), (23, 29), (29, 30)]
    spans, of_piece = merge_pieces(text, pieces)
    assert [text[start:stop] for start, stop in spans] == ["Atelectasis", ",", "no", "pneumo-thorax", "."]
    assert of_piece.tolist() == [-1, 0, 0, 0, 1, 2, 3, 3, 3, 4]


@pytest.mark.parametrize(
    ("text", "pieces", "spans", "numbers"),
    [
        # A byte-level tokenizer counts the blank before a word to the word; pieces may come in any order.
        ("a cough", [(1, 7), (0, 1), (1, 2)], [(0, 1), (2, 7)], [1, 0, -1]),
        # A piece over several words makes them one.
        ("on 12 March 2020 seen", [(0, 2), (3, 16), (17, 21)], [(0, 2), (3, 16), (17, 21)], [0, 1, 2]),
        # Words without a piece are left out.
        ("one two three", [(8, 13)], [(8, 13)], [0]),
    ],
)
def test_pieces_and_words_need_not_agree(text, pieces, spans, numbers):
    found, of_piece = merge_pieces(text, pieces)
    assert (found, of_piece.tolist()) == (spans, numbers)


@pytest.mark.parametrize("piece", [(-1, 2), (0, 99), (3, 2)])
def test_pieces_outside_the_text_are_refused(piece):
    with pytest.raises(ValueError, match="span of the text's 5 characters"):
        merge_pieces("cough", [piece])


def test_pieces_add_up_to_words_and_special_tokens_are_dropped():
    weights = [[0.4, 0.1, 0.2, 0.2, 0.1, 0.0, 0.0], [0.9, 0.02, 0.03, 0.03, 0.02, 0, 0]]
    explanation = attention_explanation(weights, SPANS, TEXT, [0.2, 0.9], LABELS, ["Pneumonia", "Cough"])
    assert [(code.code, code.title, code.assigned) for code in explanation.codes] == [
        ("R05.9", "Cough", True), ("J18.9", "Pneumonia", False),
    ]  # fmt: skip
    for code, share in zip(explanation.codes, ([0.2, 0.6, 0.2], [1 / 6, 4 / 6, 1 / 6]), strict=True):
        assert [word[:2] for word in code.words] == [(0, 2), (3, 12), (12, 13)]
        np.testing.assert_allclose([weight for *_, weight in code.words], share)
        assert code.fidelity is code.category is None
    assert (explanation.method, explanation.read_until) == ("attention", 13)


def test_words_of_a_prepared_text_are_marked_in_the_original():
    original = "Pt has COPD."
    prepared = "pt has NOT_ chronic pulmonary disease"
    places = {"pt": (0, 2), "has": (3, 6), "NOT_": (7, 7), "chronic": (7, 11), "pulmonary": (7, 11),
              "disease": (7, 11)}  # fmt: skip
    spans = [(prepared.index(word), prepared.index(word) + len(word)) for word in places]

    def original_span(start, stop):
        return places[prepared[start:stop]]

    explanation = attention_explanation(
        [[1, 2, 4, 1, 1, 3]], spans, original, [0.9], ["J44.9"], original_span=original_span
    )
    assert explanation.codes[0].words == ((0, 2, 0.125), (3, 6, 0.25), (7, 11, 0.625))


def test_both_levels_of_hierarchical_attention():
    weights, of_category = np.zeros((2, 7)), np.zeros((2, 7))
    weights[:, 1], of_category[0, 2], of_category[1, 1:3] = 1, 1, 1
    explanation = attention_explanation(
        weights, SPANS, TEXT, [0.9, 0.8], LABELS,
        category_weights=of_category, categories=["J18 Pneumonia", "R05 Cough"],
    )  # fmt: skip
    pneumonia, cough = explanation.codes
    assert pneumonia.words == cough.words == ((0, 2, 1.0),)
    assert (pneumonia.category.name, pneumonia.category.words) == ("J18 Pneumonia", ((3, 12, 1.0),))
    assert (cough.category.name, cough.category.words) == ("R05 Cough", ((0, 2, 0.5), (3, 12, 0.5)))


def test_a_note_cut_by_the_tokenizer_says_how_far_it_is_read():
    explanation = attention_explanation([[1.0, 1.0]], [(0, 2), (3, 9)], TEXT, [0.9], ["J18.9"])
    # The word is marked whole, though its second half was cut.
    assert (explanation.codes[0].words, explanation.read_until) == (((0, 2, 0.5), (3, 12, 0.5)), 12)


@pytest.mark.parametrize(
    ("weights", "spans", "text", "read_until"),
    [
        ([[0.5, 0.5]], [(0, 0), (0, 0)], "", 0),
        ([[0.5, 0.5]], [(0, 0), (0, 0)], "  ", 0),
        ([[1.0, 0, 0, 0, 0, 0, 0]], SPANS, TEXT, 13),
    ],
)
def test_attention_on_special_tokens_alone_marks_nothing(weights, spans, text, read_until):
    explanation = attention_explanation(weights, spans, text, [0.9], ["J18.9"])
    assert (explanation.codes[0].words, explanation.read_until) == ((), read_until)


def test_the_offsets_of_a_fast_tokenizer(miniature_encoder):
    """Weights that are equal a piece come out as each word's number of pieces, accents and emoji included."""
    tokenizer = TransformerEncoder(str(miniature_encoder), max_length=64)._tokenizer
    text = "Patient presents with cough, fe\u0301ver & 😷 x-ray."
    encoded = tokenizer(text, return_offsets_mapping=True)
    spans, tokens = encoded["offset_mapping"], encoded.tokens()
    assert {"[CLS]", "patient", "fever", "x", "[SEP]"} <= set(tokens)
    (code,) = attention_explanation(np.ones((1, len(spans))), spans, text, [0.9], ["R05.9"]).codes
    shares = {text[start:stop]: weight for start, stop, weight in code.words}
    assert list(shares) == [
        "Patient", "presents", "with", "cough", ",", "fe\u0301ver", "&", "😷", "x-ray", ".",
    ]  # fmt: skip
    pieces = len(tokens) - 2
    assert shares["cough"] == pytest.approx(1 / pieces)
    assert shares["x-ray"] == pytest.approx(5 / pieces)
    # Without its accent a word of the vocabulary.
    assert shares["fe\u0301ver"] == pytest.approx(1 / pieces)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("weights", [[[0.1] * 6], [[-0.1] * 7], [[np.nan] * 7], [[0.1] * 7] * 2])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"`weights` must be finite and 0 or more, of shape \(1, 7\)"):
        attention_explanation(weights, SPANS, TEXT, [0.9], ["J18.9"])


def test_categories_need_names():
    with pytest.raises(ValueError, match="`categories` must name"):
        attention_explanation([[0.1] * 7], SPANS, TEXT, [0.9], ["J18.9"], category_weights=[[0.1] * 7])
