"""Two generations beside each other: what each finds first for the same photos of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.utils.translation import gettext as _

from gallery.models import Image
from gallery.visibility import Visibility
from search.direction import direction_of
from search.engines import get_engine
from search.engines.base import EngineError, EngineHit, Request
from search.generations.samples import sample_keys
from search.models import Embedding, Generation
from search.slices import collapsed

RESULTS = 6  # products that are shown for a photo
SAMPLES = 6  # photos
_DRAWN = 60  # photos from which those are taken: some may not be embedded with both encoders
_WINDOW = 60  # images that the engine ranks: enough for six products with several photos


@dataclass(frozen=True)
class Result:
    image: Image
    shared: bool  # whether the other generation has this product among its first, too


@dataclass(frozen=True)
class Sample:
    """One photo and what the two generations find for it."""

    image: Image
    left: Sequence[Result]
    right: Sequence[Result]

    @property
    def shared(self) -> int:
        return sum(result.shared for result in self.left)

    @property
    def shown(self) -> int:
        return max(len(self.left), len(self.right))


@dataclass(frozen=True)
class Comparison:
    """``left_trouble`` and ``right_trouble`` say why a generation gave no results."""

    samples: Sequence[Sample]
    passed_over: int = 0  # photos that came first in the draw, but are not embedded with both encoders
    left_trouble: str = ""
    right_trouble: str = ""

    @cached_property
    def shared(self) -> int:
        return sum(sample.shared for sample in self.samples)

    @cached_property
    def shown(self) -> int:
        return sum(sample.shown for sample in self.samples)

    @property
    def is_complete(self) -> bool:
        return not self.left_trouble and not self.right_trouble


def compare(
    left: Generation, right: Generation, who: Visibility, *, image: UUID | None = None, seed: int = 0
) -> Comparison:
    """Ask both generations, each with its own embeddings, projection and weights.

    :param image: one photo to ask with; without it six are drawn
    :param seed: of the draw; the same seed draws the same photos from the same catalogue
    """
    drawn = _visible([image] if image else sample_keys(_DRAWN, seed), who)
    embedded = _hashes(left.encoder, drawn) & _hashes(right.encoder, drawn)
    asked: list[Image] = []
    passed_over = 0
    for one in drawn:
        if len(asked) == SAMPLES:
            break
        if one.sha256 in embedded:
            asked.append(one)
        else:
            passed_over += 1
    left_hits, left_trouble = _ask(left, asked, who)
    right_hits, right_trouble = _ask(right, asked, who)
    rows = Image.objects.visible_to(who).select_related("product__brand").order_by()
    images = rows.in_bulk({hit.key for hits in (*left_hits, *right_hits) for hit in hits})
    samples = []
    for one, lefts, rights in zip(asked, left_hits, right_hits, strict=True):
        found = [[images[hit.key] for hit in hits if hit.key in images] for hits in (lefts, rights)]
        both = {image.product_id for image in found[0]} & {image.product_id for image in found[1]}
        samples.append(
            Sample(one, *([Result(image, image.product_id in both) for image in images_] for images_ in found))
        )
    return Comparison(samples, passed_over, left_trouble, right_trouble)


def _visible(keys: Sequence[UUID], who: Visibility) -> list[Image]:
    """The images that who asks may see, in the order of the keys."""
    images = Image.objects.visible_to(who).select_related("product").order_by().in_bulk(keys)
    return [images[key] for key in keys if key in images]


def _hashes(encoder: str, images: Iterable[Image]) -> set[str]:
    hashes = {image.sha256 for image in images}
    return set(Embedding.objects.filter(encoder=encoder, sha256__in=hashes).values_list("sha256", flat=True))


def _ask(generation: Generation, images: Sequence[Image], who: Visibility) -> tuple[list[list[EngineHit]], str]:
    """For every image the best hit of each of the first products, and why there are none."""
    if generation.preparing:
        return [[] for _image in images], _("Its projection is still being fitted, so it cannot be asked yet.")
    embeddings = Embedding.objects.by_hash(generation.encoder, [image.sha256 for image in images])
    try:
        return [_first(generation, image, embeddings[image.sha256], who) for image in images], ""
    except EngineError as error:
        return [[] for _image in images], str(error)


def _first(generation: Generation, image: Image, embedding: Embedding, who: Visibility) -> list[EngineHit]:
    direction = direction_of(embedding.vectors, {}, generation)
    if direction is None:  # a photo without any part that the generation's weights count
        return []
    answer = get_engine(generation.engine).search(
        Request(
            generation.pk,
            who,
            vector=direction.vector,
            exclude=(image.pk,),
            window=_WINDOW,
            index=generation.index_settings,
            lopsided=direction.lopsided,
            facets=False,
        )
    )
    return [photos[0] for photos in collapsed(answer.hits).values()][:RESULTS]
