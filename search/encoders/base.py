"""What an encoder is: a network that says what a picture shows, and descriptors that say how it looks."""

import abc
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from search import recognition
from search.encoders.descriptors.thumbnails import Thumbnails


class EncoderError(ValueError):
    """An encoder that is not there or cannot be used as it is set up; the text says what to do."""


class Network(abc.ABC):
    """Gives the part ``deep``. Options of ``SEARCH_ENCODERS`` are the arguments of its constructor.

    A constructor checks its options and loads nothing: torch takes seconds and hundreds of megabytes, and must not be
    loaded before a server forks.
    """

    version: ClassVar[int]  # raised whenever the same options give other numbers

    @property
    def former_defaults(self) -> Sequence[Mapping[str, object]]:
        """Options that earlier releases took where none were given, each release's as one mapping.

        An encoder made with them goes on serving the generations that have it, until another takes over.
        """
        return ()

    @property
    def resolved_options(self) -> Mapping[str, object]:
        """Options as they decide the numbers, in place of those given: a file of weights by its content, not its path.

        Asked without loading anything, in every process that makes the encoder. An option that is None here does not
        count, whatever was given: so a choice that came later leaves the identities of before as they were.

        :raises EncoderError: when it cannot be known
        """
        return {}

    @property
    @abc.abstractmethod
    def dimension(self) -> int:
        """Length of ``deep``. A network that learns it by being run loads itself for it.

        :raises EncoderError: when it cannot be loaded
        """

    @abc.abstractmethod
    def load(self) -> None:
        """Load what ``embed`` needs. Idempotent; threads may call it at once.

        :raises EncoderError: when it cannot be loaded
        """

    @abc.abstractmethod
    def embed(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """RGB pictures → ``(n, dimension)`` float32, of any length.

        :raises EncoderError: when it cannot be loaded
        """

    def embed_and_classify(self, pictures: Sequence[Image.Image]) -> tuple[np.ndarray, np.ndarray | None]:
        """The same numbers as ``embed`` gives, and what the same pass says of the classes of ImageNet-1k:
        ``(n, 1000)`` float32, probabilities in the classes' usual order; None from a network that knows none of them.

        :raises EncoderError: when it cannot be loaded
        """
        return self.embed(pictures), None

    def class_vectors(self) -> np.ndarray | None:
        """``(1000, dimension)`` float32: for each class of ImageNet-1k the direction in which ``deep`` is more of
        it, of any length; None from a network that knows none of them.

        :raises EncoderError: when it cannot be loaded
        """
        return None

    @property
    def reads_texts(self) -> bool:
        """Whether ``embed_texts`` gives texts in the space of ``deep``. Loads nothing."""
        return False

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → ``(n, dimension)`` float32, in the same space as pictures, of any length.

        :raises EncoderError: when it cannot be loaded
        :raises NotImplementedError: from a network that reads none
        """
        raise NotImplementedError


class Descriptor(abc.ABC):
    """Gives one part by looking at pixels, without any training."""

    name: ClassVar[str]
    version: ClassVar[int]
    dimension: ClassVar[int]

    @abc.abstractmethod
    def describe(self, thumbnails: Thumbnails) -> np.ndarray | None:
        """A picture's thumbnails → ``(dimension,)`` float32 of unit length; None where it has nothing of the kind."""


@dataclass(frozen=True)
class Described:
    """What an encoder says of one picture."""

    vectors: dict[str, np.ndarray]  # part name → (d,) float32 of unit length
    labels: recognition.Stored  # None where the network names nothing


class Encoder:
    """Turns pictures into named parts of a vector: ``deep`` by a network, the others by descriptors.

    :param identity: the name and whatever decides the numbers; another identity makes stored embeddings stale
    :param default_weights: part name → weight; they sum to 1
    """

    def __init__(
        self, identity: str, network: Network, descriptors: Sequence[Descriptor], default_weights: Mapping[str, float]
    ):
        self.identity = identity
        self.network = network
        self.descriptors = tuple(descriptors)
        self.default_weights = dict(default_weights)

    @property
    def name(self) -> str:
        return self.identity.rpartition("@")[0]

    @property
    def dimensions(self) -> Mapping[str, int]:
        """Part name → length, in the order in which parts lie in the vector.

        :raises EncoderError: when the network has to be loaded to know, and cannot be
        """
        return {"deep": self.network.dimension} | {one.name: one.dimension for one in self.descriptors}

    def load(self) -> None:
        """Load what ``encode`` needs, so that the first picture does not wait for it.

        :raises EncoderError: when it cannot be loaded
        """
        self.network.load()

    def encode(self, pictures: Sequence[Image.Image]) -> list[dict[str, np.ndarray]]:
        """For every picture (RGB, upright, transparency already on white): part name → ``(d,)`` float32 of unit length.

        A part that a picture does not have (a blank one has no shape) is left out of its mapping.

        :raises EncoderError: when the network cannot be loaded, or gives numbers that are none
        """
        return [described.vectors for described in self.describe(pictures)]

    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """The same with the classes that the network names, in the same pass.

        :raises EncoderError: when the network cannot be loaded, or gives numbers that are none
        """
        if not pictures:
            return []
        # Beside each other: networks leave cores idle between their layers, and hold no lock of Python's.
        with ThreadPoolExecutor(1) as beside:
            described = beside.submit(lambda: [self._described(picture) for picture in pictures])
            rows, classes = self.network.embed_and_classify(pictures)
        encoded = []
        for place, (row, others) in enumerate(zip(rows, described.result(), strict=True)):
            if not np.isfinite(row).all():
                raise EncoderError(
                    f"{self.name} gave numbers that are not finite. 16 bits may not hold them: set ENCODER_HALF=never. "
                    "With 32 bits, its weights are broken."
                )
            length = float(np.linalg.norm(row))
            encoded.append(
                Described(
                    vectors=({"deep": row / length} if length > 0 else {}) | others,
                    labels=None if classes is None else recognition.kept(classes[place]),
                )
            )
        return encoded

    def _described(self, picture: Image.Image) -> dict[str, np.ndarray]:
        thumbnails = Thumbnails.of(picture)
        parts = {descriptor.name: descriptor.describe(thumbnails) for descriptor in self.descriptors}
        return {name: part for name, part in parts.items() if part is not None}
