"""What a search would find without one of its filters, said and shown apart: nothing is relaxed silently."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from gallery.visibility import Visibility
from search.ask import Found, ask
from search.models import Generation
from search.names import Names
from search.pictures import Picture
from search.query import MULTIPLE, Query
from search.slices import Hit

MOST = 3  # filters that are dropped, one at a time
SHOWN = 5  # products of each


@dataclass(frozen=True)
class Relaxed:
    """The query less one filter: what that is called, what it finds beside the strict matches, and how many."""

    label: str
    query: Query
    total: int
    full: bool
    hits: Sequence[Hit]
    found: Found

    @property
    def total_label(self) -> str:
        return f"{self.total}+" if self.full else str(self.total)


def relaxed(
    query: Query,
    who: Visibility,
    generation: Generation | None,
    pictures: Sequence[Picture],
    strict: Iterable[str],
    names: Names,
) -> list[Relaxed]:
    """Drop one filter after the other, and the words if there is a picture beside them.

    :param strict: products that match with all filters; they are not shown again
    :raises EngineError: when the engine does not answer
    """
    seen, sections = set(strict), []
    for label, loose in list(_without_each(query, names))[:MOST]:
        found = ask(loose, who, generation, pictures, size=SHOWN + len(seen), facets=False, names=names)
        hits = [hit for hit in found.hits if hit.product not in seen][:SHOWN]
        if hits:
            sections.append(Relaxed(label, loose, found.total, found.full, hits, found))
    return sections


def _without_each(query: Query, names: Names) -> Iterator[tuple[str, Query]]:
    query = query.with_(weaker=False, sort="relevance", group="products")
    if query.text and (query.has_picture or query.has_filters):
        yield f"“{query.text}”", query.without("text")
    if query.filters.has_price:
        yield _("the price limit"), query.without("price")
    for field in MULTIPLE.values():
        if field != "attributes" and (values := getattr(query, field)):
            label = _(" or ").join(names.label(field, value) or value for value in values)
            yield label, query.without(field)
    for name in dict.fromkeys(value.partition("=")[0] for value in query.attributes):
        own = [value for value in query.attributes if value.partition("=")[0] == name]
        loose = query
        for value in own:
            loose = loose.without("attributes", value)
        yield f"{name}: {_(' or ').join(value.partition('=')[2] for value in own)}", loose
