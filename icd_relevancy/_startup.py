"""Starts TensorFlow without its messages."""

import os
import sys

from icd_relevancy.progress import doing


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
