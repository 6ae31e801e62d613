"""Which photos are worth comparing, and what comes of it: one way for new photos and for a scan of all."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from PIL import Image as Picture

from gallery.hashes import mirrored
from gallery.models import Image
from gallery.pictures import open_upright
from gallery.visibility import moderation
from search.direction import Direction, direction_to
from search.duplicates.judging import Case, Lines, Photo, Verdict, judge
from search.duplicates.pixels import SIDE, Pixels, pixels_of
from search.engines import get_engine
from search.engines.base import Request
from search.models import DuplicatePair, Generation
from search.models.duplicates import ordered
from search.pictures import embedding_of, with_embedding

logger = logging.getLogger(__name__)

NEIGHBOURS = 12  # photos that an encoder finds most similar, of which each photo is compared
HASH_BITS = 7  # within which hashes are looked for: one more would take seven times as many probes
_MOST_HASHED = 24  # photos of nearly one hash: blank ones all share theirs
_COLUMNS = ("id", "product_id", "sha256", "perceptual_hash", "original")


@dataclass
class _Seen:
    """A photo with what an encoder said of it, projected."""

    photo: Photo
    image: Image
    parts: dict[str, np.ndarray]


@dataclass
class Finder:
    """Compares photos with the catalogue as the live generation holds it."""

    generation: Generation
    _pixels: dict[str, Pixels | None] = field(default_factory=dict)

    def look_at(self, keys: Sequence[UUID]) -> int:
        """Find the duplicates of these photos, and record the pairs that are new. No transaction is open meanwhile.

        :return: how many pairs are new
        :raises EngineError: when the engine does not answer
        """
        seen = self._load(keys)
        wanted: dict[tuple[UUID, UUID], None] = {}
        for key in keys:
            if key in seen:
                wanted |= dict.fromkeys(ordered(key, other) for other in self._candidates(seen[key]))
        seen |= self._load({key for pair in wanted for key in pair} - seen.keys())
        pairs = [(seen[one], seen[other]) for one, other in wanted if one in seen and other in seen]
        files = {one.photo.sha256 for pair in pairs for one in pair}
        apart, known = DuplicatePair.objects.told_apart(files), _known(wanted)
        found = []
        for one, other in pairs:
            if frozenset((one.photo.sha256, other.photo.sha256)) in apart:
                continue
            if known.get((one.photo.key, other.photo.key)) == (one.photo.sha256, other.photo.sha256):
                continue
            if verdict := self._judge(one, other, seen):
                found.append(_pair(one.photo, other.photo, verdict))
        self._pixels.clear()
        return record(found)

    def _load(self, keys: Iterable[UUID]) -> dict[UUID, _Seen]:
        images = with_embedding(Image.objects.filter(pk__in=list(keys)), self.generation.encoder)
        project = self.generation.projection.project
        return {
            image.pk: _Seen(
                Photo(image.pk, image.product_id, image.sha256, image.perceptual_hash),
                image,
                project(embedding_of(image) or {}),
            )
            for image in images.only(*_COLUMNS).order_by()
        }

    def _candidates(self, one: _Seen) -> Iterable[UUID]:
        """Keys of other photos: of the same bytes, of a near hash, upright or mirrored, and of a near vector."""
        images, photo = Image.objects.exclude(pk=one.photo.key), one.photo
        yield from images.filter(sha256=photo.sha256).order_by("pk").values_list("pk", flat=True)[:_MOST_HASHED]
        for hash in (photo.perceptual_hash, mirrored(photo.perceptual_hash)):
            yield from list(images.hashed_like(hash, HASH_BITS))[:_MOST_HASHED]
        direction = direction_to(one.parts, {}, self.generation)
        if direction is not None:
            yield from self._neighbours(photo.key, direction)

    def _neighbours(self, key: UUID, direction: Direction) -> Iterable[UUID]:
        lines = Lines.of(self.generation.scale, direction.weights)
        request = Request(
            generation=self.generation.pk,
            visibility=moderation,
            vector=direction.vector,
            floor=lines.lowest / direction.factor,
            exclude=(key,),
            window=NEIGHBOURS,
            index=self.generation.index_settings,
            lopsided=direction.lopsided,
            facets=False,
        )
        answer = get_engine(self.generation.engine).search(request)
        return [hit.key for hit in answer.hits]

    def _judge(self, one: _Seen, other: _Seen, seen: dict[UUID, _Seen]) -> Verdict | None:
        shared = one.parts.keys() & other.parts.keys()
        weights = self.generation.projection.usable_weights(self.generation.weights, sorted(shared))
        alike = sum(weight * float(one.parts[name] @ other.parts[name]) for name, weight in weights.items())
        case = Case(
            one.photo, other.photo, alike if weights else None, lambda photo: self._pixels_of(seen[photo.key].image)
        )
        return judge(case, Lines.of(self.generation.scale, weights or self.generation.weights))

    def _pixels_of(self, image: Image) -> Pixels | None:
        if image.sha256 not in self._pixels:
            self._pixels[image.sha256] = _decoded(image)
        return self._pixels[image.sha256]


def _decoded(image: Image) -> Pixels | None:
    try:
        with image.original.open("rb") as file:
            return pixels_of(open_upright(file, at_least=SIDE))
    except (OSError, ValueError, Picture.DecompressionBombError) as error:
        logger.warning("The original of image %s cannot be compared: %s", image.pk, error)
        return None


def _known(wanted: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[str, str]]:
    """Pairs that are recorded, with the files that were compared: these are not compared again."""
    pairs = DuplicatePair.objects.filter(first__in={first for first, _second in wanted})
    rows = pairs.values_list("first", "second", "first_sha256", "second_sha256")
    return {(first, second): (one, other) for first, second, one, other in rows}


def _pair(one: Photo, other: Photo, verdict: Verdict) -> DuplicatePair:
    return DuplicatePair(
        first=one.key,
        second=other.key,
        first_sha256=one.sha256,
        second_sha256=other.sha256,
        kind=verdict.kind,
        relation=verdict.relation,
        score=round(verdict.score, 4),
    )


@transaction.atomic
def record(pairs: Sequence[DuplicatePair]) -> int:
    """Write pairs; of photos that have other files by now the question is a new one.

    What somebody recorded while these were compared, and has perhaps decided, stays as it is.

    :return: how many were written
    """
    asked = {(pair.first, pair.second) for pair in pairs}
    # In the order in which everybody locks pairs; writing them would lock them in that of the list.
    list(DuplicatePair.objects.select_for_update().filter(first__in={first for first, _ in asked}).order_by("pk"))
    known = _known(asked)
    new = [one for one in pairs if known.get((one.first, one.second)) != (one.first_sha256, one.second_sha256)]
    DuplicatePair.objects.leave_to_files({(one.first, one.second) for one in new} & known.keys())
    columns = [column.name for column in DuplicatePair._meta.concrete_fields]
    written: list[Any] = DuplicatePair.objects.bulk_create(
        new,
        update_conflicts=True,
        unique_fields=["first", "second"],
        update_fields=[column for column in columns if column not in ("id", "first", "second")],
    )
    return len(written)
