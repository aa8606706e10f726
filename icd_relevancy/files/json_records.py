"""JSON objects one after the other, or in an array, and what is wrong with them, without a word of theirs."""

import json
import re
from collections.abc import Iterable, Iterator

from icd_relevancy.files.safe_reading import has_lone_surrogate

LONE_SURROGATE = "half of a surrogate pair (\\ud800 to \\udfff); write it whole"
_ONE_A_LINE = "each line must hold one JSON object"
_SPACE = re.compile(r"\s*")
# A line that begins an object which a note's text does not begin with, as JSON, or Python, writes it.
_BEGINNING = re.compile(r"""\[?\s*\{\s*(?:\}\s*(?:$|[,\]{])|["'](?:[^"'\n\\]|\\.){0,80}["']\s*:)""")
_NEXT = re.compile(r"\n[ \t]*(?=\{)")
_MOST_MALFORMED = 1000
_COLUMN = re.compile(r"""^[ \t\[{,]*["'](?:text|note_id|codes)["']\s*:""", re.MULTILINE)


class MalformedJsonError(ValueError):
    """What is wrong with a JSON text; quotes nothing of it."""


def _unique(pairs: list[tuple[str, object]]) -> dict:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise MalformedJsonError("malformed JSON (an object has a name twice; keep one)")
    return record


def _not_json(constant: str):
    raise MalformedJsonError(f"malformed JSON ({constant} is not JSON; write null)")


_DECODER = json.JSONDecoder(parse_constant=_not_json, object_pairs_hook=_unique)


def decode_object(line: str) -> dict:
    """The one JSON object of a text; `MalformedJsonError` if it is anything else."""
    try:
        record = _DECODER.decode(line)
    except MalformedJsonError:
        raise
    except (ValueError, RecursionError) as error:
        character = getattr(error, "colno", 1)
        raise MalformedJsonError(f"malformed JSON at character {character}; {_ONE_A_LINE}") from None
    if not isinstance(record, dict):
        raise MalformedJsonError(_ONE_A_LINE)
    return record


def json_objects(text: str, place, problems: list[str]) -> Iterator[tuple[int | None, dict]]:
    """The JSON objects of a text, with the lines they begin in (None in an array); `problems` gets all malformed."""
    line, position = 1, 0
    while (start := _SPACE.match(text, position).end()) < len(text):
        line += text.count("\n", position, start)
        try:
            record, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            problems.append(_malformed(error, place, line))
            if len(problems) >= _MOST_MALFORMED:
                return
            # What is broken ends before the next line that begins an object.
            following = _NEXT.search(text, getattr(error, "pos", start) or start)
            position = following.end() if following else len(text)
            line += text.count("\n", start, position)
            continue
        if isinstance(record, list) and start == _SPACE.match(text).end():
            if text[position:].strip():
                problems.append(f"{place}: malformed JSON (something follows the array)")
            for number, entry in enumerate(record, 1):
                if isinstance(entry, dict):
                    yield None, entry
                else:
                    problems.append(f"{place}, entry {number} of the array: expected a JSON object")
            return
        if isinstance(record, dict):
            yield line, record
        else:
            problems.append(f"{place}, line {line}: expected a JSON object")
        line += text.count("\n", start, position)


def _malformed(error: Exception, place, line: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{place}, line {error.lineno}: malformed JSON ({error.msg})"
    if isinstance(error, MalformedJsonError):
        return f"{place}, line {line}: {error}"
    return f"{place}, line {line}: malformed JSON (nested too deeply, or a number too long)"


def looks_like_records(text: str) -> bool:
    """Whether a text that is not JSON was meant to be: it begins as an object does, or a line names a note's column."""
    return bool(_BEGINNING.match(text.lstrip(", \t\r\n")) or _COLUMN.search(text))


def is_json(text: str) -> bool:
    """Whether a text is one JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def column_with_lone_surrogate(record: dict, names: Iterable[str]) -> str | None:
    """The first of the columns in which JSON escapes leave half of a surrogate pair, or None."""
    # The reader of mentions says what is wrong inside one.
    return next((name for name in names if name != "mentions" and has_lone_surrogate(record.get(name))), None)
