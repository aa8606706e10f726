"""Things by their names, each imported when it is asked for: those of an index, a user's own, those of a face."""

import inspect
import os
import re
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from icd_relevancy.errors import InputError, shown_word

_PATH = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)
_FOLDER = ContextVar("folder", default=None)


@contextmanager
def named_by(folder: Path) -> Iterator[None]:
    """Lets a folder, which may come from anywhere, name modules that are imported already or were installed for us.

    Of the others none is imported, as importing runs them: neither what lies in the folder or beside it, nor in the
    working directory if `PYTHONPATH` does not name that, nor a package that does not use `icd_relevancy`.
    """
    before = _FOLDER.set(Path(folder).resolve())
    try:
        yield
    finally:
        _FOLDER.reset(before)


class Registry:
    """Things of one kind by name: ours by an index that names modules as text, anyone's as `module:name`.

    A thing is what stands under that name in the module and is marked there by `entry`, so that a name from anywhere
    gives nothing else. Asking for names imports nothing.

    Args:
        kind: What a thing is called in a message, such as `"loss"`.
        paths: For each of our names, `module:name`.
        settings: For each of them the class of its settings, where the things have any: known without an import.

    Example:

    >>> from icd_relevancy.registry import Registry
    >>> recipes = Registry("recipe", {"soup": "kitchen.soups:onion"})
    >>> recipes.names, recipes.knows("mine.kitchen:stew"), recipes.knows("stew")
    (('soup',), True, False)
    """

    def __init__(self, kind: str, paths: Mapping[str, str], settings: Mapping[str, type] | None = None):
        self.kind, self.paths, self._settings = kind, dict(paths), dict(settings or {})

    @property
    def names(self) -> tuple[str, ...]:
        """Our names, in the order of the index."""
        return tuple(self.paths)

    def knows(self, name: object) -> bool:
        """Whether a name is one of ours, or has the form of a path to a thing of the user's own; ours have no path."""
        if not isinstance(name, str) or name.startswith("icd_relevancy."):
            return False
        return name in self.paths or _PATH.fullmatch(name) is not None

    def check(self, name: object) -> None:
        """Refuses a name that can be no thing of this kind.

        Raises:
            InputError: Naming our things.
        """
        if not self.knows(name):
            raise InputError(
                f"{self.kind} must be one of {', '.join(self.names)}. Received: {self.kind}={shown_word(name)}"
            )

    def entry(self, **about) -> Callable:
        """A decorator that marks a function or class as a thing of this kind.

        Args:
            **about: What is known of it, such as its settings; see `about`.
        """

        def mark(thing):
            thing._registered = {**vars(thing).get("_registered", {}), self.kind: about}
            return thing

        return mark

    def find(self, name: str):
        """The thing of a name; imports the module where it is.

        Args:
            name: One of ours, or `module:name`.

        Raises:
            InputError: In one line, if there is no such module or nothing of this kind under that name in it.
        """
        self.check(name)
        module, attribute = _PATH.fullmatch(self.paths.get(name, name)).groups()
        thing = getattr(self._import(module, name), attribute, None)
        if self.kind not in getattr(thing, "__dict__", {}).get("_registered", ()):
            problem = "is not there" if thing is None else f"is not marked as a {self.kind}"
            raise InputError(f"{self.kind} {shown_word(name)}: {attribute} {problem} in the module {module}")
        return thing

    def about(self, name: str) -> dict:
        """What `entry` was told of the thing of a name; raises as `find`."""
        return vars(self.find(name))["_registered"][self.kind]

    def settings(self, name: str) -> type:
        """The class of the settings of a thing; raises as `find`."""
        self.check(name)
        return self._settings[name] if name in self._settings else self.about(name)["settings"]

    def source(self, name: str) -> str | None:
        """The source of the module of a user's own thing, which a training depends on; None of ours, or without one."""
        if name in self.paths:
            return None
        try:
            return inspect.getsource(inspect.getmodule(self.find(name)))
        except (OSError, TypeError):  # typed at a prompt
            return None

    def with_setting(self, setting: str) -> tuple[str, ...]:
        """The names of ours that have a setting of that name."""
        return tuple(name for name, kind in self._settings.items() if setting in kind.__dataclass_fields__)

    def _import(self, module: str, name: str) -> ModuleType:
        # Some do things when they are imported.
        if module.partition(".")[0] in sys.stdlib_module_names:
            raise InputError(
                f"{self.kind} {shown_word(name)}: {module} is a module of Python's own, which has no {self.kind}"
            )
        folder = _FOLDER.get()
        if folder is not None and name not in self.paths and module not in sys.modules:
            problem = _distrust(module, folder)
            if problem is not None:
                raise InputError(f"{self.kind} {shown_word(name)}: {problem}")
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                problem = f"its module {module} needs {error.name}, which is not installed"
            else:
                problem = (
                    f"there is no module {error.name} here; install it, or name its folder in PYTHONPATH"
                )
        except ImportError as error:
            problem = f"its module {module} cannot be imported: {' '.join(str(error).split())}"
        raise InputError(f"{self.kind} {shown_word(name)}: {problem}")


def _distrust(module: str, folder: Path) -> str | None:
    """Why a module that a folder names is not imported, or None; imports nothing."""
    specs = _specs(module)
    if specs is None:
        return f"there is no module {module} here; install it, or name its folder in PYTHONPATH"
    places = [_places(spec) for spec in specs]
    in_folder = any(place.is_relative_to(folder) for part in places for place in part)
    if in_folder or any(_is_loose(place.parent, folder) for place in places[0]):
        return (
            f"its module {module} is not installed, but lies in the working directory or near the folder that names "
            "it; install it, name its folder in PYTHONPATH, or import it before the folder is loaded"
        )
    if not any(b"icd_relevancy" in file.read_bytes() for place in places[0] for file in _sources(place)):
        return f"{module} is of a package that does not use icd_relevancy, and has no such thing"
    return None


def _specs(module: str) -> list[ModuleSpec] | None:
    """Where each package on the way to a module is, and the module; None if one is not there."""
    top, *inner = module.split(".")
    try:
        specs = [find_spec(top)]
    except ValueError:
        return None
    for name in inner:
        if specs[-1] is None or specs[-1].submodule_search_locations is None:
            return None
        path = list(specs[-1].submodule_search_locations)
        specs.append(PathFinder.find_spec(f"{specs[-1].name}.{name}", path))
    return None if specs[-1] is None else specs


def _places(spec: ModuleSpec) -> list[Path]:
    """The folders of a package, or the file of a module."""
    return [Path(place).resolve() for place in spec.submodule_search_locations or [spec.origin or ""]]


def _is_loose(place: Path, folder: Path) -> bool:
    """Whether Python looks for modules in a place though nobody said that it should, and a download may lie there."""
    paths = sysconfig.get_paths()
    said = [paths["purelib"], paths["platlib"], site.getusersitepackages()]
    said += filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    if place in {Path(path).resolve() for path in said}:
        return False
    return place == Path.cwd().resolve() or folder.is_relative_to(place)


def _sources(place: Path) -> Iterable[Path]:
    return place.rglob("*.py") if place.is_dir() else filter(Path.is_file, [place])


def attach(
    package: str, home: Mapping[str, str], modules: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names are imported when they are first used.

    A name that a module of the package has too, such as a function in the file of its name, stays the public one:
    importing a module would else set it as an attribute of its package.

    Args:
        package: The package.
        home: For each name the module in which it is, absolutely.
        modules: Modules of the package that are attributes of it.
    """
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

    class Face(ModuleType):
        def __setattr__(self, name, value):
            if not (name in home and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

    sys.modules[package].__class__ = Face
    return get, names
