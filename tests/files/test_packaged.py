"""The tables of words and rules that come with the package."""

import configparser
from fnmatch import fnmatch

import pytest
import yaml
from conftest import REPOSITORY

from icd_relevancy.files.packaged import packaged_yaml

PACKAGE = REPOSITORY / "icd_relevancy"
TABLES = sorted(PACKAGE.rglob("*.yaml"))


def mappings(node: yaml.Node):
    if isinstance(node, yaml.MappingNode):
        yield node
    for part in node.value if isinstance(node, yaml.CollectionNode) else ():
        for inner in part if isinstance(part, tuple) else (part,):
            yield from mappings(inner)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.parent.name}/{table.name}")
def test_no_key_stands_twice(table):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for mapping in mappings(yaml.compose(table.read_text(encoding="utf-8"), loader)):
        keys = [key.value for key, _ in mapping.value]
        assert len(set(keys)) == len(keys), [key for key in keys if keys.count(key) > 1]


def test_every_scalar_is_text():
    chronic = packaged_yaml("icd_relevancy.data.synthetic", "clinical.yaml")["chronic"]
    assert chronic["I10"] == [".02", ".3", ".62"]
    words = packaged_yaml("icd_relevancy.text.assertion", "cues.yaml")["words"]
    assert {"no", "false", "0"} < set(words["negative answers"].split())


def test_every_table_is_in_the_wheel():
    settings = configparser.ConfigParser()
    settings.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    patterns = {room: names.split() for room, names in settings["options.package_data"].items()}
    for table in [*TABLES, *PACKAGE.rglob("*.csv")]:
        room = ".".join(table.relative_to(REPOSITORY).parent.parts)
        assert any(fnmatch(table.name, pattern) for pattern in patterns.get(room, ())), table
