"""Damaged and hostile versions of small good files, from a seed."""

import gzip
import io
import json
import random
import struct
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# Too long for a message to take it for an identifier, so it must never be in one.
SECRET = "Zwiebelmuster" * 5
PRIVATE = f"Mrs {SECRET} coughs"
_NUMBERS = (b"0", b"-1", b"1e999", b"NaN", b"Infinity", b"9" * 25, b"7" * 5000, b"1.5", b"true", b"null")
_TEXTS = (
    b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\x1b]0;x\x07", b"\r", b"\x85", b"\xc2\x85",
    "\u2028".encode(), "\u202e".encode(), b'"', b"'", b"=1+1", b"\t", b"\n\n\n", b"{", b"]", b"<!--", b"&a;", b" ",
    PRIVATE.encode(), f"x, {PRIVATE}\n".encode(), f'"{PRIVATE}"'.encode(), f"{PRIVATE}: [".encode(),
)  # fmt: skip
JSON_VALUES = (
    None, True, 7, -1, 2**80, 0.5, float("nan"), float("inf"), "", " ", PRIVATE, [], [PRIVATE], [1], [None],
    [[PRIVATE]], {}, {PRIVATE: PRIVATE}, [{"code": PRIVATE}], [{"code": "R05", "text": 1}], "\x00", "\x1b[2J",
    "a\u2028b", "\ud800", ["\ud800"], {"a": "\udfff"},
)  # fmt: skip
PYTHON_VALUES = (
    None, True, 7, -1, 2**62, 0.5, float("nan"), float("inf"), "", " ", PRIVATE, [PRIVATE], [1], [None], [[PRIVATE]],
    {"a": PRIVATE}, [{"code": PRIVATE}], b"\xff\x00", b"a", Decimal("1.50"), date(2020, 1, 2), datetime(2020, 1, 2),
    timedelta(1), "\x00", "\x1b[2J",
)  # fmt: skip
_ENTITIES = b'<!DOCTYPE a [<!ENTITY a "%s"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">' % (b"a" * 1000) + b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in b"cdefghij"
) + b"]>"  # fmt: skip


def damaged(content: bytes, random: random.Random) -> bytes:
    """The content with one to three kinds of damage.

    Args:
        content: A good file.
        random: Decides which, and where.
    """
    packed = content[:2] == b"\x1f\x8b" and random.random() < 0.6
    if packed:
        content = gzip.decompress(content)
    for _ in range(random.choice((1, 1, 2, 3))):
        content = random.choice(_KINDS)(content, random)
    return gzip.compress(content) if packed else content


def _place(content: bytes, random: random.Random) -> int:
    # Heads and the feet of Parquet are the small part of a file that most of its reading depends on.
    part = random.choice((16, 200, 10**9, -500))
    if part < 0:
        return random.randrange(max(len(content) + part, 0), len(content)) if content else 0
    return random.randrange(min(len(content), part) or 1)


def _flipped(content: bytes, random: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 30)) if content else 0):
        changed[_place(content, random)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(content: bytes, random: random.Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _without_a_part(content: bytes, random: random.Random) -> bytes:
    start = _place(content, random)
    return content[:start] + content[start + random.choice((1, 2, 10, 100)) :]


def _repeated(content: bytes, random: random.Random) -> bytes:
    start = _place(content, random)
    part = content[start : start + random.choice((1, 10, 100))]
    return content[:start] + part * random.choice((2, 3, 2000)) + content[start:]


def _with_a_text(content: bytes, random: random.Random) -> bytes:
    start = _place(content, random)
    return content[:start] + random.choice(_TEXTS) + content[start:]


def _with_a_number(content: bytes, random: random.Random) -> bytes:
    digits = [place for place, byte in enumerate(content[:5000]) if chr(byte).isdigit()]
    if not digits:
        return random.choice(_NUMBERS) + content
    start = stop = random.choice(digits)
    while content[stop : stop + 1].isdigit():
        stop += 1
    return content[:start] + random.choice(_NUMBERS) + content[stop:]


def _with_large_words(content: bytes, random: random.Random) -> bytes:
    start = _place(content, random)
    value = struct.pack(random.choice("<>") + "q", random.choice((-1, 2**31 - 1, 2**40, 2**62, 0)))
    return content[:start] + value + content[start + random.choice((0, 8)) :]


def _nested(content: bytes, random: random.Random) -> bytes:
    start, depth = _place(content, random), random.choice((1000, 100_000))
    return content[:start] + random.choice((b"[", b'{"a":', b"<a>", b"(", b"- ")) * depth + content[start:]


def _with_another_cell(content: bytes, random: random.Random) -> bytes:
    """Another value between two separators."""
    separator = random.choice((b",", b"\t", b"\n", b'"', b":", b" ", b">"))
    cells = content.split(separator)
    cells[random.randrange(len(cells))] = random.choice(_TEXTS + _NUMBERS)
    return separator.join(cells)


def _with_swapped_cells(content: bytes, random: random.Random) -> bytes:
    separator = random.choice((b",", b"\t", b"\n", b'"'))
    cells = content.split(separator)
    a, b = random.randrange(len(cells)), random.randrange(len(cells))
    cells[a], cells[b] = cells[b], cells[a]
    return separator.join(cells)


def _encoded_otherwise(content: bytes, random: random.Random) -> bytes:
    text = content.decode("latin-1")
    return text.encode(random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp500")))


def _other(content: bytes, random: random.Random) -> bytes:
    return random.choice(
        (
            b"", b"\n", b"\x00" * 50, random.randbytes(200), PRIVATE.encode(), f"{PRIVATE}\n".encode() * 3,
            f'{{"{PRIVATE}": "{PRIVATE}"}}'.encode(), f'["{PRIVATE}"]'.encode(), f'"{PRIVATE}"'.encode(), b"7" * 5000,
            gzip.compress(content), b"\x1f\x8b" + content, b"PAR1" + content + b"PAR1", b"{}", b"[]", b"null",
            b"\x93NUMPY" + content, b"PK\x03\x04" + content,
        )
    )  # fmt: skip


def _with_an_xml_head(content: bytes, random: random.Random) -> bytes:
    start = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
    name = random.choice((b"UTF-16", b"x-unknown", b"utf-7", b"cp037", b"idna", b"\xff", b"hex", b"punycode"))
    head = b'<?xml version="1.0" encoding="%s"?>' % name
    return head + random.choice((b"", _ENTITIES)) + content[start:]


_KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped, _flipped, _cut, _without_a_part, _repeated, _with_a_text, _with_a_text, _with_a_number,
    _with_large_words, _nested, _with_another_cell, _with_another_cell, _with_another_cell, _with_swapped_cells,
    _encoded_otherwise, _other, _with_an_xml_head,
)  # fmt: skip


def csv_table(rows: list[dict], separator: str = ",") -> bytes:
    """A table as CSV, lists joined by semicolons."""
    plain = [
        {name: ";".join(map(str, value)) if isinstance(value, list) else value for name, value in row.items()}
        for row in rows
    ]
    return pd.DataFrame(plain).to_csv(index=False, sep=separator).encode()


def json_lines(rows: list[dict]) -> bytes:
    """A table as JSON lines."""
    return "\n".join([*map(json.dumps, rows), ""]).encode()


def parquet(rows: list[dict]) -> bytes:
    """A table as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def npy(array) -> bytes:
    """An array in `.npy` format."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()
