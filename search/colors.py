"""Words that name a colour, taken out of what somebody typed: they filter by the dominant colour of photos."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gallery.models.images import Swatch
from search.recognition import names_with_a_color
from search.text import analyse

# Each of the 12 classes under the names that people give to it. Words that could as well mean another class
# (turquoise, tan) are left to be searched for as words.
_ENGLISH = {
    Swatch.BLACK: ("black",),
    Swatch.GREY: ("grey", "gray", "silver", "charcoal"),
    Swatch.WHITE: ("white", "ivory"),
    Swatch.BEIGE: ("beige", "cream", "khaki"),
    Swatch.BROWN: ("brown",),
    Swatch.RED: ("red", "crimson", "scarlet", "burgundy", "maroon"),
    Swatch.ORANGE: ("orange",),
    Swatch.YELLOW: ("yellow", "golden"),
    Swatch.GREEN: ("green", "olive"),
    Swatch.BLUE: ("blue", "navy"),
    Swatch.PURPLE: ("purple", "violet", "lilac", "lavender"),
    Swatch.PINK: ("pink", "magenta"),
}
_CHINESE = {
    Swatch.BLACK: ("黑色",),
    Swatch.GREY: ("灰色", "银色"),
    Swatch.WHITE: ("白色",),
    Swatch.BEIGE: ("米色", "米白色", "卡其色"),
    Swatch.BROWN: ("棕色", "褐色", "咖啡色"),
    Swatch.RED: ("红色", "大红色", "酒红色"),
    Swatch.ORANGE: ("橙色", "橘色", "橘黄色"),
    Swatch.YELLOW: ("黄色", "金色"),
    Swatch.GREEN: ("绿色", "墨绿色"),
    Swatch.BLUE: ("蓝色", "深蓝色", "藏青色"),
    Swatch.PURPLE: ("紫色",),
    Swatch.PINK: ("粉色", "粉红色"),
}
_BY_WORD = {word: swatch.value for swatch, words in _ENGLISH.items() for word in words}
_BY_RUN = {word: swatch.value for swatch, words in _CHINESE.items() for word in words}
# Chinese stands without spaces: the longest name first, with the particle that ties it to what follows.
_RUN = re.compile("(" + "|".join(sorted(_BY_RUN, key=len, reverse=True)) + ")的?")
QUOTES = "\"“”„'‘’「」『』"


@dataclass(frozen=True)
class ColorWords:
    """What was typed, taken apart: the words that are left, the colour classes, and the words that named them."""

    rest: str
    colors: tuple[str, ...]
    words: tuple[str, ...]


def color_words(text: str, names: Collection[str] = ()) -> ColorWords:
    """Take the colours out of a text. Words in quotes are left as they are.

    :param names: analysed names (of brands, of categories) that hold a colour's word without meaning the colour; where
        the text holds one as a whole, its words stay
    """
    analysed = f" {analyse(text)} "
    names = {*names, *names_with_a_color(frozenset(_BY_WORD))}  # "red panda", "golden retriever"
    named = {word for name in names if f" {name} " in analysed for word in name.split()}
    rest: list[str] = []
    colors: list[str] = []
    words: list[str] = []

    def take(word: str, color: str) -> str:
        colors.append(color)
        words.append(word)
        return " "

    for stretch, is_quoted in stretches(text):
        plain = stretch.strip(",.;").casefold()
        if is_quoted:
            rest.append(stretch)
        elif plain in _BY_WORD and plain not in named:
            take(plain, _BY_WORD[plain])
        else:
            rest.append(_RUN.sub(lambda found: take(found[1], _BY_RUN[found[1]]), stretch))
    return ColorWords(" ".join(" ".join(rest).split()), tuple(dict.fromkeys(colors)), tuple(dict.fromkeys(words)))


def stretches(text: str) -> list[tuple[str, bool]]:
    """What stands between spaces, and whether it is in quotes. A quote that nothing closes is for its own stretch."""
    stretches = text.split()
    found: list[tuple[str, bool]] = []
    while stretches:
        quoted = 0
        if stretches[0][0] in QUOTES:
            ends = (n for n, one in enumerate(stretches, 1) if one[-1] in QUOTES and (n > 1 or len(one) > 1))
            quoted = next(ends, 1)
        found += [(one, bool(quoted)) for one in stretches[: quoted or 1]]
        del stretches[: quoted or 1]
    return found
