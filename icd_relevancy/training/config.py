"""Settings that are flat to whoever gives or reads them, and nested inside: those of all, of a model, of a loss."""

from collections.abc import Mapping
from dataclasses import Field, fields
from inspect import Parameter, Signature
from typing import ClassVar, NamedTuple

from icd_relevancy.codes.system import code_system_name
from icd_relevancy.registry import Registry
from icd_relevancy.settings import Settings, check_range, check_types, made

_SYSTEMS = ("code_system", "joint_system")


class Part(NamedTuple):
    """The settings of a thing that the setting `chosen_by` names, of all `things`.

    `neutral` has, as attributes, the settings where a thing has none; None for those of the things by default.
    """

    chosen_by: str
    things: Registry
    neutral: type | None = None

    def settings(self) -> dict[str, Field]:
        """All settings that any of our things has."""
        kinds = map(self.things.settings, self.things.names)
        return {one.name: one for kind in kinds for one in fields(kind)}

    def default(self, name: str):
        """How a setting is by default, also of a thing that has it not."""
        return getattr(self.neutral, name) if self.neutral else self.settings()[name].default


class Configuration(Settings):
    """The base of the configurations of a training: frozen dataclasses with a field for each of `PARTS`.

    A setting of a thing that it names, such as `units` of the model `caml`, is given and read as if it were its own.
    """

    PARTS: ClassVar[Mapping[str, Part]] = {}

    def __init__(self, *values, **settings):
        own = self._own_fields()
        settings = dict(zip([*self.__signature__.parameters][: len(values)], values, strict=True)) | settings
        for name, one in own.items():
            value = settings.pop(name, one.default)
            object.__setattr__(self, name, code_system_name(value) if name in _SYSTEMS else value)
        for name, part in self.PARTS.items():
            kind = part.things.settings(getattr(self, part.chosen_by))
            # `dataclasses.replace` gives the part as it was.
            settings = _kept(settings.pop(name, None), kind) | settings
            chosen = {one.name: settings.pop(one.name) for one in fields(kind) if one.name in settings}
            for system in chosen.keys() & set(_SYSTEMS):
                chosen[system] = code_system_name(chosen[system])
            given = {key: value for key, value in chosen.items() if value is not None}
            object.__setattr__(self, name, kind(**given))
        for name, value in settings.items():
            part = next((part for part in self.PARTS.values() if name in part.settings()), None)
            if part is None:
                raise TypeError(f"{type(self).__name__} has no setting {name!r}")
            if value != part.default(name):
                check_range(part.settings()[name], value)
                self._refuse_foreign(part, name, value)
        self.__post_init__()

    @classmethod
    def _own_fields(cls) -> dict[str, Field]:
        return {one.name: one for one in fields(cls) if one.name not in cls.PARTS}

    @classmethod
    def all_fields(cls) -> dict[str, Field]:
        """Its own settings and those of all models and losses of ours, by name, in the order of the signature."""
        known = cls._own_fields()
        for part in cls.PARTS.values():
            known = {**part.settings(), **known}
        return {name: known[name] for name in cls.__signature__.parameters}

    def _refuse_foreign(self, part: Part, name: str, value) -> None:
        """Raises the `InputError` about a setting of another model or loss."""
        raise NotImplementedError

    def __getattr__(self, name: str):
        # Asked only for what is no field.
        for field, part in () if name.startswith("_") else self.PARTS.items():
            if hasattr(self.__dict__.get(field), name):
                return getattr(self.__dict__[field], name)
            if name in part.settings():
                return part.default(name)
        raise AttributeError(f"{type(self).__name__} has no setting {name!r}")

    def to_dict(self) -> dict:
        """The settings by name, all side by side."""
        settings = {name: getattr(self, name) for name in self._own_fields()}
        for part in self.PARTS:
            settings |= getattr(self, part).to_dict()
        return settings

    @classmethod
    def from_mapping(cls, settings: Mapping, source: str = "the configuration"):
        """A configuration from names and values.

        Raises:
            InputError: Naming an unknown key, or a value of the wrong type.
        """
        # YAML reads a bare 10 as a number.
        spelt = {name: code_system_name(settings[name]) for name in _SYSTEMS if settings.get(name) in (9, 10)}
        settings = {**settings, **spelt}
        known, left_open = cls.all_fields(), set()
        for part in cls.PARTS.values():
            left_open |= {name for name in part.settings() if part.default(name) is None}
            name = settings.get(part.chosen_by)
            if part.things.knows(name) and name not in part.things.names:
                known |= {one.name: one for one in fields(part.things.settings(name))}
        given = {
            name: value for name, value in settings.items() if value is not None or name not in left_open
        }
        check_types(known, given, source)
        return made(cls, settings, source)


def flat_signature(kind: type[Configuration], order: str) -> Signature:
    """What a configuration can be made of, in `order`: its own settings and those of all our models and losses."""
    everything = {name: (one.default, one.type) for name, one in kind._own_fields().items()}
    for part in kind.PARTS.values():
        for name, one in part.settings().items():
            default = part.default(name)
            everything[name] = default, one.type if default is not None else one.type | None
    return Signature(
        [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
            for name, (default, annotation) in ((name, everything[name]) for name in order.split())
        ],
        return_annotation=None,
    )


def _kept(former: Settings | None, kind: type) -> dict:
    """The settings of a part as it was, but for those by default that a part of another kind does not have."""
    return {
        one.name: getattr(former, one.name)
        for one in (() if former is None else fields(former))
        if one.name in kind.__dataclass_fields__ or getattr(former, one.name) != one.default
    }
