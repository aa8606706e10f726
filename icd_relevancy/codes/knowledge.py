"""One table of knowledge per code: what it may be used for, how severe it is, who treats it, where it stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from icd_relevancy.codes.code_edits import read_code_edits
from icd_relevancy.codes.feature import Feature
from icd_relevancy.codes.feature_words import feature_words
from icd_relevancy.codes.gems import general_equivalence_mappings
from icd_relevancy.codes.icd9cm import icd9cm
from icd_relevancy.codes.icd10cm import icd10cm
from icd_relevancy.codes.icd_features import icd_features
from icd_relevancy.codes.leaf_values import LeafValues, code_paths
from icd_relevancy.codes.plain_features import descriptor_features, hierarchy_features
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.errors import InputError, shown_word

EDITIONS = {"icd10cm": 10, "icd9cm": 9}
PACKAGED = {"icd10cm": icd10cm, "icd9cm": icd9cm}


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
            path: the folder of the lists of the Medicare Code Editor and of the codes exempt from
                present-on-admission flags, or one of its files, as in `code_edits.read_code_edits`.

        Raises:
            InputError: the lists cannot be read, or the code system is not ICD-10-CM or ICD-9-CM.

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
        edition = EDITIONS.get(system.name)
        if edition is None:
            raise InputError(f"{path}: Medicare's lists fit icd10cm and icd9cm, not {system.name}")
        spread = LeafValues(system)
        leaves = list(system.leaves)
        mappings = general_equivalence_mappings()
        of_edition = mappings.source[mappings.direction == f"{edition}to{19 - edition}"]
        covered = np.isin(np.array(leaves), np.array(of_edition.unique(), dtype=str))
        table = self.table.copy()
        for feature, listed in read_code_edits(path, edition).items():
            held = _listed(system, listed)
            by_rule = table.loc[leaves, feature].to_numpy()
            table[feature] = spread.all_of(np.where(covered | held, held, by_rule))
        return replace(self, table=table)

    def words(self, code: str) -> str:
        """A code in words, for a text encoder: its title, what is set, and where it stands.

        Args:
            code: a code of the system.

        Returns:
            At most 80 words.

        Raises:
            InputError: the code is unknown.

        Example:
            >>> from icd_relevancy.codes import code_knowledge
            >>> code_knowledge("icd9cm").words("185").split(". ")[:3]
            ['Malignant neoplasm of prostate', 'Male only', 'Malignant']
        """
        return feature_words(self.code_system, code, self.features, self._row(code))

    def _row(self, code: str) -> tuple[object, ...]:
        self.code_system.title(code)
        return self._rows[code]

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
    edition = EDITIONS.get(system.name)
    columns = icd_features(system, edition) if edition else []
    known = from_columns(system, [*columns, *descriptor_features(system), *hierarchy_features(system)])
    # ICD-9-CM tells neither trimesters nor underdosing; a constant column says nothing of any code.
    kept = tuple(
        feature
        for feature in known.features
        if feature.kind == "text" or len(known.table[feature.name].unique()) > 1
    )
    return replace(known, features=kept, table=known.table[[feature.name for feature in kept]])


def from_columns(system: CodeSystem, columns: Iterable[tuple[Feature, object]]) -> CodeKnowledge:
    """Knowledge of a system from features, each with its values in the order of the system's codes.

    Args:
        system: the code system.
        columns: pairs of a feature and its values.
    """
    columns = list(columns)
    table = pd.DataFrame({feature.name: _typed(feature.kind, values) for feature, values in columns})
    table.index = pd.Index(system.codes, name="code")
    return CodeKnowledge(system, tuple(feature for feature, _ in columns), table)


def _typed(kind: str, values: object) -> pd.Series:
    if kind == "categorical":
        return pd.Series(pd.Categorical(values))
    return pd.Series(list(values), dtype={"boolean": bool, "ordinal": float}.get(kind, object))


def _listed(system: CodeSystem, listed: frozenset[str]) -> np.ndarray:
    """Which leaves are listed, themselves or by a code above them that a later edition subdivided."""
    paths = code_paths(system)
    held = {code for code in system.codes if code.replace(".", "") in listed}
    return np.array([not held.isdisjoint(paths[leaf]) for leaf in system.leaves])
