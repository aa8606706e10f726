"""Clinical cases of the CodiEsp corpus (ICD-10, Spanish edition)."""

from pathlib import Path

import pandas as pd

from icd_relevancy.codes.icd import dotted_icd10
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.sources.by_name import source
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.safe_reading import readable

_KINDS = {"D": "DIAGNOSTICO", "P": "PROCEDIMIENTO"}
_TEXT_FOLDERS = {"en": "text_files_en", "es": "text_files"}


def read_codiesp(path, language: str = "en", kind: str = "D") -> Notes:
    """Reads clinical cases of CodiEsp with their diagnosis or procedure codes.

    Args:
        path: A split's folder (`train`, `dev` or `test`), or the folder above, which joins its splits in the
            order of their names.
        language: `"es"`, the original text, or `"en"`, its machine translation. Defaults to `"en"`.
        kind: `"D"`, diagnoses, or `"P"`, procedures. Defaults to `"D"`.

    Returns:
        The cases in the order of their file names, with their codes in upper case, diagnoses dotted,
        otherwise as annotated; a case without codes of this kind has none. Cases in Spanish have their
        mentions of these codes where the split has the file of them, the parts of a discontinuous one joined
        by a space; None for the cases of other splits.

    Raises:
        InputError: If `language` or `kind` is another, a file is missing, or a row of codes or mentions is
            malformed.

    Example:

    >>> from icd_relevancy.data import read_codiesp
    >>> notes = read_codiesp("data/codiesp/train", language="es")  # doctest: +SKIP
    """
    path = Path(path)
    if language not in _TEXT_FOLDERS:
        raise InputError(f"language must be 'en' or 'es'; received {shown_word(language)}")
    if kind not in _KINDS:
        raise InputError(f"kind must be 'D' (diagnoses) or 'P' (procedures); received {shown_word(kind)}")
    folder_name = _TEXT_FOLDERS[language]
    splits = (
        [path]
        if (path / folder_name).is_dir()
        else sorted(folder.parent for folder in path.glob(f"*/{folder_name}"))
    )
    if not splits:
        raise InputError(f"{path}: no folder {folder_name} here or one level down; expected a CodiEsp folder")
    texts, codes, mentions = {}, {}, {}
    for split in splits:
        in_split = {file.stem: _text(file) for file in sorted((split / folder_name).glob("*.txt"))}
        repeated = sorted(in_split.keys() & texts.keys())
        if repeated:
            shown = shown_word(repeated[0], quoted=False)
            raise InputError(f"{split}: document {shown} is in another split too; read the splits one by one")
        texts |= in_split
        codes |= _codes(_code_file(split, kind), kind, set(in_split))
        file = split / f"{split.name}X.tsv"
        if language == "es" and file.is_file():
            mentions |= dict.fromkeys(in_split, ()) | _mentions(file, kind, set(in_split))
    return Notes(
        note_id=tuple(texts),
        text=tuple(texts.values()),
        codes=tuple(codes.get(document, ()) for document in texts),
        mentions=tuple(map(mentions.get, texts)) if mentions else None,
        source="codiesp" if language == "en" else "codiesp-es",
    )


@source(of="notes")
def _english(path, code_system) -> Notes:
    return read_codiesp(path, language="en")


@source(of="notes")
def _spanish(path, code_system) -> Notes:
    return read_codiesp(path, language="es")


def _text(file: Path) -> str:
    with readable(file):
        text = file.read_text("utf-8").strip()
    if not text:
        raise InputError(f"{file}: the document is empty")
    return text


def _code_file(split: Path, kind: str) -> Path:
    files = sorted(split.glob(f"*{kind}.tsv"))
    if len(files) != 1:
        raise InputError(f"{split}: expected one file {split.name}{kind}.tsv, found {len(files)}")
    return files[0]


def _codes(file: Path, kind: str, documents: set[str]) -> dict[str, tuple[str, ...]]:
    """For each document its codes without repeats, in the order of the file."""
    rows = _rows(file, ["document", "code"], "a document and a code, separated by one tab", documents)
    rows["code"] = _spelled(rows["code"], kind)
    return {document: tuple(dict.fromkeys(codes)) for document, codes in rows.groupby("document")["code"]}


def _mentions(file: Path, kind: str, documents: set[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """For each document the codes and words of its mentions of this kind, in the order of the file."""
    columns = ["document", "kind", "code", "text", "span"]
    rows = _rows(file, columns, "a document, kind, code, text and span, separated by tabs", documents)
    rows = rows[rows["kind"] == _KINDS[kind]]
    pairs = zip(_spelled(rows["code"], kind), rows["text"].str.split().str.join(" "), strict=True)
    rows = rows.assign(pair=list(pairs))
    return {document: tuple(dict.fromkeys(pairs)) for document, pairs in rows.groupby("document")["pair"]}


def _rows(file: Path, columns: list[str], expected: str, documents: set[str]) -> pd.DataFrame:
    with readable(file):
        rows = pd.read_csv(file, sep="\t", header=None, dtype=object, quoting=3, keep_default_na=False)
    if rows.shape[1] != len(columns) or (rows == "").any(axis=None) or rows.isna().any(axis=None):
        raise InputError(f"{file}: each row must hold {expected}")
    rows.columns = columns
    unknown = ~rows["document"].isin(documents)
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise InputError(f"{file}, row {row + 1}: no text file for the document named there")
    return rows


def _spelled(codes: pd.Series, kind: str) -> pd.Series:
    codes = codes.str.strip().str.upper()
    return codes.map(dotted_icd10) if kind == "D" else codes
