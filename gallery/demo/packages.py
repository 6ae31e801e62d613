"""What the demonstration takes from packages of the front end: renders by code point, and labels in two languages."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

RENDERS = "@lobehub/fluent-emoji-3d"
NAMES = "emojibase-data"


class PackageMissing(Exception):
    """A package is not installed; the text says how to install it."""


@dataclass(frozen=True)
class Names:
    """What one language calls an object."""

    label: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Packages:
    """The installed packages, in a ``node_modules`` folder."""

    folder: Path

    def render_path(self, code: str) -> Path:
        return self._existing(RENDERS, Path("assets") / f"{code}.webp")

    def render(self, code: str) -> Image.Image:
        """A transparent picture, about 256 pixels square."""
        with Image.open(self.render_path(code)) as picture:
            return picture.convert("RGBA")

    def names(self, language: str) -> dict[str, Names]:
        """Code point, as files are named without variation selectors → names, in ``en`` or ``zh``."""
        return _read_names(self._existing(NAMES, Path(language) / "data.json"))

    def _existing(self, package: str, file: Path) -> Path:
        path = self.folder / package / file
        if not path.is_file():
            raise PackageMissing(f"{package}/{file} is not in {self.folder}. Run: npm ci")
        return path


def plain(code: str) -> str:
    """The code point without variation selectors, which the packages set differently."""
    return code.lower().replace("-fe0f", "")


@cache
def _read_names(path: Path) -> dict[str, Names]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {plain(row["hexcode"]): Names(row["label"], tuple(row.get("tags", ()))) for row in rows}
