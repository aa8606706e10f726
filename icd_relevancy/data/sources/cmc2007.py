"""Radiology reports of the Computational Medicine Challenge 2007 (ICD-9-CM)."""

from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from icd_relevancy.data.notes import Notes
from icd_relevancy.data.sources.by_name import source
from icd_relevancy.errors import InputError, shown_note, shown_word
from icd_relevancy.files.safe_reading import reading

_SECTIONS = ("CLINICAL_HISTORY", "IMPRESSION")
_SHOWN_ORIGINS = 10


def read_cmc2007(path, annotator: str = "CMC_MAJORITY") -> Notes:
    """Reads the radiology reports of the Computational Medicine Challenge 2007.

    The text of a report is its clinical history and its impression, joined by a line break.

    Args:
        path: The folder with `radiology.xml`, or the XML file.
        annotator: Whose codes to read: `"CMC_MAJORITY"`, the gold standard (given by at least two
            annotators), or `"COMPANY1"`, `"COMPANY2"`, `"COMPANY3"`. Defaults to `"CMC_MAJORITY"`.

    Returns:
        The reports with their dotted ICD-9-CM codes and the specialty `"Radiology"`.

    Raises:
        InputError: If the file is missing or not such a file, a report has no id, no text or an empty code, two
            have the same id, or there is no such annotator.

    Example:

    >>> from icd_relevancy.data import read_cmc2007
    >>> notes = read_cmc2007("data/cmc2007")  # doctest: +SKIP
    """
    path = Path(path)
    file = path / "radiology.xml" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such file; expected radiology.xml of the challenge")
    with reading(file, "XML in an encoding that can be read"):
        try:
            documents = ElementTree.parse(file).getroot().findall("doc")
        except ElementTree.ParseError as error:
            line, column = error.position
            problem = f"{expat.ErrorString(error.code)}, line {line}, column {column}"
            raise InputError(f"{file}: not well-formed XML ({problem})") from None
    if not documents:
        raise InputError(f"{file}: no <doc> elements; expected radiology.xml of the challenge")
    origins = sorted(
        {code.get("origin", "") for document in documents for code in document.iterfind("codes/code")}
    )
    if origins and annotator not in origins:
        known = ", ".join(shown_word(origin, quoted=False) for origin in origins[:_SHOWN_ORIGINS])
        raise InputError(f"{file}: no codes by annotator {shown_word(annotator)}; those there are {known}")
    return Notes(
        note_id=_identifiers(file, documents),
        text=tuple(_text(file, *numbered) for numbered in enumerate(documents, 1)),
        codes=tuple(_codes(file, *numbered, annotator) for numbered in enumerate(documents, 1)),
        specialty=("Radiology",) * len(documents),
        source="cmc2007",
    )


@source(of="notes", systems=("icd9cm",))
def _majority(path, code_system) -> Notes:
    return read_cmc2007(path)


def _identifiers(file: Path, documents: list[ElementTree.Element]) -> tuple[str, ...]:
    numbers = {}
    for number, document in enumerate(documents, 1):
        name = (document.get("id") or "").strip()
        if not name:
            raise InputError(f"{file}: <doc> number {number} has no id; give it one")
        if numbers.setdefault(name, number) != number:
            raise InputError(
                f"{file}: <doc> number {number} has the id of number {numbers[name]}; make it unique"
            )
    return tuple(numbers)


def _shown(number: int, document: ElementTree.Element) -> str:
    return shown_note(document.get("id"), number, "report", quoted=False)


def _text(file: Path, number: int, document: ElementTree.Element) -> str:
    sections = {text.get("type"): (text.text or "").strip() for text in document.iterfind("texts/text")}
    text = "\n".join(sections[name] for name in _SECTIONS if sections.get(name))
    if not text:
        raise InputError(f"{file}: {_shown(number, document)} has no text")
    return text


def _codes(file: Path, number: int, document: ElementTree.Element, annotator: str) -> tuple[str, ...]:
    elements = [code for code in document.iterfind("codes/code") if code.get("origin") == annotator]
    codes = tuple(dict.fromkeys((element.text or "").strip() for element in elements))
    if "" in codes:
        raise InputError(f"{file}: {_shown(number, document)} has a <code> without a code; remove it")
    return codes
