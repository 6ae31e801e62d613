"""The sticker shop as a catalogue that the importer reads: a table, and the pictures beside it.

Pictures, titles and tags are the packages'. Sizes, finishes, prices, brands and stock are invented, always the same
ones, and every description says so.
"""

import csv
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image

from gallery.demo import artwork
from gallery.demo.packages import Names, Packages, plain
from gallery.demo.samples import SAMPLES
from gallery.demo.shop import BRANDS, CATEGORIES, FINISHES, SIZES, STOCK

SECOND_VIEWS = 150
MOST_TAGS = 6
# What the home page shows as newest: pleasant, each of another category, and not what the samples show.
NEWEST = (
    "1f98a", "1f334", "1f9c1", "1f6f5", "1f3a7", "1f392",
    "1f951", "1f419", "1f3f0", "1f4cc", "1fa81", "1f4a1",
)  # fmt: skip
COLUMNS = (
    "sku", "file", "position", "title", "title:zh-hans", "description", "description:zh-hans",
    "category", "category:zh-hans", "brand", "price", "availability", "tags", "attr:size", "attr:finish",
)  # fmt: skip
_VIEW_SIDE = 640  # pixels
# Pale and plain: on grounds with colour or tooth the views looked more like one another than like their products.
_GROUNDS = (
    (246, 239, 230), (239, 242, 237), (236, 241, 246), (247, 237, 235),
    (242, 239, 246), (248, 244, 228), (235, 237, 240), (241, 235, 227),
)  # fmt: skip


@dataclass(frozen=True)
class Sticker:
    """One line of ``stickers.csv``. An empty title leaves the package's label."""

    code: str
    category: str
    title: str = ""
    title_zh: str = ""

    @property
    def sku(self) -> str:
        return f"ST-{plain(self.code).upper()}"

    def random(self, purpose: str) -> Random:
        """Chance that falls the same way every time."""
        return Random(f"{purpose} of {self.code}")


class Catalogue:
    """The stickers, in the order in which they are to be loaded: what samples and the home page show comes first."""

    def __init__(self, packages: Packages):
        """
        :raises gallery.demo.packages.PackageMissing: when the names are not installed
        """
        self.packages = packages
        self.english, self.chinese = packages.names("en"), packages.names("zh")
        self.stickers = _in_order(read_stickers())
        self.first = {sticker.code for sticker in self.stickers[: _ahead(self.stickers)]}
        self._with_second_view = {sticker.code for sticker in self.stickers[:SECOND_VIEWS]}
        self._uses = self._uses_of(self.english)
        self._uses_zh = self._uses_of(self.chinese)

    def rows(self, sticker: Sticker) -> list[dict[str, str]]:
        """The lines of a sticker in the table: one for each of its pictures."""
        return [
            {**self._facts(sticker), "file": file, "position": str(position)}
            for position, file in enumerate(self._files(sticker))
        ]

    def write_table(self, folder: Path) -> None:
        """Write ``catalogue.csv`` for all stickers."""
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / "catalogue.part"
        with part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(row for sticker in self.stickers for row in self.rows(sticker))
        part.replace(folder / "catalogue.csv")

    def write_pictures(self, folder: Path, stickers: Iterable[Sticker]) -> None:
        """Write the pictures of these stickers that are not there yet."""
        for sticker in stickers:
            render, *second_view = (folder / name for name in self._files(sticker))
            render.parent.mkdir(parents=True, exist_ok=True)
            if not render.exists():
                shutil.copyfile(self.packages.render_path(sticker.code), render)
            for path in second_view:
                if not path.exists():
                    self._draw_second_view(sticker, path)

    def title(self, sticker: Sticker) -> str:
        label = sticker.title or self._names(self.english, sticker).label
        return label[:1].upper() + label[1:]

    def title_zh(self, sticker: Sticker) -> str:
        return sticker.title_zh or self._names(self.chinese, sticker).label

    def _uses_of(self, names: dict[str, Names]) -> Counter[str]:
        return Counter(tag for sticker in self.stickers for tag in set(self._names(names, sticker).tags))

    @staticmethod
    def _names(names: dict[str, Names], sticker: Sticker) -> Names:
        return names[plain(sticker.code)]

    def _files(self, sticker: Sticker) -> list[str]:
        folder, name = sticker.category, plain(sticker.code)
        return [f"{folder}/{name}.webp"] + [f"{folder}/{name}-cut.jpg"] * (sticker.code in self._with_second_view)

    def _facts(self, sticker: Sticker) -> dict[str, str]:
        """Every column but the picture's; what is invented comes from the sticker's own chance."""
        chance = sticker.random("facts")
        sizes = chance.choice((["S", "M"], ["S", "M", "L"], ["M", "L"], ["M"], ["L"]))
        finish, (finish_zh, surcharge) = chance.choice(list(FINISHES.items()))
        price = SIZES[sizes[0]] * chance.choice((1, 1, 1, 2, 3)) + surcharge
        title, title_zh = self.title(sticker), self.title_zh(sticker)
        category, category_zh = CATEGORIES[sticker.category]
        tags = _shared(self._names(self.english, sticker).tags, self._uses)
        tags_zh = _shared(self._names(self.chinese, sticker).tags, self._uses_zh)
        return {
            "sku": sticker.sku,
            "title": title,
            "title:zh-hans": title_zh,
            "description": f"{title}: a {finish} vinyl sticker, size {' or '.join(sizes)}. "
            "Part of a demonstration: its price, brand, sizes and stock are invented.",
            "description:zh-hans": f"{title_zh}贴纸，{finish_zh}乙烯基，尺寸 {'、'.join(sizes)}。"
            f"演示商品：价格、品牌、尺寸和库存均为虚构。" + (f"关键词：{'、'.join(tags_zh)}。" if tags_zh else ""),
            "category": category,
            "category:zh-hans": category_zh,
            "brand": chance.choice(BRANDS),
            "price": f"{price:.2f}",
            "availability": chance.choices(list(STOCK), list(STOCK.values()))[0],
            "tags": ";".join(tags),
            "attr:size": ";".join(sizes),
            "attr:finish": finish,
        }

    def _draw_second_view(self, sticker: Sticker, path: Path) -> None:
        """The sticker as it is sold, cut out and tilted, on a soft ground."""
        chance = sticker.random("view")
        ground = Image.new("RGB", (_VIEW_SIDE, _VIEW_SIDE), chance.choice(_GROUNDS))
        cut = artwork.die_cut(self.packages.render(sticker.code), round(_VIEW_SIDE * 0.7))
        angle = chance.choice((-1, 1)) * chance.uniform(5, 14)
        part = path.with_suffix(".part")
        artwork.lit(artwork.lay(ground, cut, (0.5, 0.5), angle), fall=0.07).save(part, "JPEG", quality=86)
        part.replace(path)


def read_stickers() -> list[Sticker]:
    """The curated stickers as the table lists them."""
    with (Path(__file__).parent / "stickers.csv").open(newline="", encoding="utf-8") as file:
        return [
            Sticker(row["code"], row["category"], row["title"] or "", row["title_zh"] or "")
            for row in csv.DictReader(file)
        ]


def _shared(tags: Iterable[str], uses: Mapping[str, int]) -> list[str]:
    """The tags that several stickers have, most shared first. A tag of one alone is a synonym, often of slang."""
    return sorted((tag for tag in set(tags) if uses[tag] > 1), key=lambda tag: (-uses[tag], tag))[:MOST_TAGS]


def _first_codes() -> list[str]:
    sampled = [laid.code for sample in SAMPLES for laid in sample.stickers]
    return list(dict.fromkeys([*sampled, *NEWEST]))


def _ahead(stickers: list[Sticker]) -> int:
    return len({sticker.code for sticker in stickers}.intersection(_first_codes()))


def _in_order(stickers: list[Sticker]) -> list[Sticker]:
    """First what is shown at once; the rest shuffled, so that every part of a loading shop looks like the whole."""
    place = {code: number for number, code in enumerate(_first_codes())}
    shuffled = Random("shelves").sample(stickers, len(stickers))
    return sorted(shuffled, key=lambda sticker: place.get(sticker.code, len(place)))
