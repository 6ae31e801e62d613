"""Searches in words and small pictures, many at once, as lists of them show."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from gallery import visibility
from gallery.models import Image
from search.ask import Found
from search.examples import Example
from search.models import QueryPhoto
from search.names import Names
from search.query import Query
from search.rail import chips_of


@dataclass(frozen=True)
class Thumb:
    """One picture of a query. A photo that has expired, or that is gone from the catalogue, has neither."""

    example: Example
    image: Image | None = None  # of the catalogue
    photo: QueryPhoto | None = None
    src: str = ""  # of the photo

    @property
    def is_gone(self) -> bool:
        return self.image is None and self.photo is None


@dataclass(frozen=True)
class Entry:
    """``words``: the text and the filters, each as its chip says it."""

    query: Query
    words: tuple[str, ...]
    thumbs: tuple[Thumb, ...]

    @property
    def url(self) -> str:
        return self.query.url()

    @property
    def label(self) -> str:
        return " · ".join(self.words)


def entries_of(canonicals: Sequence[str], request: HttpRequest) -> list[Entry]:
    """What these canonical query strings ask for, to the eyes of who asks. At most five queries."""
    queries = [Query.from_querydict(QueryDict(canonical))[0] for canonical in canonicals]
    names = Names()
    names.learn(
        brands=[value for query in queries for value in query.brand],
        tags=[value for query in queries for value in query.tags],
    )
    examples = [example for query in queries for example in query.examples]
    photos = _photos({one.key for one in examples if one.kind == "photo"}, request)
    images = _images({one.key for one in examples if one.kind == "image"}, request)
    return [
        Entry(
            query,
            tuple(chip.label for chip in chips_of(Found(query, (), None, names))),
            tuple(_thumb(example, photos, images) for example in query.examples),
        )
        for query in queries
    ]


def _photos(keys: set[UUID], request: HttpRequest) -> dict[UUID, QueryPhoto]:
    return QueryPhoto.objects.of_request(request).in_bulk(list(keys)) if keys else {}


def _images(keys: set[UUID], request: HttpRequest) -> dict[UUID, Image]:
    visible = Image.objects.visible_to(visibility.of_request(request)).select_related("product")
    return visible.in_bulk(list(keys)) if keys else {}


def _thumb(example: Example, photos: dict[UUID, QueryPhoto], images: dict[UUID, Image]) -> Thumb:
    photo = photos.get(example.key)
    src = reverse("search-photo-file", args=[photo.pk]) if photo else ""
    return Thumb(example, images.get(example.key), photo, src)
