"""Registers our Keras classes as soon as Keras is imported, so that saved models load after `import icd_relevancy`.

Importing them at once would load TensorFlow for everybody who only wants codes or notes.
"""

import importlib
import importlib.abc
import importlib.util
import sys

_WITH_KERAS_CLASSES = (
    "icd_relevancy.losses.relevancy",
    "icd_relevancy.losses.hierarchical",
    "icd_relevancy.losses.imbalance",
    "icd_relevancy.losses.focal",
    "icd_relevancy.losses.joint",
    "icd_relevancy.metrics.relevancy",
    "icd_relevancy.metrics.streaming",
    "icd_relevancy.layers.encoder",
    "icd_relevancy.layers.code_graph_attention",
    "icd_relevancy.layers.hierarchy_constraints",
    "icd_relevancy.layers.joint_label_attention",
    "icd_relevancy.layers.label_attention",
    "icd_relevancy.layers.label_odds",
    "icd_relevancy.layers.hierarchical_attention",
    "icd_relevancy.layers.lexical_logits",
    "icd_relevancy.layers.masked_convolution",
    "icd_relevancy.layers.token_mean",
    "icd_relevancy.training.schedules",
)


def register_with_keras() -> None:
    """Registers now where Keras is loaded already, else when it is."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register() -> None:
    matching = sys.modules.get("icd_relevancy.matching")
    if matching is not None and not hasattr(matching, "edges_of"):
        return  # that module is itself importing Keras, and ours cannot be imported before it is done
    for module in _WITH_KERAS_CLASSES:
        importlib.import_module(module)


class _AfterKeras(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module):
                execute(module)
                _register()

            spec.loader.exec_module = execute_and_register
        return spec
