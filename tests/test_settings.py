"""What settings allow, and how they say so; YAML and the messages of a configuration are in training/notes."""

from dataclasses import dataclass

import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.settings import Settings, UnheededError, from_mapping, setting


@dataclass(frozen=True)
class Ranges(Settings):
    count: int = setting(3, least=1)
    seed: int = setting(0, least=0, most=9)
    share: float = setting(0.5, least=0, most=1)
    dropout: float | None = setting(None, least=0, below=1)
    part: float = setting(0.5, above=0, below=1)
    rate: float = setting(0.1, above=0)
    decay: float = setting(0.0, least=0)
    side: str = setting("left", one_of=("left", "right"))
    hue: str | None = setting(None, one_of=(None, "red", "blue"))
    free: tuple = ()


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("count", (0, -1, True, "3", float("nan")), "at least 1"),
        ("seed", (-1, 10), "from 0 to 9"),
        ("share", (-0.1, 1.1, float("nan")), "in [0, 1]"),
        ("dropout", (1.0, -0.1), "in [0, 1)"),
        ("part", (0, 1), "between 0 and 1"),
        ("rate", (0, float("inf"), None), "above 0 and finite"),
        ("decay", (-1, float("inf")), "from 0, and finite"),
        ("side", ("up", None), "left or right"),
        ("hue", ("green",), "one of None, red, blue"),
    ],
)
def test_a_value_out_of_range_is_named(name, values, allowed):
    for value in values:
        with pytest.raises(InputError) as caught:
            Ranges(**{name: value})
        assert str(caught.value).startswith(f"{name} must be {allowed}. Received: {name}=")


def test_bounds_belong_to_the_range_or_not():
    settings = {"count": 1, "seed": 9, "share": 1, "dropout": 0, "part": 0.01, "rate": 1e-9, "hue": "red"}
    assert Ranges.from_mapping(settings) == Ranges(**settings)
    assert Ranges(**settings).to_dict() == {**Ranges().to_dict(), **settings}
    assert Ranges().dropout is None


def test_names_and_types_are_checked():
    with pytest.raises(InputError, match=r"^a\.yaml: unknown key 'cont'; the keys are count, seed"):
        Ranges.from_mapping({"cont": 1}, "a.yaml")
    with pytest.raises(InputError, match=r"^a\.yaml: count must be int\. Received: count=2\.5"):
        from_mapping(Ranges, {"count": 2.5}, "a.yaml")
    with pytest.raises(InputError, match=r"^a\.yaml: seed must be from 0 to 9"):
        Ranges.from_mapping({"seed": 10}, "a.yaml")


def test_what_nothing_heeds_is_left_out_of_a_trained_model():
    @dataclass(frozen=True)
    class Picky(Ranges):
        def __post_init__(self):
            super().__post_init__()
            if self.count > 5:
                raise UnheededError("count", "count is of no use here")

    with pytest.raises(InputError, match="mine: count is of no use here"):
        Picky.from_mapping({"count": 6, "seed": 2}, "mine")
    assert Picky.from_trained({"count": 6, "seed": 2}, "mine") == Picky(seed=2)
