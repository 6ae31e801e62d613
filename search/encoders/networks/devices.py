"""Where networks run, and with how many bits: ``ENCODER_DEVICE`` and ``ENCODER_HALF``."""

from typing import Any

from django.conf import settings

from search.encoders.base import EncoderError

_AT_ONCE = {"cpu": 4, "cuda": 64, "mps": 16}


def prepare_torch() -> None:
    import torch

    torch.set_num_threads(settings.TORCH_THREADS)


def chosen_device() -> str:
    """``cpu``, ``cuda`` or ``mps``.

    :raises EncoderError: when the device that the settings name is not there
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if settings.ENCODER_DEVICE == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there.get(settings.ENCODER_DEVICE):
        raise EncoderError(
            f"ENCODER_DEVICE is {settings.ENCODER_DEVICE!r}, which torch does not find here. "
            f"It finds: {', '.join(name for name, found in there.items() if found)}."
        )
    return settings.ENCODER_DEVICE


def uses_half(device: str) -> bool:
    """Whether 16 bits are used: they double the speed on most GPUs and are slow on CPUs."""
    return settings.ENCODER_HALF == "always" or (settings.ENCODER_HALF == "auto" and device == "cuda")


def placed(model: Any) -> Any:
    """The model, evaluated only, where it will run."""
    import torch

    device = chosen_device()
    model = model.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    return model.half() if uses_half(device) else model


def at_once(device: str) -> int:
    """Pictures in one forward pass. On CPUs the activations of few stay in the cache."""
    return _AT_ONCE[device]
