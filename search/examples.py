"""Pictures of a query: photos that somebody sent and photos of the catalogue, wanted or not, whole or a part."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from search.crops import Crop

Kind = Literal["photo", "image"]
MAX_EXAMPLES = 8
NAMES = ("photo", "image", "less")  # in the query string, in this order


@dataclass(frozen=True)
class Example:
    """One picture. ``kind`` says whose key it is: a query photo's, or that of a photo of the catalogue."""

    key: UUID
    kind: Kind = "image"
    crop: Crop | None = None
    less: bool = False  # results should not look like it

    def __post_init__(self) -> None:
        if self.crop is not None and self.crop.is_whole:
            object.__setattr__(self, "crop", None)

    @classmethod
    def parse(cls, name: str, text: str) -> "Example":
        """Read the value of one parameter of ``NAMES``: a key, and a part of the picture after ``@``.

        :raises ValueError: where the key or the part cannot be read
        """
        key, _at, crop = text.partition("@")
        return cls(
            UUID(key), "photo" if name == "photo" else "image", Crop.parse(crop) if crop else None, name == "less"
        )

    @property
    def name(self) -> str:
        """The parameter that holds it."""
        return "less" if self.less else self.kind

    @property
    def value(self) -> str:
        return f"{self.key}@{self.crop}" if self.crop else str(self.key)

    @property
    def place(self) -> tuple[int, str]:
        """By which examples are sorted, so that equal queries have equal addresses."""
        return NAMES.index(self.name), self.value
