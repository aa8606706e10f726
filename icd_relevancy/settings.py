"""Frozen settings whose fields say what they allow, from names and values or from YAML, which is read strictly."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, asdict, field, fields
from numbers import Real
from pathlib import Path

import yaml

from icd_relevancy.errors import InputError, shown_word

_LARGEST_YAML = 2**20


class UnheededError(InputError):
    """A setting that nothing would heed.

    Args:
        name: The setting.
        problem: The message.
    """

    def __init__(self, name: str, problem: str):
        super().__init__(problem)
        self.name = name


def setting(
    default=MISSING,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    one_of: Iterable | None = None,
    option: str | None = None,
):
    """A field of a `Settings` class, with what it allows; a bound that is not given leaves out infinity alone.

    None is allowed where it is the default.

    Args:
        default: The default. Left out: the setting must be given.
        least, most: The bounds, where they belong to the range.
        above, below: The bounds, where they do not.
        one_of: All values that are allowed.
        option: The help of the setting as an option of the command line; `{models}` in it stands for the models that
            have the setting. Defaults to None: it is none.

    Example:

    >>> from dataclasses import dataclass
    >>> from icd_relevancy.settings import Settings, setting
    >>> @dataclass(frozen=True)
    ... class Network(Settings):
    ...     units: int = setting(50, least=1)
    >>> Network(units=0)
    Traceback (most recent call last):
        ...
    icd_relevancy.errors.InputError: units must be at least 1. Received: units=0
    """
    bounds = {"least": least, "most": most, "above": above, "below": below}
    about = {name: bound for name, bound in bounds.items() if bound is not None}
    if one_of is not None:
        about["one_of"] = tuple(one_of)
    if option is not None:
        about["option"] = option
    return field(default=default, metadata=about)


class Settings:
    """What all settings can do; the base of frozen dataclasses."""

    def __post_init__(self):
        for one in fields(self):
            check_range(one, getattr(self, one.name))

    @classmethod
    def from_mapping(cls, settings: Mapping, source: str = "the configuration"):
        """Settings from names and values.

        Raises:
            InputError: Naming an unknown key, or a value of the wrong type.
        """
        return from_mapping(cls, settings, source)

    @classmethod
    def from_trained(cls, settings: Mapping, source: str):
        """The settings of a trained model; what nothing heeded, as older versions let pass, is as by default.

        Raises:
            InputError: As `from_mapping`.
        """
        while True:
            try:
                return cls.from_mapping(settings, source)
            except UnheededError as error:
                settings = {name: value for name, value in settings.items() if name != error.name}

    def to_dict(self) -> dict:
        """The settings by name."""
        return asdict(self)


def from_mapping(kind, settings: Mapping, source: str):
    """A frozen dataclass from names and values that rejects unknown keys and values of another type."""
    check_types({one.name: one for one in fields(kind)}, settings, source)
    return made(kind, settings, source)


def made(kind, settings: Mapping, source: str):
    """What a class makes of settings; whatever it refuses begins with where they are from."""
    try:
        return kind(**settings)
    except UnheededError as error:
        raise UnheededError(error.name, f"{source}: {error}") from None
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def check_types(known: Mapping[str, Field], settings: Mapping, source: str) -> None:
    """Refuses a name that is not known and a value of a type that its field does not have."""
    for name, value in settings.items():
        if name not in known:
            raise InputError(
                f"{source}: unknown key {shown_word(str(name))}; the keys are {', '.join(known)}"
            )
        allowed = _type_name(known[name].type)
        if not _fits(value, allowed):
            raise InputError(f"{source}: {name} must be {allowed}. Received: {name}={shown_word(value)}")


def check(holds: bool, name: str, value, allowed: str) -> None:
    """Raises an `InputError` that names the setting, its value and what is allowed, unless it holds."""
    if not holds:
        raise InputError(f"{name} must be {allowed}. Received: {name}={shown_word(value)}")


def check_range(one: Field, value) -> None:
    """Refuses a value that a field made by `setting` does not allow.

    Raises:
        InputError: Naming the setting, its value and what is allowed.
    """
    about = one.metadata
    if "one_of" in about:
        check(value in about["one_of"], one.name, value, _listed(about["one_of"]))
    elif about.keys() & {"least", "most", "above", "below"} and not (value is None and one.default is None):
        check(_is_within(value, about), one.name, value, _bounds(about, "float" in _type_name(one.type)))


def _is_within(value, about: Mapping) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    low, high = about.get("least", -math.inf), about.get("most", math.inf)
    return (
        math.isfinite(value)
        and low <= value <= high
        and about.get("above", -math.inf) < value < about.get("below", math.inf)
    )


def _listed(values: tuple) -> str:
    words = [str(value) for value in values]
    return " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"


def _bounds(about: Mapping, is_float: bool) -> str:
    """What a range allows, in words or as an interval."""
    low, high = about.get("least", about.get("above")), about.get("most", about.get("below"))
    if low is None or high is None:
        words = {"least": "from", "above": "above", "most": "up to", "below": "below"}
        ((name, bound),) = ((name, about[name]) for name in words if name in about)
        if not is_float:
            return f"{'at least' if name == 'least' else words[name]} {bound}"
        return f"{words[name]} {bound}{',' if name == 'least' else ''} and finite"
    if not is_float:
        return f"from {low} to {high}"
    if "above" in about and "below" in about:
        return f"between {low} and {high}"
    return f"in {'[' if 'least' in about else '('}{low}, {high}{']' if 'most' in about else ')'}"


def read_yaml(path) -> dict:
    """The settings of a YAML file.

    Raises:
        InputError: If the file is missing, not UTF-8, or no mapping of names to values, a name stands in it
            twice or a value is an impossible date or number.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such configuration file")
    if Path(path).stat().st_size > _LARGEST_YAML:
        raise InputError(f"{path}: larger than any configuration; name the file with the settings")
    try:
        settings = yaml.load(Path(path).read_text(encoding="utf-8"), _StrictLoader)
    except InputError as error:
        raise InputError(f"{path}, {error}") from None
    except (yaml.YAMLError, RecursionError) as error:
        # Its full message quotes the file, which may be one of notes, given by mistake.
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise InputError(f"{place}: not YAML; write one 'name: value' a line") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise InputError(f"{path}: expected names and values, as in 'loss: whml'")
    return settings


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that names the line of a repeated key, whose first value YAML drops, and of a bad value."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise InputError(
                        f"line {key.start_mark.line + 1}: the key {shown_word(key.value)} is there twice; keep one"
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def construct_object(self, node, deep=False):
        try:
            return super().construct_object(node, deep)
        except InputError:
            raise
        except ValueError:
            line = node.start_mark.line + 1
            raise InputError(f"line {line}: no such date or number; correct the value or quote it") from None


_TYPES = {
    "str": str,
    "float": (float, int),
    "int": int,
    "bool": bool,
    "None": type(None),
    "tuple": (list, tuple),
    "dict": dict,
}


def _type_name(annotation) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _fits(value, allowed: str) -> bool:
    names = allowed.split(" | ")
    if isinstance(value, bool):
        return "bool" in names
    return any(isinstance(value, _TYPES[name.split("[")[0]]) for name in names)
