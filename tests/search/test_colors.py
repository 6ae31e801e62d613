"""Words that name a colour."""

import pytest

from search.colors import ColorWords, color_words


@pytest.mark.parametrize(
    ("text", "rest", "colors"),
    [
        ("red dress", "dress", ("red",)),
        ("Navy shoes, pink", "shoes,", ("blue", "pink")),
        ("dress", "dress", ()),
        ("redwood", "redwood", ()),
        ("“red” dress", "“red” dress", ()),
        ('"big black dog" red', '"big black dog"', ("red",)),
        ('"black dog', '"black dog', ()),
        ('"big black dog', '"big dog', ("black",)),
        ('" red', '"', ("red",)),
        ("红色连衣裙", "连衣裙", ("red",)),
        ("粉红色的包", "包", ("pink",)),
        ("红酒", "红酒", ()),
        ("Gray", "", ("grey",)),
        ("", "", ()),
    ],
)
def test_colours_are_taken_out_of_words(text, rest, colors):
    found = color_words(text)
    assert (found.rest, found.colors) == (rest, colors)


def test_a_name_that_holds_a_colour_keeps_it():
    assert color_words("orange bank card", {"orange bank"}) == ColorWords("orange bank card", (), ())
    assert color_words("orange card", {"orange bank"}).colors == ("orange",)
