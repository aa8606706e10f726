"""What the tests of the command line share."""

import io
import sys
from pathlib import Path

SECRET = "Mrs Miller"


def write(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return path


def standard_input(monkeypatch, content: str):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
