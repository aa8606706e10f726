"""Tables of words and rules that come with the package."""

from importlib.resources import files


def packaged_yaml(package: str, name: str):
    """The content of a YAML file of a package, every scalar as text: NO, 070 and 1E3 are words and codes here."""
    import yaml  # not at the top: most of what imports this module never asks for a file

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    return yaml.load((files(package) / name).read_text(encoding="utf-8"), loader)
