"""The whole preparation of notes, as a part of a trained model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.text.abbreviations import (
    UNAMBIGUOUS,
    Abbreviation,
    Abbreviations,
    abbreviations_from_rows,
)
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.assertion.tagger import NegationTagger
from icd_relevancy.text.assertion.terms import frequent_terms, title_terms
from icd_relevancy.text.cleaning import Cleaning, clean, without_markup
from icd_relevancy.text.unify import packaged_abbreviations, unify_terms


@dataclass(frozen=True)
class TextPreparation:
    """How notes are prepared before a model reads them (HMHAN §III.B; LOSSES §4.1 for the unified terms).

    Markup goes first, if it is cleaned away, then terms are unified, negated terms marked, and the rest cleaned:
    negation needs the sentences and the expanded terms, cleaning leaves neither. A fitted preparation belongs
    to the model that was trained with it; `to_dict` and `from_dict` carry it over.

    Attributes:
        unify: Whether terms are unified, as by `unify_terms`.
        negation: Whether negated terms are marked, as by `NegationTagger`; needs the extra `[text]` and `terms`.
        uncertain: Whether what is asked for, possible or past counts as negated.
        clean: Whether the text is cleaned, as by `clean`.
        cleaning: The steps of the cleaning.
        abbreviations: The table of abbreviations.
        terms: The terms whose negation is marked; `fit` collects them.

    Example:

    >>> from icd_relevancy.text import TextPreparation
    >>> preparation = TextPreparation(terms=("pneumonia", "effusion"))
    >>> prepared, = preparation.prepare(["Pt w/ cough, no PNA but a small effusion."])
    >>> prepared.text
    'patient cough no NOT_pneumonia small effusion'
    >>> start = prepared.text.index("NOT_")
    >>> prepared.original[slice(*prepared.original_span(start, start + len("NOT_pneumonia")))]
    'PNA'
    """

    unify: bool = True
    negation: bool = True
    uncertain: bool = False
    clean: bool = True
    cleaning: Cleaning = field(default_factory=Cleaning)
    abbreviations: Abbreviations = field(default_factory=packaged_abbreviations)
    terms: tuple[str, ...] = field(default=(), repr=False)

    def fit(self, texts: Sequence[str], code_system: CodeSystem | None = None, min_notes: int = 5):
        """This preparation with the terms of a code system and of training notes.

        Args:
            texts: Training notes, and no others: what the others hold must not tell.
            code_system: The code system. Defaults to None: terms of the notes alone.
            min_notes: How many notes must have a word or a run of words to make it a term. Defaults to 5.

        Returns:
            A new `TextPreparation`; this one where negation is not marked.
        """
        if not self.negation:
            return self
        terms = set(title_terms(code_system)) if code_system is not None else set()
        terms.update(frequent_terms((self._unified(text).text for text in texts), min_notes))
        return replace(self, terms=tuple(sorted(terms)))

    def prepare(self, texts: Sequence[str]) -> list[AlignedText]:
        """The prepared notes, each aligned with the note as it was given.

        Args:
            texts: The notes.

        Raises:
            InputError: If negation is to be marked, and there are no terms or spaCy is not installed.
        """
        prepared = [self._unified(text) for text in texts]
        if self.negation:
            prepared = self._tagger.tag(prepared)
        return [clean(text, self.cleaning) for text in prepared] if self.clean else prepared

    def _unified(self, text: str) -> AlignedText:
        aligned = AlignedText.of(text)
        if self.clean and self.cleaning.markup:
            aligned = without_markup(aligned)
        return unify_terms(aligned, self.abbreviations) if self.unify else aligned

    @cached_property
    def _tagger(self) -> NegationTagger:
        return NegationTagger(self.terms, self.uncertain)

    def to_dict(self) -> dict:
        """The switches, the table of abbreviations and the terms, as JSON can hold them."""
        rows = [asdict(row) | {"context": list(row.context)} for row in self.abbreviations.rows]
        return {
            **{setting.name: getattr(self, setting.name) for setting in fields(self)},
            "cleaning": asdict(self.cleaning),
            "abbreviations": rows,
            "terms": list(self.terms),
        }

    @classmethod
    def from_dict(cls, told: Mapping, source: str = "the text preparation") -> "TextPreparation":
        """The preparation that `to_dict` gave; what is left out has its default.

        Args:
            told: Values by name.
            source: Where they come from, for messages.

        Raises:
            InputError: If a name is unknown or a value of the wrong kind; names it.
        """
        settings = dict(told)
        _check_names(cls, settings, source)
        for name in ("unify", "negation", "uncertain", "clean"):
            _check(isinstance(settings.get(name, True), bool), source, name, "true or false")
        if "cleaning" in settings:
            cleaning = settings["cleaning"]
            _check(isinstance(cleaning, Mapping), source, "cleaning", "names and values")
            _check_names(Cleaning, cleaning, f"{source}: cleaning")
            for name, value in cleaning.items():
                _check(isinstance(value, bool), source, f"cleaning: {name}", "true or false")
            settings["cleaning"] = Cleaning(**cleaning)
        if "abbreviations" in settings:
            settings["abbreviations"] = _abbreviations(settings["abbreviations"], source)
        if "terms" in settings:
            _check(_is_texts(settings["terms"]), source, "terms", "a list of texts")
            settings["terms"] = tuple(settings["terms"])
        return cls(**settings)


def _abbreviations(rows, source: str) -> Abbreviations:
    good = isinstance(rows, (list, tuple)) and all(isinstance(row, Mapping) for row in rows)
    _check(good, source, "abbreviations", "a list of rows")
    names = {setting.name for setting in fields(Abbreviation)}
    cells = []
    for number, row in enumerate(rows, 1):
        context = row.get("context", ())
        good = set(row) <= names and _is_texts(context)
        good = good and all(isinstance(value, str) for name, value in row.items() if name != "context")
        _check(good, source, f"abbreviations: row {number}", f"texts named {', '.join(sorted(names))}")
        cells.append({**row, "context": "|".join(context) or UNAMBIGUOUS})
    return abbreviations_from_rows(cells, f"{source}: abbreviations")


def _is_texts(values) -> bool:
    return isinstance(values, (list, tuple)) and all(isinstance(value, str) for value in values)


def _check_names(kind, settings: Mapping, source: str) -> None:
    known = [setting.name for setting in fields(kind)]
    for name in settings:
        if name not in known:
            raise InputError(f"{source}: unknown key {shown_word(name)}; the keys are {', '.join(known)}")


def _check(holds: bool, source: str, name: str, expected: str) -> None:
    if not holds:
        raise InputError(f"{source}: {name} must be {expected}")
