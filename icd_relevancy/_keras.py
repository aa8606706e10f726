"""Starts Keras quietly, and registers our classes with it.

They are registered as soon as Keras is imported, so that saved models load after `import icd_relevancy`: importing
them at once would load TensorFlow for everybody who only wants codes or notes.
"""

import copy
import importlib
import importlib.abc
import os
import sys
import threading

from icd_relevancy.progress import doing

_WITH_KERAS_CLASSES = (
    "icd_relevancy.losses.relevancy",
    "icd_relevancy.losses.hierarchical",
    "icd_relevancy.losses.imbalance",
    "icd_relevancy.losses.focal",
    "icd_relevancy.losses.joint",
    "icd_relevancy.metrics.relevancy",
    "icd_relevancy.metrics.streaming",
    "icd_relevancy.encoding.encoder",
    "icd_relevancy.layers.code_graph_attention",
    "icd_relevancy.layers.constraints",
    "icd_relevancy.layers.joint_label_attention",
    "icd_relevancy.layers.label_attention",
    "icd_relevancy.layers.hierarchical_attention",
    "icd_relevancy.layers.lexical",
    "icd_relevancy.layers.masked",
    "icd_relevancy.fitting.fit",
)


# How many modules of ours, or Keras, this thread is in the middle of loading, and whether it registers just now.
_loading = threading.local()
_is_registered = False


def register_with_keras() -> None:
    """Registers now where Keras is loaded already, else when it is."""
    if not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras())
    if "keras" in sys.modules:
        _register()


def _register() -> None:
    global _is_registered
    if _is_registered or getattr(_loading, "registers", False):
        return
    _loading.registers = True
    try:
        for module in _WITH_KERAS_CLASSES:
            importlib.import_module(module)
        _is_registered = True
    except (ImportError, AttributeError):
        # Another thread is in the middle of loading one of ours, and will come here when it has done so.
        if not any(_is_loading(name) for name in list(sys.modules) if name.startswith("icd_relevancy.")):
            raise
    finally:
        _loading.registers = False


def _is_loading(name: str) -> bool:
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False)


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Lets the other finders find Keras and our own modules, and registers when the outermost of these is loaded.

    Not when Keras is: a module of ours may be what imports it, and our classes cannot be imported before that
    module is done. Being asked changes nothing, so that Keras may be looked for without being imported.
    """

    def find_spec(self, fullname, path=None, target=None):
        if _is_registered or (fullname != "keras" and not fullname.startswith("icd_relevancy.")):
            return None
        for finder in list(sys.meta_path):
            find = None if isinstance(finder, _AfterKeras) else getattr(finder, "find_spec", None)
            spec = None if find is None else find(fullname, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _then_register(spec.loader)
                return spec
        return None


def _then_register(loader):
    """The loader as it is, but for registering after what it loads; a copy, as some finders share one."""
    loader, execute = copy.copy(loader), loader.exec_module

    def execute_and_register(module):
        _loading.depth = getattr(_loading, "depth", 0) + 1
        try:
            execute(module)
        finally:
            _loading.depth -= 1
        if not _loading.depth and "keras" in sys.modules:
            _register()

    loader.exec_module = execute_and_register
    return loader


def start_tensorflow() -> None:
    """Imports Keras on TensorFlow, which the encoder needs whatever the user's Keras is set to."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules:
        return
    # While it starts, TensorFlow's C++ side writes to file descriptor 2 whatever its log level.
    with doing("loading TensorFlow"):
        sys.stderr.flush()
        terminal = os.dup(2)
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            import keras

            keras.distribution.list_devices()
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
