"""The features of codes: by the rules and groupings of ICD, by titles, and by the place in the hierarchy."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from icd_relevancy.codes import groupings
from icd_relevancy.codes.leaf_values import LeafValues
from icd_relevancy.codes.rules import CodeMatcher, boolean_rules, value_rules
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.files.packaged import packaged_yaml

GROUPS = ("usage", "severity", "procedure", "specialty", "grouping", "descriptor", "hierarchy")
KINDS = ("boolean", "ordinal", "categorical", "multiple", "text")
RULE_GROUPS = GROUPS[:3]
_ICD_LEVELS = {"icd10cm": ("chapter", "block", "category"), "icd9cm": ("chapter", "category")}
ATC_CODE = re.compile(r"([A-Z])(?:([0-9]{2})(?:([A-Z])(?:([A-Z])([0-9]{2})?)?)?)?")
_ICD_CODE = re.compile(
    r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?|\d{3}(\.\d{1,2})?|V\d\d(\.\d{1,2})?|E\d{3}(\.\d)?"
)
_SEPARATOR = re.compile(r"[^0-9A-Za-z]+")


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


Column = tuple[Feature, object]


def icd_features(system: CodeSystem, edition: int) -> list[Column]:
    """The features of every node of ICD-10-CM or ICD-9-CM that do not follow from the hierarchy, with their values."""
    spread = LeafValues(system)
    matcher = CodeMatcher.from_leaves(system, edition)
    return [
        *_by_rules(matcher, spread),
        *_of_values(matcher, spread),
        _specialty(matcher, spread),
        *_groupings(system, edition, spread),
    ]


def _by_rules(matcher: CodeMatcher, spread: LeafValues) -> list[Column]:
    columns = []
    for group in RULE_GROUPS:
        # A restriction of usage must hold for all codes below a node, so that no code is restricted that may be
        # used; anything else for most.
        over_groups = spread.all_of if group == "usage" else spread.most_of
        for name, rule in boolean_rules(group).items():
            feature = Feature(name, group, "boolean", rule.description)
            columns.append((feature, over_groups(matcher.matching(rule))))
    return columns


def _of_values(matcher: CodeMatcher, spread: LeafValues) -> list[Column]:
    columns = []
    for name, feature in value_rules().items():
        is_number = feature.kind == "ordinal"
        values = np.full(len(matcher.codes), None, dtype=object)
        for rule in reversed(feature.rules):
            values[matcher.matching(rule)] = float(rule.value) if is_number else rule.value or None
        shared = spread.shared(values)
        if is_number:
            shared = np.array([0.0 if value is None else value for value in shared])
        columns.append((Feature(name, "severity", feature.kind, feature.description), shared))
    return columns


def _specialty(matcher: CodeMatcher, spread: LeafValues) -> Column:
    table = specialty_table()
    treated, last_resort = (
        {name: matcher.within(places[f"icd{matcher.edition}"]) for name, places in table[key].items()}
        for key in ("specialties", "last_resort")
    )
    names = np.array(list(treated))
    specialties = [tuple(names[claims].tolist()) for claims in np.array(list(treated.values())).T]
    for name, is_within in last_resort.items():
        specialties = [
            claims or (name,) * bool(within) for claims, within in zip(specialties, is_within, strict=True)
        ]
    feature = Feature("specialty", "specialty", "multiple", table["description"])
    return feature, spread.shared_of_several(specialties)


@cache
def specialty_table() -> dict:
    """The places that each of the `specialties` treats, and those of `last_resort`; `specialties.yaml`."""
    return packaged_yaml(__package__, "specialties.yaml")


def _groupings(system: CodeSystem, edition: int, spread: LeafValues) -> list[Column]:
    keys = [code.replace(".", "") for code in system.leaves]
    category, body, chronic = (
        _nearest_listed(keys, listed(edition))
        for listed in (groupings.clinical_categories, groupings.body_systems, groupings.chronic_conditions)
    )
    table = groupings.complex_conditions(edition)
    conditions = table.category.groupby(level=0).agg(lambda names: tuple(sorted(set(names)))).to_dict()
    values = {
        "clinical_category": spread.shared_of_several([(name,) if name else () for name in category]),
        "body_system": spread.shared(np.array(body, dtype=object)),
        "chronic_condition": spread.shared(np.array(chronic, dtype=object)),
        "complex_condition": spread.shared_of_several([_listed_start(key, conditions) or () for key in keys]),
    }
    for name in ("technology_dependent", "complex_transplant"):
        listed = table[name].groupby(level=0).any().to_dict()
        values[name] = spread.most_of(np.array([bool(_listed_start(key, listed)) for key in keys]))
    features = groupings.grouping_table()["features"]
    return [
        (Feature(name, "grouping", features[name]["kind"], features[name]["description"]), column)
        for name, column in values.items()
    ]


def _nearest_listed(keys: list[str], listed: dict[str, str]) -> list[str | None]:
    """The listed value of each leaf; a leaf that is newer than the list has that of the first listed code with
    the most leading characters in common, at least its category."""
    starts: dict[str, str] = {}
    for key, value in listed.items():
        for length in range(3, len(key)):
            starts.setdefault(key[:length], value)
    starts.update(listed)
    return [_listed_start(key, starts) for key in keys]


def _listed_start(key: str, listed: dict[str, object]) -> object:
    """The value of the longest listed code that a code begins with: a list may end above the billable code."""
    return next((listed[key[:n]] for n in range(len(key), 2, -1) if key[:n] in listed), None)


def descriptor_features(system: CodeSystem) -> list[Column]:
    """The title and the inclusion terms of every code, and how long they are."""
    titles = [system.titles[code] for code in system.codes]
    terms = [system.terms.get(code, ()) for code in system.codes]
    columns = [
        (Feature("title", "descriptor", "text", "The title."), titles),
        (
            Feature("title_words", "descriptor", "ordinal", "Words of the title: long titles are exact."),
            [float(len(title.split())) for title in titles],
        ),
    ]
    if any(terms):
        columns += [
            (
                Feature("inclusion_terms", "descriptor", "text", "Other names of the condition."),
                ["; ".join(names) for names in terms],
            ),
            (
                Feature("inclusion_term_count", "descriptor", "ordinal", "How many other names are listed."),
                [float(len(names)) for names in terms],
            ),
        ]
    return columns


def hierarchy_features(system: CodeSystem) -> list[Column]:
    """The groups that each code lies in, its depth, and its parts by position."""
    paths = [system.paths[code] for code in system.codes]
    levels = _ICD_LEVELS.get(system.name) or [f"level_{n}" for n in range(1, max(map(len, paths)))]
    columns = [
        (
            Feature(name, "hierarchy", "categorical", f"The {name.replace('_', ' ')} that the code lies in."),
            _each(paths, depth),
        )
        for depth, name in enumerate(levels)
    ]
    depths = [float(len(path) - 1) for path in paths]
    columns.append((Feature("depth", "hierarchy", "ordinal", "Levels above the code."), depths))
    parts = list(code_positions(system).values())
    for number in range(1, max(map(len, parts)) + 1):
        feature = Feature(f"position_{number}", "hierarchy", "categorical", f"Part {number} of the code.")
        columns.append((feature, _each(parts, number - 1)))
    return columns


def _each(rows: list[tuple[str, ...]], position: int) -> list[str | None]:
    return [row[position] if len(row) > position else None for row in rows]


def code_positions(system: CodeSystem) -> dict[str, tuple[str, ...]]:
    """The parts that each code of a system is made of, first to last.

    Codes of ICD fall into their characters (B37.81 → B, 3, 7, 8, 1; NNBSVR §3.1.2), those of ATC into their
    levels (A10BA02 → A, 10, B, A, 02; NNBSVR §5.4). In any other system a code that begins with the code above
    it falls into what each level adds, else into the parts between its separators, or into its characters
    where it has none. A group of codes (a chapter or block) has the parts that all codes below it begin with.
    """
    leaves = system.leaves
    # All of the leaves must fit, as a national edition may add groups only.
    if all(map(ATC_CODE.fullmatch, leaves)) and max(map(len, leaves)) > 3:
        parts = {
            code: tuple(filter(None, match.groups()))
            for code in system.codes
            if (match := ATC_CODE.fullmatch(code))
        }
    elif all(map(_ICD_CODE.fullmatch, leaves)):
        parts = {
            code: tuple(code.replace(".", ""))
            for code, path in system.paths.items()
            if _ICD_CODE.fullmatch(code) and len(path) > system.category_level
        }
    else:
        return {code: _parts(code, path) for code, path in system.paths.items()}
    for code in reversed(system.codes):
        if code not in parts:
            parts[code] = _common([parts[below] for below in system.children(code)])
    return {code: parts[code] for code in system.codes}


def _parts(code: str, path: tuple[str, ...]) -> tuple[str, ...]:
    if len(path) > 1 and all(below.startswith(above) for above, below in pairwise(path)):
        added = (below[len(above) :] for above, below in pairwise(("", *path)))
        return tuple(_SEPARATOR.sub("", part) for part in added)
    separated = tuple(part for part in _SEPARATOR.split(code) if part)
    return separated if len(separated) > 1 else tuple(code)


def _common(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    agreed = 0
    while parts and all(len(p) > agreed for p in parts) and len({p[agreed] for p in parts}) == 1:
        agreed += 1
    return parts[0][:agreed] if parts else ()
