import pytest

from icd_relevancy.explain.words import merge_pieces, word_spans


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


def test_pieces_may_come_in_any_order_and_with_blanks():
    # A byte-level tokenizer counts the blank before a word to the word.
    spans, of_piece = merge_pieces("a cough", [(1, 7), (0, 1), (1, 2)])
    assert (spans, of_piece.tolist()) == ([(0, 1), (2, 7)], [1, 0, -1])


def test_a_piece_over_several_words_makes_them_one():
    spans, of_piece = merge_pieces("on 12 March 2020 seen", [(0, 2), (3, 16), (17, 21)])
    assert (spans, of_piece.tolist()) == ([(0, 2), (3, 16), (17, 21)], [0, 1, 2])


def test_words_without_a_piece_are_left_out():
    spans, of_piece = merge_pieces("one two three", [(8, 13)])
    assert (spans, of_piece.tolist()) == ([(8, 13)], [0])


@pytest.mark.parametrize("piece", [(-1, 2), (0, 99), (3, 2)])
def test_pieces_outside_the_text_are_refused(piece):
    with pytest.raises(ValueError, match="span of the text's 5 characters"):
        merge_pieces("cough", [piece])
