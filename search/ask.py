"""Running a query: vectors, weights, the weak line and words become requests to an engine, its answer one page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.utils.translation import gettext as _

from gallery.visibility import Visibility
from search.colors import color_words
from search.direction import Direction, direction_between, direction_to, for_outside, leaning
from search.engines import get_engine
from search.engines.base import Answer, Facets, Request
from search.fingerprints import Fingerprint
from search.models import Generation
from search.names import Names, most_counted
from search.outside.spreading import spread
from search.pictures import Picture
from search.query import MAX_DEPTH, BadParameter, Query, without_all
from search.slices import Arrange, Hit, Slice, of_fused, of_list, of_window
from search.text import analyse
from search.text_to_picture.fusing import Look, fused, questions
from search.text_to_picture.reading import Reading, corrected, read
from search.text_to_picture.vocabulary import DEEP
from search.words import spellings, words_of


@dataclass(frozen=True)
class Found:
    """What a query found. ``total`` counts products of matches, and is a lower bound where ``full``."""

    query: Query  # as answered: without what was left out
    notes: Sequence[str]
    generation: Generation | None
    names: Names
    direction: Direction | None = None
    page: Slice = field(default_factory=lambda: Slice((), 1))
    total: int = 0
    full: bool = False
    facets: Facets = field(default_factory=Facets)
    colors_from: tuple[str, ...] = ()  # words that were taken as colours
    reading: Reading | None = None  # how words alone were read; None where they are only looked for as text

    @property
    def hits(self) -> Sequence[Hit]:
        return self.page.hits

    @property
    def has_next(self) -> bool:
        return self.query.page < self.page.pages


def ask(
    query: Query,
    who: Visibility,
    generation: Generation | None,
    pictures: Sequence[Picture] = (),
    *,
    size: int | None = None,
    strict: bool = False,
    facets: bool = True,
    names: Names | None = None,
    arrange: Arrange | None = None,
) -> Found:
    """Answer one query.

    :param size: products on a page; the setting's number if not given
    :param strict: keep filter values that name nothing (they match nothing) instead of leaving them out; either way
        the notes name them
    :param names: what an answer to the same person has read already
    :param arrange: may change the order inside of bands of similarity
    :raises BadParameter: for weights that cannot be used, when ``strict``
    :raises EngineError: when the engine does not answer
    :raises EncoderBusy: when words are read by a network that too many wait for
    """
    size = size or settings.SEARCH_PAGE_SIZE
    names = names or Names()
    query, taken = _with_colors(query, names)
    notes: list[str] = []
    if generation is None:
        return Found(query, [_("Nothing is indexed yet. Try again in a moment.")], None, names)
    if not pictures and (found := _by_fingerprint(query, who, generation, size, names)) is not None:
        return found
    direction = None
    if pictures:
        direction, notes = _direction(query, pictures, generation, strict)
        if direction is None:
            return Found(query, notes, generation, names)
    request = Request(
        generation=generation.pk,
        visibility=who,
        vector=direction.vector if direction else None,
        floor=direction.floor if direction else -1.0,
        words=words_of(query.text, names),
        # A photo of the catalogue is not among the results for itself.
        exclude=tuple({picture.image.pk for picture in pictures if picture.image}),
        window=settings.SEARCH_WINDOW,
        index=generation.index_settings,
        lopsided=bool(direction and direction.lopsided),
        sort=query.sort,
        offset=0 if direction else min((query.page - 1) * size, MAX_DEPTH - size),
        limit=size,
        facets=facets,
    )
    if query.text and not request.words:
        notes.append(_("“%(text)s” holds no word that could be searched for.") % {"text": query.text})
    reading = None
    if request.words and direction is None and query.sort == "relevance":
        reading = read(query.text, generation, names)
    answer = _answer(request, query, generation, names, reading)
    # What no text holds may be misspelt, even where its look can be guessed.
    missed = reading is not None and (not answer.total or (reading.is_guess and not answer.by_text))
    if reading is not None and missed and (mended := corrected(reading, generation, names)) is not None:
        again = replace(request, words=words_of(mended.text, names))
        better = _answer(again, query, generation, names, mended)
        if better.total:
            request, answer, reading = again, better, mended
            notes.append(mended.correction)
    if reading is not None and not answer.total and (looser := reading.without_unread) is not None:
        again = replace(request, words=words_of(looser.text, names))
        better = _answer(again, query, generation, names, looser)
        if better.total:
            request, answer, reading = again, better, looser
            notes.append(looser.omission)
    if reading is not None and not answer.total and not query.has_filters:
        notes.append(reading.nothing)
    # Names are read once, after the answer, for all that it holds. A value that names nothing is rare enough to let a
    # page ask a second time without it.
    if unknown := names.unknown(query):
        notes += [_unknown_note(field_, value, strict) for field_, value in unknown]
        if not strict:
            query = without_all(query, unknown).with_(page=query.page)
            answer = _answer(request, query, generation, names, reading)
    if facets and not answer.total:
        # Attributes are free text: only the counts tell whether anything has them.
        counted = answer.facets.counts.get("attributes", {})
        notes += [
            _("No product here has “%(value)s”.") % {"value": value}
            for value in query.attributes
            if not counted.get(value)
        ]
    if direction is not None and direction.outside is not None and query.weaker:
        answer = spread(answer, direction, generation)
    page = (
        of_window(answer, query, size, direction, generation.scale.bands(direction.weights), arrange)
        if direction
        else of_fused(answer, query, size)
        if reading is not None and reading.direction is not None
        else of_list(answer, query, size)
    )
    if query.page > page.pages:
        numbers = {"page": query.page, "pages": page.pages}
        notes.append(_("There is no page %(page)d: these results end at page %(pages)d.") % numbers)
    return Found(
        query, notes, generation, names, direction, page, answer.total, answer.full, answer.facets, taken, reading
    )


def _by_fingerprint(query: Query, who: Visibility, generation: Generation, size: int, names: Names) -> Found | None:
    """The photos with the file or hash that the words name; None for other words.

    Filters do not narrow what is that exact. A bare string of digits that no photo has may be a word.
    """
    fingerprint = Fingerprint.of(query.text)
    if fingerprint is None:
        return None
    hits = fingerprint.hits(who, of_products=query.group == "products")
    if fingerprint.is_bare and not hits:
        return None
    notes = []
    if query.has_filters:
        query = query.without("filters").with_(page=query.page)
        notes.append(_("A photo that is looked for by its hash is found whatever the filters are: they were left out."))
    pages = max(1, -(-len(hits) // size))
    start = (query.page - 1) * size
    notes.append(fingerprint.note(len(hits)))
    page = Slice(hits[start : start + size], pages, continues=query.page > 1)
    return Found(query, notes, generation, names, page=page, total=len(hits))


def _with_colors(query: Query, names: Names) -> tuple[Query, tuple[str, ...]]:
    """The query with the colours that its words name as filters, and those words.

    They take the place of colours that were chosen: somebody who goes on from yellow mugs by typing "red mug" is done
    with yellow.
    """
    if not query.text:
        return query, ()
    found = color_words(query.text)
    if found.colors:  # names are read only where they can matter
        known = [*names.all_brands().values(), *(name for one in names.tree.by_id.values() for name in spellings(one))]
        found = color_words(query.text, {analyse(name) for name in known})
    if not found.colors:
        return query, ()
    return query.with_(page=query.page, text=found.rest, color=found.colors), found.words


def _answer(
    request: Request, query: Query, generation: Generation, names: Names, reading: Reading | None = None
) -> Answer:
    """Ask the engine with the query's filters, then read the names of what can be shown of them.

    Words that have a look are asked for as text and as a look, and both answers are made one.
    """
    engine, request = get_engine(generation.engine), replace(request, filters=query.filters)
    look = None if reading is None else _look(reading, generation, names)
    if reading is not None and look is not None and reading.is_own:
        # The shop's word for it goes before the network's: "shirt" there is a T-shirt.
        request = replace(request, words=tuple(replace(word, labels=()) for word in request.words))
    answer = engine.search(request) if look is None else fused(*engine.search_all(questions(request, look)))
    counts = answer.facets.counts
    names.learn(
        brands=[*most_counted(counts.get("brand", {}), query.brand), *query.brand],
        tags=[*most_counted(counts.get("tags", {}), query.tags), *query.tags],
    )
    return answer


def _look(reading: Reading, generation: Generation, names: Names) -> Look | None:
    """Where the words look: a direction of the part ``deep`` alone."""
    if reading.direction is None:
        return None
    direction = direction_to({DEEP: reading.direction}, {DEEP: 1.0}, generation)
    if direction is None:
        return None
    words = words_of(" ".join(reading.text_words), names)
    return Look(direction.vector, reading.line / direction.factor, direction.lopsided, words)


def _direction(
    query: Query, pictures: Sequence[Picture], generation: Generation, strict: bool
) -> tuple[Direction | None, list[str]]:
    """Where the query looks, or None and a note that says why it cannot."""
    known = [picture for picture in pictures if picture.is_known]
    if not known:
        return None, [_("This photo is not indexed yet, so nothing can be compared with it. Try again in a moment.")]
    notes = []
    if len(known) < len(pictures):
        notes.append(_("One of the photos is not indexed yet and is left out for now."))
    requested = query.requested_weights
    if unknown := sorted(requested.keys() - set(generation.projection.names)):
        message = _("There is no part “%(part)s”: weights are for %(parts)s.") % {
            "part": unknown[0],
            "parts": ", ".join(generation.projection.names),
        }
        if strict:
            raise BadParameter("w", message)
        notes.append(message)
    requested = requested or leaning(query.by, generation)
    wanted = [picture.projected_by(generation) for picture in known if picture.is_wanted]
    unwanted = [picture.projected_by(generation) for picture in known if not picture.is_wanted]
    direction = direction_between(wanted, unwanted, requested, generation)
    if direction is None and requested:
        direction = direction_between(wanted, unwanted, {}, generation)
        if direction is not None:
            notes.append(_("The picture has none of the parts that the weights name, so the usual weights were used."))
    if direction is None and len(known) > 1:
        notes.append(_("These pictures cancel each other out. Take one of them away."))
    elif direction is not None and len(known) == 1 and known[0].image is None and known[0].vectors is not None:
        direction = for_outside(direction, known[0].vectors, generation)
    elif direction is None:
        notes.append(_("There is nothing to compare in this picture. Choose one that shows a product."))
    return direction, notes


def _unknown_note(field_: str, value: str, strict: bool) -> str:
    if strict:
        return _("%(field)s: “%(value)s” is unknown and matches nothing.") % {"field": field_, "value": value}
    return _("The filter “%(value)s” is unknown and was left out.") % {"value": value}
