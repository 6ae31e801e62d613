"""What the option ``weights`` of networks may be, the content of files of weights, and what a model makes of them."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from search.encoders.base import EncoderError

_RANDOM = "random:"
_COUNTER = ".num_batches_tracked"  # of training; files of old versions of torch lack it
_PARALLEL = "module."  # before every name in what torch's DataParallel saved


def checked(weights: object) -> str:
    """
    :raises EncoderError: when the option is neither a name nor a path nor ``random:<seed>``
    """
    if not isinstance(weights, str) or not weights:
        raise EncoderError(f"weights is {weights!r}; it is a name of weights, a path, or random:<seed>.")
    if weights.startswith(_RANDOM) and not weights.removeprefix(_RANDOM).isdecimal():
        raise EncoderError(f"weights is {weights!r}; random weights have a seed, as random:1.")
    return weights


def is_file(weights: str) -> bool:
    return "/" in weights or "\\" in weights or "." in weights


def seed_of(weights: str) -> int | None:
    """The seed of random weights; None for others."""
    return int(weights.removeprefix(_RANDOM)) if weights.startswith(_RANDOM) else None


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


def require_unchanged(path: str, digest: str) -> None:
    """
    :raises EncoderError: when the file no longer is what the encoder's identity was made of
    """
    if file_digest(path) != digest:
        raise EncoderError(f"{path} has changed since this process started. Restart it.")


def load_state(model: Any, path: str, optional: str = "") -> bool:
    """Fill a torch model from a file that holds its state dict.

    :param optional: the layer that may be missing in the file or have another shape there, so that a network that was
        trained further on classes of one's own fits; it is filled only where it fits, too
    :return: whether every layer was filled
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
    state = {name.removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    own = model.state_dict()
    head = (f"{optional}.weight", f"{optional}.bias") if optional else ()
    wanted = {name: tensor for name, tensor in own.items() if name not in head}
    for name, tensor in wanted.items():
        if name not in state and not name.endswith(_COUNTER):
            raise EncoderError(f"{path} holds weights of another model: it has no {name}. Name the model it is of.")
        if name in state and state[name].shape != tensor.shape:
            raise EncoderError(
                f"{path} holds weights of another model: {name} is {tuple(state[name].shape)} there and "
                f"{tuple(tensor.shape)} here. Name the model it is of."
            )
    for name in state:  # all of a shallow network's layers are in a deeper one's file, too
        if name not in wanted and name not in head:
            raise EncoderError(
                f"{path} holds weights of another model: it has {name}, which there is none of here. Name the model "
                "it is of."
            )
    fits = all(name in state and state[name].shape == own[name].shape for name in head if name in own)
    filled = own if fits else wanted
    model.load_state_dict({name: state[name] for name in filled if name in state}, strict=False)
    return fits
