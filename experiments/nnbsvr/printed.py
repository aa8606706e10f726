"""The features of codes as the paper describes them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.preprocessing import minmax_scale

from icd_relevancy.codes import CodeKnowledge
from icd_relevancy.errors import InputError
from icd_relevancy.vectors.features import checked_groups


def printed_features(
    knowledge: CodeKnowledge, groups: Iterable[str] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Features as the paper has them: one number each, min-max scaled (NNBSVR §3.1.3).

    A categorical feature becomes the rank of its value in alphabetical order, missing first; a feature of
    several values the rank of their combination. Texts have no order and are left to the encoder. A feature
    that is the same for all codes tells nothing and is left out.

    Returns the float32 array `(m, features)` with values in [0, 1], and the features' names.
    """
    wanted = checked_groups(groups)
    columns = {}
    for feature in knowledge.features:
        if feature.group in wanted and feature.kind != "text":
            values = _ranks(knowledge.table[feature.name], feature.kind)
            if values.min() < values.max():
                columns[feature.name] = values
    if not columns:
        raise InputError(
            f"{knowledge.code_system.name}: no feature of {sorted(wanted)} tells two codes apart"
        )
    return minmax_scale(np.column_stack(list(columns.values()))).astype(np.float32), list(columns)


def _ranks(values: pd.Series, kind: str) -> np.ndarray:
    if kind in ("boolean", "ordinal"):
        return values.to_numpy(np.float32, na_value=np.nan_to_num(values.min() if kind == "ordinal" else 0))
    return pd.Categorical(values.map(str, na_action="ignore")).codes.astype(np.float32)
