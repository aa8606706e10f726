"""Which room may import which: the walls of the house, read from the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

GROUND = {"errors", "progress", "_arguments", "_version"}
MAY_IMPORT = {
    "files": set(),
    "settings": set(),
    "registry": set(),
    "hierarchy": set(),
    "_keras": {"registry"},
    "codes": {"files", "settings", "registry"},
    "relevance": {"files"},
    "encoding": {"files"},
    "explain": {"files"},
    "reporting": {"files"},
    "fitting": {"files"},
    "text": {"files", "settings", "codes"},
    "layers": {"hierarchy"},
    "data": {"files", "registry", "codes"},
    "vectors": {"files", "settings", "registry", "codes", "encoding", "relevance", "fitting"},
    "losses": {"settings", "registry", "hierarchy", "relevance"},
    "metrics": {"relevance"},
    "models": {"settings", "registry", "hierarchy", "encoding", "layers"},
}
MAY_IMPORT["training"] = set(MAY_IMPORT) - {"explain", "reporting", "_keras"}
MAY_IMPORT["cli"] = {*MAY_IMPORT, "_keras"}
NO_KERAS = {
    "codes",
    "data",
    "text",
    "files",
    "settings",
    "registry",
    "explain",
    "reporting",
    "relevance.graph",
}
TENSORFLOW = {"encoding.transformer", "fitting.batches", "_keras"}
# Still to be cut; nothing may be added.
KNOWN: set[tuple[str, str]] = set()


def parts(root: Path = REPOSITORY) -> dict[str, ast.Module]:
    """The modules of the package by their names without it, but for the faces, which only hand on."""
    package = root / "icd_relevancy"
    return {
        ".".join(file.relative_to(package).with_suffix("").parts): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(package.rglob("*.py"))
        if file.name not in {"__init__.py", "__main__.py"}
    }


def imports(tree: ast.Module, modules) -> Iterator[str]:
    """What a module imports anywhere in it: modules of ours without the package's name, others as they are."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            below = [f"{node.module}.{name}" for name in names]
            names = [
                name if name.removeprefix("icd_relevancy.") in modules else node.module for name in below
            ]
        yield from (name.removeprefix("icd_relevancy.") for name in names)


def room(module: str) -> str:
    return module.partition(".")[0]


def offenders(root: Path = REPOSITORY) -> set[tuple[str, str]]:
    """Every import that the walls forbid, as importing and imported module."""
    modules = parts(root)
    wrong = set()
    for name, tree in modules.items():
        for imported in imports(tree, modules):
            if imported == "icd_relevancy":
                wrong.add((name, "the face of the package"))
            elif room(imported) in {*MAY_IMPORT, *GROUND}:
                if room(imported) not in {room(name), *GROUND, *MAY_IMPORT.get(room(name), set())}:
                    wrong.add((name, imported))
            elif room(imported) == "keras" and (room(name) in NO_KERAS or name in NO_KERAS):
                wrong.add((name, "keras"))
            elif room(imported) == "tensorflow" and name not in TENSORFLOW:
                wrong.add((name, "tensorflow"))
            if room(name) == room(imported) == "training" and side(imported) not in {side(name), ""}:
                wrong.add((name, imported))
    return wrong


def side(module: str) -> str:
    """Notes or stays, for what belongs to one of the twins alone."""
    return next((side for side in ("notes", "stays") if module.startswith(f"training.{side}")), "")


def circle(root: Path = REPOSITORY) -> list[str]:
    """Modules that import each other in a ring, or none."""
    modules = parts(root)
    arrows = {name: set(imports(tree, modules)) & set(modules) - {name} for name, tree in modules.items()}
    while free := {name for name, to in arrows.items() if not to & set(arrows)}:
        arrows = {name: to for name, to in arrows.items() if name not in free}
    return sorted(arrows)


def test_no_import_climbs():
    assert offenders() <= KNOWN


def test_no_circle():
    assert not circle()


@pytest.mark.parametrize("name", sorted({room(module) for module in parts()} - GROUND))
def test_every_room_has_walls(name):
    assert name in MAY_IMPORT
