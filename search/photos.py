"""Query photos: kept for the visitor or user that sent them, encoded once, forgotten on request or after a day."""

import io
from contextlib import suppress
from datetime import timedelta
from typing import BinaryIO, cast

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone
from PIL import Image as Pillow

from gallery.models import Image, User
from gallery.pictures import open_upright
from gallery.storage import fresh_name, sweep_unnamed_files
from gallery.verification import Refused, verify
from search.crops import Crop
from search.encoders import EncoderError, encoder_for
from search.encoders.base import Described
from search.encoders.slot import EncoderBusy, describe_one
from search.engines.base import EngineError
from search.models import EncodedPicture, Generation, QueryEmbedding, QueryPhoto, RegionEmbedding
from search.visitors import forget_visitor, known_visitor

LONGEST_SIDE = 1280  # pixels that are kept; encoders look at far fewer
_QUALITY = 88
_CHUNK = 500

Vectors = dict[str, np.ndarray]


def shrunk(picture: Pillow.Image) -> Pillow.Image:
    """The picture with no side longer than ``LONGEST_SIDE``."""
    small = picture.copy()
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Pillow.Resampling.LANCZOS, reducing_gap=3.0)
    return small


def keep(request: HttpRequest, file, name: str) -> QueryPhoto:
    """Verify a picture, store it upright, small and without metadata, and encode it if the encoder is free.

    :raises gallery.verification.Refused: nothing has been stored then
    """
    facts = verify(file, name, heic=True)
    picture = shrunk(open_upright(file, at_least=LONGEST_SIDE))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_QUALITY, optimize=True)
    stored = storages["queries"].save(fresh_name("jpg"), ContentFile(jpeg.getvalue()))
    try:
        photo = QueryPhoto.objects.create(
            **owner_of(request), file=stored, sha256=facts.sha256, width=picture.width, height=picture.height
        )
    except Exception:
        storages["queries"].delete(stored)
        raise
    generation = Generation.objects.live()
    if generation is not None:
        # The photo is safe. If the encoder is busy or missing, the results page tries again and says what is wrong.
        with suppress(EncoderBusy, EngineError, FileNotFoundError):
            embed(photo, generation, picture)
    return photo


def owner_of(request: HttpRequest) -> dict[str, object]:
    """Whose photo it will be: the user's, or the visitor's."""
    return {"user": request.user} if request.user.is_authenticated else {"visitor": known_visitor(request)}


def hand_over(request: HttpRequest, user: User) -> None:
    """The photos of a visitor who has just signed in belong to the user from now on."""
    if visitor := forget_visitor(request):
        QueryPhoto.objects.filter(visitor=visitor).update(user=user, visitor="")


def embed(
    photo: QueryPhoto, generation: Generation, picture: Pillow.Image | None = None, crop: Crop | None = None
) -> QueryEmbedding:
    """Encode a photo, or a part of it, for a generation and store what the encoder said, which is returned.

    :raises EncoderBusy: when too many wait for the encoder
    :raises EngineError: when the generation's encoder is not installed
    :raises FileNotFoundError: when the photo is gone
    """
    if picture is None:
        with photo.file.open("rb") as file:
            picture = open_upright(cast(BinaryIO, file))
    embedding = QueryEmbedding(photo=photo, encoder=generation.encoder, crop=str(crop) if crop else "")
    _say(embedding, crop.of(picture) if crop else picture, generation)
    try:
        # Two requests may have encoded the same photo at once: they say the same.
        QueryEmbedding.objects.bulk_create([embedding], ignore_conflicts=True)
    except IntegrityError as error:  # the photo was forgotten while it was encoded
        raise FileNotFoundError(str(photo.pk)) from error
    return embedding


def embed_region(image: Image, crop: Crop, generation: Generation) -> Vectors | None:
    """The same for a part of a photo of the catalogue; None where its file is gone or cannot be read.

    :raises EncoderBusy: when too many wait for the encoder
    :raises EngineError: when the generation's encoder is not installed
    """
    try:
        with image.original.open("rb") as file:
            picture = open_upright(cast(BinaryIO, file))
    except (OSError, Refused):
        return None
    embedding = RegionEmbedding(sha256=image.sha256, crop=str(crop), encoder=generation.encoder)
    _say(embedding, crop.of(picture), generation)
    RegionEmbedding.objects.bulk_create([embedding], ignore_conflicts=True)
    return embedding.vectors


def _say(embedding: EncodedPicture, picture: Pillow.Image, generation: Generation) -> None:
    described = encoded(picture, generation)
    embedding.vectors, embedding.labels = described.vectors, described.labels


def encoded(picture: Pillow.Image, generation: Generation) -> Described:
    """What the generation's encoder says of a picture, in this process's turn.

    :raises EncoderBusy: when too many wait for the encoder
    :raises EngineError: when the generation's encoder is not installed, or fails
    """
    try:
        return describe_one(encoder_for(generation.encoder), picture)
    except (LookupError, EncoderError) as error:
        raise EngineError(str(error)) from error


def forget(photo: QueryPhoto) -> None:
    """Delete the photo, what encoders said of it, and (after the commit, by a receiver) its file."""
    photo.delete()


def delete_expired() -> int:
    """Forget every photo whose time has come, and the files that a crash left without a row.

    :return: how many photos were forgotten
    """
    deleted = 0
    while photos := list(QueryPhoto.objects.expired()[:_CHUNK]):
        for photo in photos:
            forget(photo)
        deleted += len(photos)
    RegionEmbedding.objects.filter(
        created_at__lte=timezone.now() - timedelta(hours=settings.QUERY_PHOTO_HOURS)
    ).delete()
    sweep_unnamed_files("queries", QueryPhoto.objects.values_list("file", flat=True))
    return deleted
