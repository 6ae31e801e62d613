"""The catalogue's own words for its pictures: categories with those above them, tags, and words of titles."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from gallery.models import Category, Product
from gallery.models.categories import CategoryTree
from search.text import analyse
from search.text_to_picture.vocabulary import CATEGORY, TAG, TITLE

Label = tuple[str, str]  # kind and code, as an entry of the vocabulary has them

LEAST_IMAGES = 3  # fewer say nothing of what a word looks like
MOST_TITLE_WORDS = 1_000  # the most frequent ones
_STRETCH = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")  # words as people write them, with what ties them together


def title_words(title: str) -> set[str]:
    """Analysed words of a title, and pairs of words that stand together."""
    words = [phrase for stretch in _STRETCH.findall(title) if (phrase := analyse(stretch))]
    return {*words, *(" ".join(pair) for pair in pairwise(words))}


def written(titles: Iterable[str]) -> dict[str, str]:
    """Analysed words and pairs of words → how titles write them most often: what a text encoder is given."""
    forms: dict[str, Counter[str]] = {}
    for title in titles:
        stretches = [(analyse(stretch), stretch.lower()) for stretch in _STRETCH.findall(title)]
        stretches = [pair for pair in stretches if pair[0]]
        for word, form in stretches:
            forms.setdefault(word, Counter())[form] += 1
        for (one, form), (other, next_form) in pairwise(stretches):
            forms.setdefault(f"{one} {other}", Counter())[f"{form} {next_form}"] += 1
    return {word: counted.most_common(1)[0][0] for word, counted in forms.items()}


def titles_of(title: str, translations: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A product's titles in all languages."""
    return list(dict.fromkeys(filter(None, (title, *(texts.get("title", "") for texts in translations.values())))))


def labels_of(
    category: int | None, tags: Iterable[str], titles: Sequence[str], tree: CategoryTree, chosen: Mapping[str, object]
) -> Iterator[Label]:
    """The labels of one product.

    :param chosen: the words of titles that are labels
    """
    if category is not None:
        yield from ((CATEGORY, str(one.pk)) for one in tree.ancestors(category))
    yield from ((TAG, slug) for slug in tags)
    words = {word for title in titles for word in title_words(title)}
    yield from ((TITLE, word) for word in words if word in chosen)


def chosen_title_words(titles: Sequence[Sequence[str]]) -> dict[str, str]:
    """The words that enough products have in their titles, each as it is written.

    :param titles: for each product its titles
    """
    counted = Counter(word for each in titles for word in {word for title in each for word in title_words(title)})
    frequent = [word for word, count in counted.most_common(MOST_TITLE_WORDS) if count >= LEAST_IMAGES]
    forms = written(title for each in titles for title in each)
    return {word: forms[word] for word in frequent}


def tags_of(products: Sequence[object]) -> dict[object, list[tuple[str, str]]]:
    """Product → slug and name of its tags."""
    found: dict[object, list[tuple[str, str]]] = {}
    through = Product.tags.through
    rows = through.objects.filter(content_object__in=products).order_by("tag")
    for product, slug, name in rows.values_list("content_object", "tag__slug", "tag__name"):
        found.setdefault(product, []).append((slug, name))
    return found


def category_names(category: Category) -> list[str]:
    """Its names in all languages."""
    return list(dict.fromkeys([category.name, *filter(None, category.names.values())]))
