"""Names of a package that are imported when they are first used, and listed before that."""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module


def attach(
    package: str, home: Mapping[str, str], modules: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package: `home` says in which module each name is, absolutely."""
    modules = frozenset(modules)

    def get(name: str) -> object:
        if name in home:
            return getattr(import_module(home[name]), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        own = vars(sys.modules[package])
        return sorted({*(name for name in own if name.startswith("__")), *own["__all__"], *home, *modules})

    return get, names
