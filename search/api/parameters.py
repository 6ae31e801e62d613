"""What the API takes: the page's parameters under the API's names, from a query string, a form or a JSON body."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from gallery.hashes import MOST_BITS
from gallery.models import Brand, Category
from gallery.models.categories import CategoryTree, readable_slug
from gallery.models.products import ProductTag
from search.crops import Crop
from search.fingerprints import USUAL_BITS, Fingerprint
from search.names import ids
from search.query import MULTIPLE, BadParameter, Query, last_page
from search.words import spellings

MAX_LIMIT = 100
VECTOR = "vector"
PAGE_NAMES = {"image_id": "image", "weights": "w"}  # the API's name → the page's
API_NAMES = {page: api for api, page in PAGE_NAMES.items()}
SAME_NAMES = ("q", "less", *MULTIPLE, "price_min", "price_max", "sort", "group", "weaker", "page", "by")
CROP = "crop"  # of the uploaded image
SHA256, PHASH, DISTANCE = "sha256", "phash", "distance"  # a file or a picture that is looked for by its hash
OWN_NAMES = (CROP, "limit", SHA256, PHASH, DISTANCE)
NAMES = frozenset((*SAME_NAMES, *PAGE_NAMES, *OWN_NAMES))


@dataclass(frozen=True)
class Asked:
    query: Query
    limit: int
    image: Any = None  # an uploaded file
    crop: Crop | None = None  # the part of it that is meant
    vector: Any = None  # as it came, not read yet: its right length is the generation's to say


def read(request: Request) -> Asked:
    """Read a request; parameters of the body stand beside those of the query string.

    :raises BadParameter: naming the first parameter that cannot be read
    """
    data: MultiValueDict[str, str] = MultiValueDict()
    vector = None
    for source in (request.query_params, request.data):
        for name, value in _items(source):
            if name == VECTOR and not isinstance(source, MultiValueDict):
                vector = value
            elif texts := _texts(name, value):
                data.setlistdefault(name).extend(texts)
            elif name not in NAMES and name not in request.FILES:
                data.setlist(name, [])
    files = request.FILES
    if VECTOR in data:
        raise BadParameter(VECTOR, _("Send “vector” in a JSON body."))
    if "image" in data:
        raise BadParameter("image", _("Send “image” as a file in a multipart form, or name a photo by “image_id”."))
    for name in (*data, *files):
        if name not in NAMES and not (name == "image" and name in files):
            raise BadParameter(name, _("There is no parameter “%(name)s”.") % {"name": name})
    limit = _limit(data.getlist("limit"))
    if (fingerprint := _fingerprint(data)) is not None:
        data.setlist("q", [str(fingerprint)])
    try:
        query, _notes = Query.from_querydict(
            MultiValueDict({PAGE_NAMES.get(name, name): data.getlist(name) for name in data if name not in OWN_NAMES}),
            strict=True,
        )
    except BadParameter as error:
        raise in_api_terms(error) from error
    if query.page > last_page(limit):
        raise BadParameter("page", _("Paging ends at page %(last)d. Narrow the search.") % {"last": last_page(limit)})
    image = files.get("image")
    if image is not None and query.likes:
        raise BadParameter("image", _("Send either “image” or “image_id”."))
    if vector is not None and (image is not None or query.likes):
        raise BadParameter(VECTOR, _("Send either “vector” or a picture."))
    return Asked(_with_ids(query), limit, image, _crop(data.getlist(CROP), image), vector)


def _fingerprint(data: "MultiValueDict[str, str]") -> Fingerprint | None:
    """The hash that is looked for; it stands in the place of words."""
    given = [name for name in (SHA256, PHASH) if data.getlist(name)]
    if not given:
        if DISTANCE in data:
            raise BadParameter(DISTANCE, _("“distance” goes with “phash”."))
        return None
    name = given[0]
    if len(given) > 1 or len(data.getlist(name)) > 1 or "q" in data:
        raise BadParameter(name, _("Send one of “q”, “sha256” and “phash”."))
    digits = 64 if name == SHA256 else 16
    value = data.getlist(name)[0].strip()
    if not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", value):
        message = _("“%(name)s” is %(digits)d hexadecimal digits.")
        raise BadParameter(name, message % {"name": name, "digits": digits})
    if name == SHA256:
        if DISTANCE in data:
            raise BadParameter(DISTANCE, _("“distance” goes with “phash”."))
        return Fingerprint("sha256", value.lower())
    bits = data.getlist(DISTANCE)[-1] if data.getlist(DISTANCE) else str(USUAL_BITS)
    if not re.fullmatch("[0-9]{1,2}", bits, re.ASCII) or int(bits) > MOST_BITS:
        raise BadParameter(DISTANCE, _("“distance” is a number of bits from 0 to %(most)d.") % {"most": MOST_BITS})
    return Fingerprint("phash", value.lower(), int(bits))


def _crop(values: list[str], image: Any) -> Crop | None:
    if not values:
        return None
    if image is None:
        raise BadParameter(CROP, _("“crop” is a part of “image”. A part of “image_id” is written as id@crop."))
    try:
        return Crop.parse(values[-1])
    except ValueError as error:
        message = _("“crop” is left,top,width,height in thousandths of the picture: “%(value)s” is not inside of it.")
        raise BadParameter(CROP, message % {"value": values[-1][:40]}) from error


def in_api_terms(error: BadParameter) -> BadParameter:
    return BadParameter(API_NAMES.get(error.field, error.field), error.message)


def _items(source: Any):
    if isinstance(source, MultiValueDict):  # a form; its files are read apart
        return [(name, [value for value in values if isinstance(value, str)]) for name, values in source.lists()]
    if isinstance(source, Mapping):
        return source.items()
    raise BadParameter("", _("The body must be a JSON object of parameters."))


def _texts(name: str, value: Any) -> list[str]:
    """A JSON value as a query string would hold it."""
    if isinstance(value, bool):
        return ["1" if value else "0"]
    if isinstance(value, str):
        return [value]
    if isinstance(value, int | float):
        return [str(value)]
    if value is None:
        return []
    if isinstance(value, list):
        return [text for one in value for text in _texts(name, one)]
    if isinstance(value, Mapping) and name == "weights":
        return [",".join(f"{part}:{weight}" for part, weight in value.items())]
    if isinstance(value, Mapping) and name == "attr":
        return [f"{key}={text}" for key, values in value.items() for text in _texts(name, values)]
    raise BadParameter(name, _("“%(name)s” has a value that cannot be read.") % {"name": name})


def _limit(values: list[str]) -> int:
    if not values:
        return min(settings.SEARCH_PAGE_SIZE, MAX_LIMIT)
    value = values[-1]
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= MAX_LIMIT):
        raise BadParameter("limit", _("“limit” is a number from 1 to %(most)d.") % {"most": MAX_LIMIT})
    return int(value)


def _with_ids(query: Query) -> Query:
    """The query with names of categories, brands and tags replaced by what they stand for, where that is certain."""
    changes = {}
    if named := [value for value in query.category if not ids([value])]:
        tree = Category.objects.tree()
        changes["category"] = [_category_id(value, tree) if value in named else value for value in query.category]
    if named := [value for value in query.brand if not ids([value])]:
        found = Brand.objects.filter(Q(name__in=named) | Q(slug__in=named))
        known = {text: str(brand.pk) for brand in found for text in (brand.slug, brand.name)}
        changes["brand"] = [known.get(value, value) for value in query.brand]
    if query.tags:
        tags = ProductTag.objects.filter(Q(name__in=query.tags) | Q(slug__in=query.tags))
        known = {text: tag.slug for tag in tags for text in (tag.name, tag.slug)}
        changes["tags"] = [known.get(value, value) for value in query.tags]
    return query.with_(page=query.page, **{field: tuple(values) for field, values in changes.items()})


def _category_id(value: str, tree: CategoryTree) -> str:
    """The category at a path of slugs or names, from the root or from anywhere if only one is so called."""
    steps = [readable_slug(step) for step in value.split("/") if step.strip()]
    found = []
    for category in tree.by_id.values():
        path = tree.ancestors(category.pk)
        tail = path[-len(steps) :] if steps else []
        if len(tail) == len(steps) and all(_is_called(one, step) for one, step in zip(tail, steps, strict=True)):
            found.append((len(path), str(category.pk)))
    exact = [pk for depth, pk in found if depth == len(steps)]
    candidates = exact or [pk for _depth, pk in found]
    return candidates[0] if len(candidates) == 1 else value


def _is_called(category: Category, slug: str) -> bool:
    return slug in (category.slug, *map(readable_slug, spellings(category)))
