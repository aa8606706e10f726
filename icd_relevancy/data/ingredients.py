"""Names of drugs as their ingredients: by a user's table, else by the words of the name, which stand in drugs.csv."""

import csv
import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import chain

from icd_relevancy.files.records import read_records

_COLUMNS = ["drug", "ingredient"]
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\*[^*]*\*")
# An ingredient list of First Databank, which names the ingredients as well as words do.
_LIST_NUMBER = re.compile(r"hicl \d+")
_NO_WORD = re.compile(r"[^a-z0-9/+&.%\- ]+|\.(?!\d)")
_APOSTROPHE = "'"
# What follows is the fluid that the drug is given in.
_FLUID = re.compile(r"\s+in\s.*$")
_BETWEEN = re.compile(r"[/+&]|\s-+|(?<=%)-|\s(?:and|with|w)\s")
_LETTER_AND_NUMBER = re.compile(r"\b([bdek])-(\d{1,2})\b")
_NUMBER = re.compile(r"[.\-]?\d[\d.\-x]*%?-?([a-z]*)")
_SHORTEST_IN_HYPHENS = 4


def _meanings() -> dict[str, dict[str, tuple[str, ...]]]:
    """For each kind of word its words and what they mean, nothing for most."""
    meanings: dict[str, dict[str, tuple[str, ...]]] = {}
    with (resources.files("icd_relevancy.data") / "drugs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            meanings.setdefault(row["kind"], {})[row["word"]] = tuple(row["meaning"].split("+"))
    return meanings


_WORDS = _meanings()
_AROUND = frozenset().union(*(_WORDS[kind] for kind in ("form", "route", "qualifier", "unit")))
_SALTS = _WORDS["salt"].keys()
# The first word of a salt that is itself the ingredient, so its second word says which.
_METALS = _WORDS["metal"].keys()
# Two salts of one base that are prescribed for different things, or a base that no one gives without it.
_KEPT_SALTS = _WORDS["kept salt"]
# A single letter counts only after one of these: vitamin K, penicillin G.
_LETTERED = _WORDS["lettered"].keys()
# Parts of a name before a hyphen that do not stand for an ingredient of their own.
_PREFIXES = _WORDS["prefix"].keys()
# What stands for one word of a longer name.
_ABBREVIATIONS = _WORDS["abbreviation"]
# Brand, abbreviation or name outside the United States -> ingredients.
_SYNONYMS = _WORDS["synonym"]


@dataclass(frozen=True)
class DrugReport:
    """What `DrugMapping.apply` found, over the distinct names of drugs.

    Attributes:
        from_table: Number of names whose ingredients are all from the table.
        from_words: Number of names with ingredients from their own words.
        unknown: Number of names without any word for an ingredient.
        unlisted_drugs: With a table, the names behind `from_words`, each with the number of stays that have
            it, the most frequent first.
        unknown_drugs: The names behind `unknown`, likewise.
    """

    from_table: int
    from_words: int
    unknown: int
    unlisted_drugs: tuple[tuple[str, int], ...]
    unknown_drugs: tuple[tuple[str, int], ...]

    @property
    def unknown_share(self) -> float:
        """The share of the distinct names that have no ingredient; 0 where there are no names."""
        return self.unknown / max(self.from_table + self.from_words + self.unknown, 1)


class DrugMapping:
    """The ingredients of drugs (CAC §2.1.2): from a table where it has the drug, else from the words.

    A name is looked up as it is written (case and white space apart), then each of its ingredients as
    `lexical_ingredients` finds them. What the table lacks keeps these words as its ingredients, and is
    reported.

    Args:
        table: Drug to its ingredients. Defaults to None: words alone.

    Example:

    >>> from icd_relevancy.data import DrugMapping
    >>> mapping = DrugMapping({"furosemide": ("C03CA01",)})
    >>> mapping.ingredients("FUROSEMIDE 40 MG PO TABS"), mapping.ingredients("aspirin 81 mg")
    (('C03CA01',), ('aspirin',))
    """

    def __init__(self, table: Mapping[str, Sequence[str]] | None = None):
        self._table = {_plain(drug): tuple(ingredients) for drug, ingredients in (table or {}).items()}

    @classmethod
    def from_table(cls, path) -> "DrugMapping":
        """Reads a mapping by `data_schemas/drug_ingredients.schema.json`, for example made from RxNorm.

        Args:
            path: A `.csv`, `.tsv`, `.parquet`, `.jsonl` or `.json` file with the columns `drug` and
                `ingredient`, one row an ingredient: an RxNorm ingredient (name or RxCUI) or an ATC code.

        Raises:
            InputError: If the file or a column is missing, or a cell is empty or no text; names the row.

        Example:

        >>> from pathlib import Path
        >>> from icd_relevancy.data import DrugMapping
        >>> rows = "drug,ingredient\\nBactrim,trimethoprim\\nBactrim,sulfamethoxazole\\n"
        >>> _ = Path("results/drugs.csv").write_text(rows)
        >>> DrugMapping.from_table("results/drugs.csv").ingredients("bactrim DS 800-160 mg tab")
        ('trimethoprim', 'sulfamethoxazole')
        """
        records = read_records(path, _COLUMNS, _COLUMNS)
        problem = "must be text that is not empty"
        columns = [
            records.column(name, lambda value: isinstance(value, str) and value.strip(), problem)
            for name in _COLUMNS
        ]
        records.check()
        table: dict[str, dict[str, None]] = {}
        for drug, ingredient in zip(*columns, strict=True):
            table.setdefault(_plain(drug), {})[ingredient.strip()] = None
        return cls(table)

    def to_dict(self) -> dict[str, tuple[str, ...]]:
        """The table, as `DrugMapping` takes it."""
        return dict(self._table)

    def ingredients(self, drug: str) -> tuple[str, ...]:
        """The ingredients of one drug; empty where none of its words is one.

        Args:
            drug: Name of the drug.
        """
        return self._resolve(drug)[0]

    def _resolve(self, drug: str) -> tuple[tuple[str, ...], bool]:
        """The ingredients, and whether the table has them all."""
        if (listed := self._table.get(_plain(drug))) is not None:
            return listed, True
        # The name may be a brand that the table lists, so the brand is looked up before its ingredients.
        best: tuple[tuple[str, ...], bool] = ((), False)
        for words in (lexical_ingredients(drug, translate=False), lexical_ingredients(drug)):
            listed = [self._table.get(word) for word in words]
            parts = [(word,) if known is None else known for word, known in zip(words, listed, strict=True)]
            best = tuple(dict.fromkeys(chain.from_iterable(parts))), bool(words) and None not in listed
            if best[1]:
                break
        return best

    def apply(self, drug_lists: Iterable[Sequence[str]]) -> tuple[tuple[tuple[str, ...], ...], DrugReport]:
        """The ingredients of each stay, and what was not found.

        Args:
            drug_lists: For each stay its drugs.

        Returns:
            For each stay its distinct ingredients, in the order of its drugs, and a `DrugReport`.

        Example:

        >>> from icd_relevancy.data import DrugMapping
        >>> drugs, report = DrugMapping().apply([("Lasix 40 mg", "MIV (ml/hr)"), ("MIV (ml/hr)",)])
        >>> drugs, report.unknown_drugs
        ((('furosemide',), ()), (('MIV (ml/hr)', 2),))
        """
        drug_lists = [tuple(dict.fromkeys(drugs)) for drugs in drug_lists]
        counts = Counter(chain.from_iterable(drug_lists))
        resolved = {drug: self._resolve(drug) for drug in counts}
        mapped = tuple(
            tuple(dict.fromkeys(chain.from_iterable(resolved[drug][0] for drug in drugs)))
            for drugs in drug_lists
        )
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        unknown = tuple((drug, count) for drug, count in ranked if not resolved[drug][0])
        from_words = tuple(
            (drug, count) for drug, count in ranked if resolved[drug][0] and not resolved[drug][1]
        )
        report = DrugReport(
            from_table=len(counts) - len(from_words) - len(unknown),
            from_words=len(from_words),
            unknown=len(unknown),
            unlisted_drugs=from_words if self._table else (),
            unknown_drugs=unknown,
        )
        return mapped, report


@functools.cache
def lexical_ingredients(drug: str, translate: bool = True) -> tuple[str, ...]:
    """The ingredients that the words of a drug's name tell, in lower case; none where no word is left.

    Dose, unit, form, route, what stands in brackets and the fluid after "in" are dropped, combinations split
    at `/`, `+`, `&`, "and", "with" and hyphens between whole words, salts dropped unless the drug is the salt
    (potassium chloride), and, to `translate`, a few hundred brands and abbreviations written as their ingredients.
    """
    text = _plain(drug)
    if _LIST_NUMBER.fullmatch(text):
        return (text,)
    # A name may be all in brackets.
    return _names(_IN_BRACKETS.sub(" ", text), translate) or _names(text, translate)


def _names(text: str, translate: bool) -> tuple[str, ...]:
    # Vitamin B-12 as vitamin B12.
    text = _LETTER_AND_NUMBER.sub(r"\1\2", f" {_NO_WORD.sub(' ', text.replace(_APOSTROPHE, ''))} ")
    names: dict[str, None] = {}
    for part in _BETWEEN.split(_FLUID.sub(" ", text)):
        for words in _split_hyphens(part.split()):
            names.update(dict.fromkeys(_ingredients(words, translate)))
    return tuple(names)


def _split_hyphens(words: list[str]) -> list[list[str]]:
    """The words of each ingredient, where hyphens part ingredients: `amoxicillin-pot clavulanate`."""
    groups: list[list[str]] = [[]]
    for word in words:
        pieces = word.strip(".-%").split("-")
        while len(pieces) > 1 and pieces[-1] in _AROUND:
            pieces.pop()
        word = "-".join(pieces)
        if word not in _SYNONYMS and pieces[0] not in _PREFIXES and all(map(_stands_alone, pieces)):
            groups[-1].append(pieces[0])
            groups += [[piece] for piece in pieces[1:]]
        else:
            groups[-1].append(word)
    return groups


def _stands_alone(piece: str) -> bool:
    is_word = piece.isalpha() and len(piece) >= _SHORTEST_IN_HYPHENS
    return is_word or piece in _SALTS or piece in _SYNONYMS


def _ingredients(words: list[str], translate: bool) -> list[str]:
    kept: list[str] = []
    for word in words:
        lettered = bool(kept) and kept[-1] in _LETTERED
        if not _is_around(word) and (len(word) > 1 or lettered):
            kept.extend(_ABBREVIATIONS.get(word, (word,)))
    named = " ".join(_without_salt(kept))
    if translate and (synonyms := [_SYNONYMS[name] for name in (named, *kept) if name in _SYNONYMS]):
        return list(chain.from_iterable(synonyms))
    return [named] if named else []


def _is_around(word: str) -> bool:
    number = _NUMBER.fullmatch(word)
    is_quantity = number and (len(number[1]) <= 1 or number[1] in _AROUND)
    return bool(is_quantity) or all(piece in _AROUND for piece in word.split("-"))


def _without_salt(words: list[str]) -> list[str]:
    if not words or words[0] in _METALS:
        return words
    base = [word for word in words if word not in _SALTS or word in _KEPT_SALTS.get(words[0], ())]
    return base or words


def _plain(drug: str) -> str:
    return " ".join(drug.casefold().split())
