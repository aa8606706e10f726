"""Features that any code system has: the title and the place in the hierarchy."""

from icd_relevancy.codes.feature import Feature
from icd_relevancy.codes.leaf_values import code_paths
from icd_relevancy.codes.positions import code_positions
from icd_relevancy.codes.system import CodeSystem

ICD_LEVELS = {"icd10cm": ("chapter", "block", "category"), "icd9cm": ("chapter", "category")}


def descriptor_features(system: CodeSystem) -> list[tuple[Feature, object]]:
    """The title, the inclusion terms and notes, and what they amount to.

    Args:
        system: any code system.
    """
    terms = ["; ".join(system.terms.get(code, ())) for code in system.codes]
    counts = [float(len(system.terms.get(code, ()))) for code in system.codes]
    words = [float(len(system.titles[code].split())) for code in system.codes]
    found = [
        (
            Feature("title", "descriptor", "text", "The title."),
            [system.titles[code] for code in system.codes],
        ),
        (
            Feature("title_words", "descriptor", "ordinal", "Words of the title: long titles are exact."),
            words,
        ),
    ]
    if any(counts):
        found += [
            (Feature("inclusion_terms", "descriptor", "text", "Other names of the condition."), terms),
            (
                Feature("inclusion_term_count", "descriptor", "ordinal", "How many other names are listed."),
                counts,
            ),
        ]
    return found


def hierarchy_features(system: CodeSystem) -> list[tuple[Feature, object]]:
    """The groups that a code lies in, its depth, and its parts by position.

    Args:
        system: any code system.
    """
    paths = list(code_paths(system).values())
    deepest = max(map(len, paths))
    levels = ICD_LEVELS.get(system.name) or tuple(f"level_{n}" for n in range(1, deepest))
    found = [
        (
            Feature(name, "hierarchy", "categorical", f"The {name.replace('_', ' ')} that the code lies in."),
            [path[depth] if len(path) > depth else None for path in paths],
        )
        for depth, name in enumerate(levels)
    ]
    depths = [float(len(path) - 1) for path in paths]
    found.append((Feature("depth", "hierarchy", "ordinal", "Levels above the code."), depths))
    parts = code_positions(system)
    for position in range(max(map(len, parts.values()))):
        values = [parts[code][position] if len(parts[code]) > position else None for code in system.codes]
        description = f"Part {position + 1} of the code."
        found.append((Feature(f"position_{position + 1}", "hierarchy", "categorical", description), values))
    return found
