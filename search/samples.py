"""Sample photos that a visitor without one at hand searches with. The demo catalogue writes them."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language


@dataclass(frozen=True)
class Sample:
    number: int  # from 1
    name: str
    path: Path

    @property
    def url(self) -> str:
        return reverse("sample", args=[self.number])

    @property
    def thumb_url(self) -> str:
        return reverse("sample-file", args=[self.number])


def samples() -> list[Sample]:
    """What ``DATA_DIR/samples/samples.json`` lists (``file``, ``name``, ``name_zh``); none where it is missing."""
    folder = settings.DATA_DIR / "samples"
    try:
        rows = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    chinese = (get_language() or "").startswith("zh")
    return [
        Sample(number, (chinese and row.get("name_zh")) or row["name"], folder / Path(row["file"]).name)
        for number, row in enumerate(rows, start=1)
    ]


def sample(number: int) -> Sample | None:
    return next((one for one in samples() if one.number == number), None)
