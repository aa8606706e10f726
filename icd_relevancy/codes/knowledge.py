"""One table of knowledge per code: what it may be used for, how severe it is, who treats it, where it stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from icd_relevancy.codes.edits import read_code_edits
from icd_relevancy.codes.features import (
    Column,
    Feature,
    descriptor_features,
    hierarchy_features,
    icd_features,
)
from icd_relevancy.codes.icd import PACKAGED, general_equivalence_mappings
from icd_relevancy.codes.leaf_values import LeafValues
from icd_relevancy.codes.rules import value_rules
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.errors import InputError, shown_word

_EDITIONS = {"icd10cm": 10, "icd9cm": 9}
_MOST_WORDS, _MOST_TITLE_WORDS = 80, 30
_RANGE = re.compile(r"\s*\([A-Z0-9]{3,4}(-[A-Z0-9]{3,4})?\)$")


@dataclass(frozen=True, eq=False)
class CodeKnowledge:
    """What is known of every code of a system (NNBSVR §3.1).

    Args:
        code_system: the code system.
        features: the features, in the order of the columns.
        table: one row a code (index: every code of the system in its order), one column a feature. By kind of
            the feature: `bool`; `float` (NaN where unknown); pandas categories (missing where nothing fits);
            tuples of texts; texts (empty where there is none).

    Example:
        >>> from icd_relevancy.codes import code_knowledge
        >>> known = code_knowledge("icd9cm")
        >>> bool(known.table.loc["600.00", "male_only"])
        True
    """

    code_system: CodeSystem
    features: tuple[Feature, ...]
    table: pd.DataFrame = field(repr=False)

    def with_code_edits(self, path: str | Path) -> "CodeKnowledge":
        """The same knowledge, with Medicare's lists in place of the rules for the usage that they cover.

        A listed code has the feature. A code that is not listed lacks it, unless it is newer than the lists (it
        is not in the General Equivalence Mappings): then the rule stands. Of several versions the newest for
        the system's edition of ICD counts. Note that newer versions list only the few newborn codes that are
        no matter of the perinatal chapter.

        Args:
            path: a folder with the lists of the Medicare Code Editor and of the codes exempt from
                present-on-admission flags (`*.txt`), or one of them: tab-separated files as published by the Centers
                for Medicare & Medicaid Services. A file of edits has the columns `MCE_Version`, `ICD_Version`,
                `MCE_Edit_Type`, `ICD_Code_Type` and `ICD_Code`, one of exempt codes the column `POAexemptCode`
                (ICD-10-CM only).

        Raises:
            InputError: the lists cannot be read, none has one of these layouts or is of the system's edition, or
                the code system is not ICD-10-CM or ICD-9-CM.

        Example:
            >>> from pathlib import Path
            >>> from tempfile import mkdtemp
            >>> from icd_relevancy.codes import code_knowledge
            >>> path = Path(mkdtemp()) / "edits.txt"
            >>> columns = "MCE_Version ICD_Version MCE_Edit_Type ICD_Code_Type ICD_Code".split()
            >>> _ = path.write_text("\\t".join(columns) + "\\n" + "\\t".join("32 9 Male_Only D 4280".split()))
            >>> known = code_knowledge("icd9cm").with_code_edits(path)
            >>> bool(known.table.loc["428.0", "male_only"]), bool(known.table.loc["600.00", "male_only"])
            (True, False)
        """
        system = self.code_system
        edition = _EDITIONS.get(system.name)
        if edition is None:
            raise InputError(f"{path}: Medicare's lists fit icd10cm and icd9cm, not {system.name}")
        spread, leaves = LeafValues(system), list(system.leaves)
        mappings = general_equivalence_mappings()
        sources = mappings.source[mappings.direction == f"{edition}to{19 - edition}"].unique()
        is_old = np.isin(np.array(leaves), np.array(sources, dtype=str))
        table = self.table.copy()
        for feature, keys in read_code_edits(path, edition).items():
            # A listed code stands for those into which a later edition subdivided it.
            listed = {code for code in system.codes if code.replace(".", "") in keys}
            is_listed = np.array([not listed.isdisjoint(system.paths[leaf]) for leaf in leaves])
            by_rule = table.loc[leaves, feature].to_numpy()
            table[feature] = spread.all_of(np.where(is_old | is_listed, is_listed, by_rule))
        return replace(self, table=table)

    def words(self, code: str) -> str:
        """A code in words, for a text encoder: its title, what is set, and where it stands.

        Args:
            code: a code of the system.

        Returns:
            At most 80 words; where there is more to say, the last features are left out.

        Raises:
            InputError: the code is unknown.

        Example:
            >>> from icd_relevancy.codes import code_knowledge
            >>> code_knowledge("icd9cm").words("185").split(". ")[:3]
            ['Malignant neoplasm of prostate', 'Male only', 'Malignant']
        """
        title = " ".join(_RANGE.sub("", self.code_system.title(code)).split()[:_MOST_TITLE_WORDS])
        place = _place(self.code_system, code, title)
        room = _MOST_WORDS - len(f"{title} {place}".split())
        phrases = []
        for feature, value in zip(self.features, self._rows[code], strict=True):
            phrase = _phrase(feature, value)
            if phrase and len(phrase.split()) <= room:
                phrases.append(phrase)
                room -= len(phrase.split())
        return ". ".join(part for part in (title, *phrases, place) if part)

    @cached_property
    def _rows(self) -> dict[str, tuple[object, ...]]:
        """Rows as tuples: looking up a row in a table of many types is slow."""
        return dict(zip(self.table.index, self.table.itertuples(index=False, name=None), strict=True))


def code_knowledge(code_system: str | CodeSystem = "icd10cm") -> CodeKnowledge:
    """What the installed packages and general rules know of a code system.

    ICD-10-CM and ICD-9-CM have usage, severity, procedure, specialty and grouping features, any other system
    its titles and its hierarchy. A boolean of usage holds for a chapter, block or category where it holds for
    all codes below it; any other feature has the value that more than half of the codes below share. A feature
    that is the same for all codes is left out. Built once a system (about ten seconds for ICD-10-CM) and
    shared: do not write into its table.

    Args:
        code_system: `"icd10cm"`, `"icd9cm"` or a `CodeSystem`. Defaults to `"icd10cm"`.

    Returns:
        A `CodeKnowledge`.

    Raises:
        InputError: the name is not one of those.

    Example:
        >>> from icd_relevancy.codes import code_knowledge
        >>> known = code_knowledge("icd9cm")
        >>> known.table.loc["250.01", "specialty"]
        ('Endocrinology', 'Family Medicine', 'Internal Medicine')
    """
    if isinstance(code_system, str):
        if code_system not in PACKAGED:
            raise InputError(
                f"no knowledge of {shown_word(code_system)}: expected {' or '.join(PACKAGED)}, or a CodeSystem; "
                "read a table of your own with knowledge_from_table"
            )
        code_system = PACKAGED[code_system]()
    return _knowledge(code_system)


@cache
def _knowledge(system: CodeSystem) -> CodeKnowledge:
    edition = _EDITIONS.get(system.name)
    columns = icd_features(system, edition) if edition else []
    known = from_columns(system, [*columns, *descriptor_features(system), *hierarchy_features(system)])
    # ICD-9-CM tells neither trimesters nor underdosing; a constant column says nothing of any code.
    kept = tuple(
        feature
        for feature in known.features
        if feature.kind == "text" or len(known.table[feature.name].unique()) > 1
    )
    return replace(known, features=kept, table=known.table[[feature.name for feature in kept]])


def from_columns(system: CodeSystem, columns: Iterable[Column]) -> CodeKnowledge:
    """Knowledge of a system from features, each with its values in the order of the system's codes."""
    columns = list(columns)
    table = pd.DataFrame({feature.name: _typed(feature.kind, values) for feature, values in columns})
    table.index = pd.Index(system.codes, name="code")
    return CodeKnowledge(system, tuple(feature for feature, _ in columns), table)


def _typed(kind: str, values: object) -> pd.Series:
    if kind == "categorical":
        return pd.Series(pd.Categorical(values))
    return pd.Series(list(values), dtype={"boolean": bool, "ordinal": float}.get(kind, object))


def _phrase(feature: Feature, value: object) -> str:
    """A feature and its value in words; empty where it says nothing."""
    # Positions, counts and category numbers mean nothing to a language model; texts are the title again.
    if feature.group in ("descriptor", "hierarchy") or feature.name == "clinical_category":
        return ""
    name = feature.name.replace("_", " ").capitalize()
    if feature.kind == "boolean":
        return name if value else ""
    if feature.kind == "multiple":
        return f"{name}: {', '.join(value)}" if value else ""
    if feature.kind == "ordinal":
        rules = value_rules().get(feature.name)
        if rules and (words := rules.words):
            return f"{name}: {words[value]}" if value in words else ""
        return f"{name}: {value:g}" if value == value else ""
    return f"{name}: {value}" if isinstance(value, str) and value else ""


def _place(system: CodeSystem, code: str, title: str) -> str:
    """The groups that a code lies in, outermost first, without the titles that repeat themselves."""
    groups, known = [], {title.lower()}
    room = _MOST_WORDS // 2
    for level, above in enumerate(system.paths[code][:-1]):
        if system.category_level and level > system.category_level:
            continue
        words = _RANGE.sub("", system.title(above))
        if words.lower() not in known and len(words.split()) <= room:
            known.add(words.lower())
            groups.append(words)
            room -= len(words.split())
    return "; ".join(groups)
