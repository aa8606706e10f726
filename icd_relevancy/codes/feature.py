"""A feature of codes."""

from dataclasses import dataclass

GROUPS = ("usage", "severity", "procedure", "specialty", "grouping", "descriptor", "hierarchy")
KINDS = ("boolean", "ordinal", "categorical", "multiple", "text")


@dataclass(frozen=True)
class Feature:
    """One feature of codes.

    Args:
        name: column of the table.
        group: `"usage"`, `"severity"`, `"procedure"`, `"specialty"`, `"grouping"`, `"descriptor"` or
            `"hierarchy"` (NNBSVR §3.1.2).
        kind: `"boolean"`, `"ordinal"` (a number), `"categorical"` (one text, or missing), `"multiple"` (a tuple
            of texts) or `"text"`.
        description: what the feature says.
    """

    name: str
    group: str
    kind: str
    description: str
