"""ICD-10-CM, the clinical modification used in the United States."""

import warnings
from functools import cache
from itertools import pairwise

from icd_relevancy.codes.system import CodeSystem


@cache
def icd10cm() -> CodeSystem:
    """ICD-10-CM as published in the tabular list of the installed `simple-icd-10-cm`.

    Chapters are named `"1"` to `"22"`, blocks by their range (`"J09-J18"`), codes carry their dot and, where
    the list asks for it, their seventh character. A block that holds a single category of the same name is
    written as a range too (`"C7A-C7A"`), so that every node has a name of its own. The list is read once
    (about two seconds).

    Returns:
        A `CodeSystem` with chapter, block, category, subcategory and extended code nodes.

    Example:
        >>> from icd_relevancy.codes import icd10cm
        >>> icd10cm().title("E11.65"), icd10cm().ancestors("E11.65")
        ('Type 2 diabetes mellitus with hyperglycemia', ('E11.6', 'E11', 'E08-E13', '4'))
    """
    with warnings.catch_warnings():
        # The package reads its files through a deprecated call; the user can do nothing about it.
        warnings.simplefilter("ignore", DeprecationWarning)
        import simple_icd_10_cm as tabular

    listed = tabular.get_all_codes(True)
    single_category_blocks = {first for first, second in pairwise(listed) if first == second}
    codes: list[str] = []
    titles, parents, terms, notes = {}, {}, {}, {}
    seen = set()
    for name in listed:
        is_block = name in single_category_blocks and name not in seen
        seen.add(name)
        code = f"{name}-{name}" if is_block else name
        codes.append(code)
        titles[code] = tabular.get_description(name, prioritize_blocks=is_block)
        parent = tabular.get_parent(name, prioritize_blocks=is_block) or None
        parents[code] = f"{parent}-{parent}" if parent == name else parent
        if found := tabular.get_inclusion_term(name, prioritize_blocks=is_block):
            terms[code] = tuple(found)
        if found := tabular.get_includes(name, prioritize_blocks=is_block):
            notes[code] = tuple(found)
    return CodeSystem("icd10cm", tuple(codes), titles, parents, terms, notes, category_level=2)
