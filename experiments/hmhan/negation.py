"""HMHAN §III.B: whether the terms that are marked as negated are those that a reader calls negated."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.fingerprints import digest_of
from experiments.harness import Task, data_folder, library_versions, show
from icd_relevancy.codes import CodeSystem, code_system, icd9cm
from icd_relevancy.data import Notes, read_cmc2007
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import markdown_table, write_table
from icd_relevancy.text import AlignedText, TextPreparation
from icd_relevancy.text.assertion.terms import finding_words, title_terms
from icd_relevancy.text.words import NEGATED

_COLUMNS = ["part", "sentence", "negated", "affirmed"]


@dataclass(frozen=True)
class SentencesConfig:
    """What is read; `negation.yaml` documents and sets the values."""

    sentences: str
    code_system: str
    reports: int
    min_notes: int
    seed: int


class SentencesTask(Task):
    """Sentences with what a reader calls negated in them, and how many reports were read beside."""

    kind, settings = SentencesConfig, ()
    name, data, reports = "sentences", "sentences", 0

    @cached_property
    def sentences(self) -> list["Sentence"]:
        """The sentences."""
        return read_sentences(self.config.sentences)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that the results depend on."""
        return digest_of(
            json.dumps([asdict(self.config), list(map(asdict, self.sentences)), self.versions()])
        )

    def sizes(self) -> dict:
        """What was read."""
        return {"read": {"sentences": len(self.sentences), "reports": self.reports}}

    def versions(self) -> dict[str, str]:
        """The versions that the results depend on."""
        return library_versions("negspacy", "spacy")


@dataclass(frozen=True)
class Sentence:
    """A sentence with what a reader calls negated and affirmed.

    Attributes:
        part: `"held-out"` for those written before the code, `"development"` for those that it was changed for, and
            `"blind"` for those written after its last change; `"charts"` and `"charts-blind"` are the same of what
            forms and charts write ("Fever: no", "(-) cough"). Nothing was changed for the held-out and blind ones.
        text: The sentence.
        negated: Spans of the negated terms.
        affirmed: Spans of the terms that are not negated.
    """

    part: str
    text: str
    negated: tuple[tuple[int, int], ...]
    affirmed: tuple[tuple[int, int], ...]

    def terms(self) -> set[str]:
        """The terms of both kinds."""
        return {self.text[start:stop].lower() for start, stop in (*self.negated, *self.affirmed)}


def read_sentences(path) -> list[Sentence]:
    """Reads sentences from tab-separated columns `part, sentence, negated, affirmed`.

    Terms are separated by `;`; `term#2` is the second time that it stands in the sentence.

    Raises:
        InputError: The file is missing or is no such table, or a sentence has not its term; names the row.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file of sentences")
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if reader.fieldnames != _COLUMNS:
            raise InputError(f"{path}: the columns must be {', '.join(_COLUMNS)}")
        rows = list(reader)
    sentences = []
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise InputError(f"{path}: row {number} has not four columns")
        spans = [
            tuple(
                _span(row["sentence"], term, f"{path}: row {number}") for term in row[kind].split(";") if term
            )
            for kind in ("negated", "affirmed")
        ]
        sentences.append(Sentence(row["part"], row["sentence"], *spans))
    return sentences


def _span(sentence: str, term: str, place: str) -> tuple[int, int]:
    name, _, occurrence = term.partition("#")
    start = -1
    for _ in range(int(occurrence or 1)):
        start = sentence.lower().find(name, start + 1)
        if start < 0:
            raise InputError(f"{place}: the sentence has no term {name!r}, or not so often")
    return start, start + len(name)


def agreement(sentences: Sequence[Sentence], prepared: Sequence[AlignedText]) -> dict[str, float]:
    """How far the marks of prepared sentences agree with the reader: numbers of terms, precision, recall and F1.

    A negated term is found where each of its words is marked; an affirmed one with a marked word is a mistake.
    """
    marks = [(sentence, _marked(text)) for sentence, text in zip(sentences, prepared, strict=True)]
    right = [_all(span, marked) for sentence, marked in marks for span in sentence.negated]
    wrong = [_any(span, marked) for sentence, marked in marks for span in sentence.affirmed]
    marked = sum(right) + sum(wrong)
    return {
        "sentences": len(sentences),
        "negated": len(right),
        "affirmed": len(wrong),
        "precision": sum(right) / marked if marked else float("nan"),
        "recall": sum(right) / len(right),
        "f1": 2 * sum(right) / (marked + len(right)),
    }


def _marked(text: AlignedText) -> list[tuple[int, int, bool]]:
    """The span in the original of each word, and whether it is marked."""
    return [
        (*text.original_span(start, stop), NEGATED in text.text[start:stop])
        for start, stop in text.word_spans
    ]


def _within(span: tuple[int, int], words: list[tuple[int, int, bool]]) -> list[bool]:
    return [marked for start, stop, marked in words if start < span[1] and stop > span[0]]


def _all(span, words) -> bool:
    within = _within(span, words)
    return bool(within) and all(within)


def _any(span, words) -> bool:
    return any(_within(span, words))


def sentence_table(sentences: Sequence[Sentence], system: CodeSystem) -> pd.DataFrame:
    """The agreement on each part, with the terms given, with those of a code system, and by negspacy alone."""
    given = tuple(sorted(set().union(*(sentence.terms() for sentence in sentences))))
    preparations = {
        "terms given": TextPreparation(terms=given, clean=False).prepare,
        f"terms of {system.name}": TextPreparation(terms=title_terms(system), clean=False).prepare,
        "terms given, negspacy as it comes": lambda texts: _by_negspacy(texts, given),
    }
    rows = []
    for name, prepare in preparations.items():
        for part in dict.fromkeys(sentence.part for sentence in sentences):
            chosen = [sentence for sentence in sentences if sentence.part == part]
            rows.append(
                {"negation": name, "part": part, **agreement(chosen, prepare([s.text for s in chosen]))}
            )
    return pd.DataFrame(rows)


def _by_negspacy(texts: Sequence[str], terms: Sequence[str]) -> list[AlignedText]:
    """The control: `negspacy` with its own clinical cues on a blank pipeline."""
    import spacy
    from spacy.matcher import PhraseMatcher
    from spacy.util import filter_spans

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    negex = nlp.create_pipe("negex")
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    matcher.add("terms", list(nlp.tokenizer.pipe(terms)))
    marked = []
    for doc in nlp.pipe(texts):
        doc.set_ents(filter_spans(matcher(doc, as_spans=True)))
        words = [token for term in negex(doc).ents if term._.negex for token in term]
        marked.append(AlignedText.of(doc.text).edit((word.idx, word.idx, NEGATED) for word in words))
    return marked


def report_table(notes: Notes, config: SentencesConfig) -> pd.DataFrame:
    """What is marked in a sample of reports, without a word of their text.

    The words of a code's title are looked for in the reports: those of a code that the report has been given
    should hardly be negated, those of the other codes more often. The codes are of ICD-9-CM.
    """
    system = icd9cm()
    notes, _ = with_canonical_codes(notes, system)
    order = np.random.default_rng(config.seed).permutation(len(notes))
    half = len(notes) // 2
    training, checked = order[:half], order[half:][: config.reports]
    preparation = TextPreparation(clean=False).fit(
        [notes.text[row] for row in training], system, config.min_notes
    )
    prepared = preparation.prepare([notes.text[row] for row in checked])
    labels = {code: finding_words(system.title(code)) for code in notes.label_names()}
    assigned, others = [], []
    for row, text in zip(checked, prepared, strict=True):
        own = set().union(*(labels[code] for code in notes.codes[row]))
        other = set().union(*labels.values()) - own
        assigned += _mentions(text, own)
        others += _mentions(text, other)
    counts = [text.text.count(NEGATED) for text in prepared]
    return pd.DataFrame(
        [
            {
                "reports": len(checked),
                "terms": len(preparation.terms),
                "negated words a report": np.mean(counts),
                "reports with any (%)": 100 * np.mean(np.array(counts) > 0),
                "mentions of assigned codes": len(assigned),
                "of them negated (%)": 100 * np.mean(assigned),
                "mentions of other codes": len(others),
                "of these negated (%)": 100 * np.mean(others),
            }
        ]
    )


def _mentions(text: AlignedText, words: set[str]) -> Iterator[bool]:
    """For each word of the text that is one of `words`, whether it is marked."""
    for start, stop in text.word_spans:
        if words & finding_words(text.text[start:stop].replace(NEGATED, "")):
            yield NEGATED in text.text[start:stop]


def make(task: SentencesTask, settings: dict, stem: Path) -> None:
    """HMHAN §III.B: precision and recall of negation on sentences; what is marked in real reports."""
    show(sentence_table(task.sentences, code_system(task.config.code_system)), stem, digits=3)
    try:
        folder = data_folder("cmc2007")
    except InputError as error:
        print(f"\nno radiology reports: {error}")
        return
    reports = report_table(read_cmc2007(folder), task.config)
    task.reports = int(reports["reports"].iloc[0])
    write_table(reports, stem.parent, f"{stem.name}-reports", digits=2)
    shown = reports.T.rename(columns={0: "radiology reports"}).rename_axis("measure")
    print("", markdown_table(shown, digits=2), sep="\n")
