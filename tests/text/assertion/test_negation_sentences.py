"""Precision and recall of negation on hand-written sentences."""

import pytest
from conftest import REPOSITORY

from experiments.hmhan.negation import agreement, read_sentences, sentence_table
from icd_relevancy.codes import icd9cm
from icd_relevancy.errors import InputError
from icd_relevancy.text import AlignedText, TextPreparation

FILE = REPOSITORY / "tests" / "text" / "assertion" / "negation_sentences.tsv"
HEAD = "part\tsentence\tnegated\taffirmed\n"


@pytest.fixture(scope="module")
def table():
    return sentence_table(read_sentences(FILE), icd9cm()).set_index(["negation", "part"])


PARTS = ("held-out", "development", "blind", "charts", "charts-blind")


def test_the_file():
    sentences = read_sentences(FILE)
    assert len(sentences) >= 600
    assert len({sentence.text for sentence in sentences}) == len(sentences)
    assert tuple(dict.fromkeys(sentence.part for sentence in sentences)) == PARTS
    for part, least in zip(PARTS, (65, 300, 49, 120, 49), strict=True):
        assert sum(sentence.part == part for sentence in sentences) >= least


@pytest.mark.parametrize("part", PARTS)
def test_precision_and_recall(table, part):
    measured = table.loc[("terms given", part)]
    assert measured["precision"] >= 0.95
    assert measured["recall"] >= 0.95


@pytest.mark.parametrize("part", PARTS)
def test_better_than_negspacy_as_it_comes(table, part):
    alone = table.loc[("terms given, negspacy as it comes", part), "f1"]
    assert table.loc[("terms given", part), "f1"] > alone + 0.05


def test_agreement_by_hand(tmp_path):
    """Two of three negated terms found, one of two affirmed terms marked: 2 of 3 and 2 of 3."""
    path = tmp_path / "sentences.tsv"
    path.write_text(
        HEAD + "a\tNo renal mass or fever, no cough.\trenal mass;fever;cough\t\n"
        "a\tedema and not edema today\t\tedema;edema#2\n",
        encoding="utf-8",
    )
    sentences = read_sentences(path)
    assert sentences[1].affirmed == ((0, 5), (14, 19))
    prepared = [
        AlignedText.of(sentences[0].text).edit([(3, 3, "NOT_"), (9, 9, "NOT_"), (17, 17, "NOT_")]),
        AlignedText.of(sentences[1].text).edit([(14, 14, "NOT_")]),
    ]
    assert agreement(sentences, prepared) == {
        "sentences": 2, "negated": 3, "affirmed": 2, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3,
    }  # fmt: skip
    # A term with a word that is not marked is not found.
    prepared[0] = AlignedText.of(sentences[0].text).edit([(9, 9, "NOT_")])
    assert agreement(sentences, prepared)["recall"] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sentence\tnegated\n", "the columns must be part, sentence, negated, affirmed"),
        (HEAD + "a\tNo fever\tcough\t\n", "row 1: the sentence has no term 'cough'"),
        (HEAD + "a\tNo fever\tfever#2\t\n", "row 1: the sentence has no term 'fever', or not so often"),
        (HEAD + "a\tNo fever\n", "row 1 has not four columns"),
    ],
)
def test_bad_sentences(tmp_path, content, message):
    path = tmp_path / "sentences.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"sentences\.tsv") as error:
        read_sentences(path)
    assert message in str(error.value)


def test_no_sentences(tmp_path):
    with pytest.raises(InputError, match="no such file of sentences"):
        read_sentences(tmp_path / "absent.tsv")


def test_every_mark_is_on_the_original(table):
    """The marked words of every sentence are words of the sentence."""
    sentences = read_sentences(FILE)
    terms = tuple(set().union(*(sentence.terms() for sentence in sentences)))
    for sentence, text in zip(
        sentences, TextPreparation(terms=terms).prepare([s.text for s in sentences]), strict=True
    ):
        for start, stop in text.word_spans:
            if text.text[start:stop].startswith("NOT_"):
                word = sentence.text[slice(*text.original_span(start, stop))]
                assert word.lower().strip(".,;:") == text.text[start + 4 : stop]
