"""All features of ICD codes that do not follow from any hierarchy: usage, severity, care, specialty, groupings."""

import numpy as np

from icd_relevancy.codes import groupings, title_features
from icd_relevancy.codes.cause_rules import CAUSE_RULES
from icd_relevancy.codes.feature import Feature
from icd_relevancy.codes.leaf_values import LeafValues
from icd_relevancy.codes.procedure_rules import PROCEDURE_RULES
from icd_relevancy.codes.rules import CodeMatcher
from icd_relevancy.codes.severity_rules import SEVERITY_RULES
from icd_relevancy.codes.specialties import LAST_RESORT, SPECIALTIES
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.codes.usage_rules import USAGE_RULES

RULES = USAGE_RULES + SEVERITY_RULES + CAUSE_RULES + PROCEDURE_RULES


def icd_features(system: CodeSystem, edition: int) -> list[tuple[Feature, object]]:
    """The features of every node of an ICD system, each with its column.

    Args:
        system: ICD-10-CM or ICD-9-CM.
        edition: 10 or 9.
    """
    spread = LeafValues(system)
    matcher = CodeMatcher.of_leaves(system, edition)
    found: list[tuple[Feature, object]] = []
    for rule in RULES:
        values = matcher.matching(rule)
        found.append(
            (
                Feature(rule.name, rule.group, "boolean", rule.description),
                over_groups(rule.group, spread, values),
            )
        )
    for name, values in title_features.title_values(matcher).items():
        feature = Feature(name, "severity", "categorical", title_features.DESCRIPTIONS[name])
        found.append((feature, spread.shared(values)))
    for name, values in title_features.title_orders(matcher).items():
        feature = Feature(name, "severity", "ordinal", title_features.DESCRIPTIONS[name])
        shared = spread.shared(values)
        found.append((feature, np.array([0.0 if value is None else value for value in shared])))
    found.append(_specialty(matcher, spread))
    found.extend(_groupings(system, edition, spread))
    return found


def over_groups(group: str, spread: LeafValues, values: np.ndarray) -> np.ndarray:
    """A boolean of the leaves over all nodes: a restriction of usage must hold for all codes below a node, so
    that no code is restricted that may be used; anything else for most."""
    return spread.all_of(values) if group == "usage" else spread.most_of(values)


def _specialty(matcher: CodeMatcher, spread: LeafValues) -> tuple[Feature, object]:
    feature = Feature(
        "specialty",
        "specialty",
        "multiple",
        "The specialties (of 24, LOSSES §4.1) that make, treat or follow it; where none claims it, Family Medicine "
        "for health services and circumstances, else Internal Medicine.",
    )
    held = np.array(
        [matcher.within(places.icd10 if matcher.edition == 10 else places.icd9) for places in SPECIALTIES]
    )
    claimed = [
        tuple(places.name for places, holds in zip(SPECIALTIES, leaf, strict=True) if holds)
        for leaf in held.T
    ]
    for name, icd10, icd9 in LAST_RESORT:
        within = matcher.within(icd10 if matcher.edition == 10 else icd9)
        claimed = [names or (name,) * bool(holds) for names, holds in zip(claimed, within, strict=True)]
    return feature, spread.shared_of_several(claimed)


def _groupings(system: CodeSystem, edition: int, spread: LeafValues) -> list[tuple[Feature, object]]:
    keys = [code.replace(".", "") for code in system.leaves]
    category, body, chronic = (
        np.array(_nearest_listed(keys, listed(edition)), dtype=object)
        for listed in (groupings.clinical_categories, groupings.body_systems, groupings.chronic_conditions)
    )
    categories = [() if name is None else (name,) for name in category]
    found = [
        (_grouping("clinical_category", "multiple"), spread.shared_of_several(categories)),
        (_grouping("body_system", "categorical"), spread.shared(body)),
        (_grouping("chronic_condition", "categorical"), spread.shared(chronic)),
    ]
    table = groupings.complex_conditions(edition)
    by_key = table.category.groupby(level=0).agg(lambda names: tuple(sorted(set(names)))).to_dict()
    conditions = [_listed_start(key, by_key) or () for key in keys]
    found.append((_grouping("complex_condition", "multiple"), spread.shared_of_several(conditions)))
    for name in ("technology_dependent", "complex_transplant"):
        by_key = table[name].groupby(level=0).any().to_dict()
        held = np.array([bool(_listed_start(key, by_key)) for key in keys])
        found.append((_grouping(name, "boolean"), spread.most_of(held)))
    return found


def _grouping(name: str, kind: str) -> Feature:
    return Feature(name, "grouping", kind, groupings.DESCRIPTIONS[name])


def _nearest_listed(keys: list[str], listed: dict[str, str]) -> list[str | None]:
    """The listed value of each leaf; a leaf that is newer than the list has that of the first listed code with
    the most leading characters in common, at least its category."""
    starts: dict[str, str] = {}
    for key, value in listed.items():
        for length in range(3, len(key)):
            starts.setdefault(key[:length], value)
    starts.update(listed)
    return [
        next((starts[key[:n]] for n in range(len(key), 2, -1) if key[:n] in starts), None) for key in keys
    ]


def _listed_start(key: str, listed: dict[str, object]) -> object:
    """The value of the longest listed code that a code begins with: a list may end above the billable code."""
    return next((listed[key[:n]] for n in range(len(key), 2, -1) if key[:n] in listed), None)
