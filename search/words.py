"""Words of a query, with the brands and categories that they name: documents carry ids, so renames re-index nothing."""

from collections.abc import Iterable

from gallery.models import Category
from search.engines.base import Word
from search.names import Names
from search.recognition import codes_for_phrases
from search.text import analyse, query_phrases


def words_of(text: str, names: Names) -> tuple[Word, ...]:
    """Every phrase of the text as the engines take it. Documents carry ancestors, so a category covers what is below.

    A name counts if it holds the phrase as whole tokens: "scarf" finds the category "Scarves and scarfs". What is
    recognised in photos must be named in full.
    """
    phrases = query_phrases(text)
    if not phrases:
        return ()
    brands = [(pk, analyse(name)) for pk, name in names.all_brands().items()]
    categories = [
        (str(category.pk), analyse(name)) for category in names.tree.by_id.values() for name in spellings(category)
    ]
    return tuple(
        Word(phrase, _named(phrase, brands), _named(phrase, categories), labels)
        for phrase, labels in zip(phrases, codes_for_phrases(phrases), strict=True)
    )


def spellings(category: Category) -> list[str]:
    """The category's names in all languages."""
    return [category.name, *filter(None, category.names.values())]


def _named(phrase: str, named: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted({pk for pk, name in named if f" {phrase} " in f" {name} "}))
