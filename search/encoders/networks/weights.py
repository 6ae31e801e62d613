"""Files of weights: their fingerprints without torch, and what they hold."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from search.encoders.base import EncoderError


def file_digest(path: str) -> str:
    """SHA-256 of a file of weights.

    :raises EncoderError: when it is not there
    """
    try:
        found = Path(path).stat()
    except OSError as error:
        raise EncoderError(f"the file of weights {path} cannot be read: {error.strerror}.") from error
    return _digest(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=32)
def _digest(path: str, modified: int, size: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_state(model: Any, path: str) -> None:
    """Fill a torch model from a file that holds its state dict.

    :raises EncoderError: when the file is no state dict, or is one of another model
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise EncoderError(f"the file of weights {path} cannot be read: {error}.") from error
    except Exception as error:  # whatever unpickling makes of other content
        raise EncoderError(f"{path} is no file of weights that torch.save made of a state dict.") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise EncoderError(f"{path} is no file of weights that torch.save made of a state dict.")
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        if name not in state:
            raise EncoderError(f"{path} holds weights of another model: it has no {name}. Name the model it is of.")
        if state[name].shape != tensor.shape:
            raise EncoderError(
                f"{path} holds weights of another model: {name} is {tuple(state[name].shape)} there and "
                f"{tuple(tensor.shape)} here. Name the model it is of."
            )
    model.load_state_dict(state, strict=False)
