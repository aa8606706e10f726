"""What standard input, or a file whose name does not tell it, holds: a table, JSON or one note as text."""

import gzip
import io
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from icd_relevancy.errors import InputError

# One note as text, some five thousand pages; whatever else comes without a name.
MOST_TEXT, MOST_CONTENT = 2**24, 2**30
_HEAD, _PART = 2**16, 2**20
_BINARY = 0.05
_LINES_SEEN = 20
_WORD, _WORKBOOK = "a Word document", "an Excel workbook"
_TEXT_ADVICE, _TABLE_ADVICE = "save it as plain text (UTF-8)", "save it as CSV (UTF-8)"
_FOREIGN_SUFFIXES = {
    ".doc": _WORD, ".docx": _WORD, ".docm": _WORD, ".odt": "an OpenDocument text", ".rtf": "rich text (RTF)",
    ".pdf": "a PDF document", ".html": "a web page", ".htm": "a web page", ".xml": "XML",
    ".xls": _WORKBOOK, ".xlsx": _WORKBOOK, ".xlsm": _WORKBOOK, ".ods": "an OpenDocument spreadsheet",
    ".zip": "a ZIP archive", ".7z": "a 7z archive", ".rar": "a RAR archive", ".tar": "a tar archive",
    ".bz2": "compressed by bzip2", ".xz": "compressed by xz", ".zst": "compressed by Zstandard",
    ".pkl": "a Python pickle", ".pickle": "a Python pickle", ".feather": "a Feather file",
}  # fmt: skip
_FOREIGN_BYTES = {
    b"%PDF-": "a PDF document", b"{\\rtf": "rich text (RTF)", b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office document", b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz", b"\x28\xb5\x2f\xfd": "compressed by Zstandard", b"ARROW1": "a Feather file",
    b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive",
}  # fmt: skip
_MARKUP = re.compile(rb"\s*<(!doctype|html|\?xml)\b", re.IGNORECASE)
_GZIP, _PARQUET, _BOM = b"\x1f\x8b", b"PAR1", b"\xef\xbb\xbf"
# A line of names, one of which is of a row or of what a row holds, is the header of a table where rows follow.
_NAMES = set(
    "noteid id rowid stayid patientid subjectid hadmid encounterid visitid docid documentid caseid accession mrn"
    " patient text note notes notetext clinicalnote report reporttext body content transcription description findings"
    " impression dischargesummary summary codes code drugs drug".split()
)
_NAME = re.compile(r"""["']?[A-Za-z_][\w .-]{0,39}["']?""")
_SEPARATORS = {",": "csv", "\t": "tsv", ";": "semicolons", "|": "bars"}


@dataclass(frozen=True, repr=False)
class Content:
    """Bytes and what they are."""

    place: str  # for messages
    content: bytes
    # "text", "json" (begins like it), "parquet", or what parts the columns of a table with a header: "csv", "tsv",
    # "semicolons", "bars".
    kind: str

    def __str__(self) -> str:
        return self.place

    def text(self) -> str:
        """The bytes as UTF-8."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{self}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def read_content(file) -> Content:
    """Reads and unpacks a file, or standard input for `"-"`, of a size that a table can have; refuses PDF and such."""
    if str(file) != "-":
        if foreign := foreign_suffix(file):
            raise InputError(f"{file}: {foreign}")
        with open(file, "rb") as stream:
            return _bounded(stream, str(file))
    if sys.stdin is None:
        raise InputError("standard input is closed; name a file")
    if sys.stdin.isatty():
        print(
            "icd-relevancy: reading from the terminal; Ctrl-D on a line of its own ends it", file=sys.stderr
        )
    return _bounded(sys.stdin.buffer, "standard input")


def foreign_suffix(path) -> str | None:
    """What a file is, and what to do with it, whose suffix is that of a document, a workbook or an archive."""
    what = _FOREIGN_SUFFIXES.get(Path(path).suffix.lower())
    return what and f"{what}, which is not read; {_advice(what)}"


def _advice(what: str) -> str:
    if "Office" in what:
        return f"unpack it, or {_TEXT_ADVICE} or CSV"
    if "archive" in what or "compressed" in what:
        return "unpack it first"
    is_table = any(word in what for word in ("workbook", "spreadsheet", "pickle", "Feather"))
    return _TABLE_ADVICE if is_table else "save it as UTF-8" if what == "UTF-16" else _TEXT_ADVICE


def _bounded(stream, place: str) -> Content:
    head = stream.read(_HEAD)
    if not head.startswith(_GZIP):
        return _of_its_kind(stream, place, head)
    packed = io.BytesIO(_rest(stream, place, head, MOST_CONTENT))
    try:
        with gzip.open(packed) as unpacked:
            return _of_its_kind(unpacked, place, unpacked.read(_HEAD))
    except (OSError, EOFError, zlib.error):
        raise InputError(f"{place}: not a whole gzip file; fetch or compress it again") from None


def _of_its_kind(stream, place: str, head: bytes) -> Content:
    kind = _kind(head, place)
    return Content(place, _rest(stream, place, head, MOST_TEXT if kind == "text" else MOST_CONTENT), kind)


def _rest(stream, place: str, head: bytes, most: int) -> bytes:
    parts, size = [head], len(head)
    # A short head was all; a terminal would be asked to end a second time.
    while size >= _HEAD and (part := stream.read(_PART)):
        parts.append(part)
        size += len(part)
        if size > most:
            several = "too much for one note; put several into CSV or JSON lines"
            advice = several if most == MOST_TEXT else "split it"
            raise InputError(f"{place}: more than {most // 2**20} MiB, {advice}")
    return b"".join(parts)


def _kind(head: bytes, place: str) -> str:
    what = next((what for magic, what in _FOREIGN_BYTES.items() if head.startswith(magic)), None)
    if what is None and _MARKUP.match(head.removeprefix(_BOM)):
        what = "a web page or XML"
    if what is None and not head.startswith(_PARQUET) and head.count(0) > _BINARY * len(head):
        what = "binary data"
    if what:
        raise InputError(f"{place}: {what}, which is not read; {_advice(what)}")
    if head.startswith(_PARQUET):
        return "parquet"
    text = head.decode("utf-8-sig", "replace").lstrip()
    if text.startswith(("{", "[")):
        return "json"
    lines = [line.strip() for line in text.splitlines()[:_LINES_SEEN] if line.strip()]
    return _table([line for line in lines if not line.startswith("#")]) or "text"


def _table(lines: list[str]) -> str | None:
    if not lines:
        return None
    if lines[0].strip("\"'") == "text" and len(lines) > 1:
        return "csv"
    for separator, kind in _SEPARATORS.items():
        fields = [field.strip() for field in lines[0].split(separator)]
        names = {re.sub(r"[\W_]", "", field).lower() for field in fields}
        # A quoted text may hold separators of its own, or go on in the next line.
        if len(lines) == 1:
            is_known = names <= _NAMES
        else:
            is_known = names & _NAMES and (lines[1].count(separator) >= len(fields) - 1 or '"' in lines[1])
        if len(fields) > 1 and is_known and all(map(_NAME.fullmatch, fields)):
            return kind
    return None
