"""What the tests of the command line share."""

import io
import json
import sys
from pathlib import Path

from icd_relevancy.cli.main import main

SECRET = "Mrs Miller"


def write(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return path


def standard_input(monkeypatch, content: str):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))


def printed_json(capsys, *arguments) -> list[dict]:
    """What a command prints with `--json`, a line each."""
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def predicted(capsys, *arguments) -> list[dict]:
    """The notes that `predict --json` prints."""
    return printed_json(capsys, "predict", *arguments)
