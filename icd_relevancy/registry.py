"""Things by their names, each imported when it is asked for: those of an index, a user's own, those of a face."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType

from icd_relevancy.errors import InputError, shown_word

_PATH = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)


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
        """Whether a name is one of ours, or has the form of a path to a thing of the user's own."""
        return isinstance(name, str) and (name in self.paths or _PATH.fullmatch(name) is not None)

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

    def with_setting(self, setting: str) -> tuple[str, ...]:
        """The names of ours that have a setting of that name."""
        return tuple(name for name, kind in self._settings.items() if setting in kind.__dataclass_fields__)

    def _import(self, module: str, name: str) -> ModuleType:
        # A folder from anywhere may name one, and some do things when they are imported.
        if module.partition(".")[0] in sys.stdlib_module_names:
            raise InputError(
                f"{self.kind} {shown_word(name)}: {module} is a module of Python's own, which has no {self.kind}"
            )
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
