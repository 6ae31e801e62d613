"""What an encoder is: a name, a version, named parts with dimensions, and ``encode``."""

import abc
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image


class EncoderError(ValueError):
    """An encoder that is not there or cannot be used as it is set up; the text says what to do."""


class Encoder(abc.ABC):
    """Turns pictures into named parts of a vector.

    A changed version makes stored embeddings stale, so raise it whenever the numbers change.
    """

    name: str
    version: int

    @property
    def identity(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    @abc.abstractmethod
    def dimensions(self) -> Mapping[str, int]:
        """Part name → length, in the order in which parts lie in the vector."""

    @property
    @abc.abstractmethod
    def default_weights(self) -> Mapping[str, float]:
        """Part name → weight; they sum to 1."""

    @abc.abstractmethod
    def encode(self, pictures: Sequence[Image.Image]) -> list[dict[str, np.ndarray]]:
        """For every picture (RGB, upright, transparency already on white): part name → ``(d,)`` float32 of unit length.

        A part that a picture does not have (a blank one has no content) is left out of its mapping.
        """

    @abc.abstractmethod
    def load(self) -> None:
        """Load what ``encode`` needs, so that the first picture does not wait for it."""
