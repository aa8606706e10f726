"""Radiology reports of the Computational Medicine Challenge 2007 (ICD-9-CM)."""

from pathlib import Path
from xml.etree import ElementTree

from icd_relevancy.data.notes import Notes
from icd_relevancy.errors import InputError

_SECTIONS = ("CLINICAL_HISTORY", "IMPRESSION")


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
    try:
        documents = ElementTree.parse(file).getroot().findall("doc")
    except ElementTree.ParseError as error:
        raise InputError(f"{file}: not well-formed XML ({error})") from error
    if not documents:
        raise InputError(f"{file}: no <doc> elements; expected radiology.xml of the challenge")
    origins = sorted(
        {code.get("origin", "") for document in documents for code in document.iterfind("codes/code")}
    )
    if origins and annotator not in origins:
        raise InputError(f"{file}: no codes by annotator {annotator!r}; those there are {', '.join(origins)}")
    return Notes(
        note_id=_identifiers(file, documents),
        text=tuple(_text(file, document) for document in documents),
        codes=tuple(_codes(file, document, annotator) for document in documents),
        specialty=("Radiology",) * len(documents),
        source="cmc2007",
    )


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


def _text(file: Path, document: ElementTree.Element) -> str:
    sections = {text.get("type"): (text.text or "").strip() for text in document.iterfind("texts/text")}
    text = "\n".join(sections[name] for name in _SECTIONS if sections.get(name))
    if not text:
        raise InputError(f"{file}: report {document.get('id')} has no text")
    return text


def _codes(file: Path, document: ElementTree.Element, annotator: str) -> tuple[str, ...]:
    elements = document.iterfind(f"codes/code[@origin='{annotator}']")
    codes = tuple(dict.fromkeys((element.text or "").strip() for element in elements))
    if "" in codes:
        raise InputError(f"{file}: report {document.get('id')} has a <code> without a code; remove it")
    return codes
