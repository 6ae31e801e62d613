"""Whether a copy of a photo finds the photo: cropped, resized, compressed, mirrored, darkened, on a screen.

The stored original is opened and changed, and each copy asks as a photo that somebody sends. The original must come
first, or another photo of the very same file.
"""

import logging
from typing import BinaryIO, cast
from uuid import UUID

import numpy as np
from PIL import Image as Pillow

from gallery.pictures import open_upright
from gallery.verification import Refused
from search.encoders import EncoderError, encoder_for
from search.encoders.base import Encoder
from search.encoders.slot import turn
from search.photos import shrunk
from search.pictures import Picture
from search.quality import metrics
from search.quality.copies import COPIES
from search.quality.deadline import Deadline
from search.quality.ranking import Asking, public_photos
from search.quality.results import Asked, NotMeasured, Result, worst_of
from search.sampling import drawn

logger = logging.getLogger(__name__)

LEAST_PHOTOS = 3
MOST_PHOTOS = 100  # each is encoded once for every kind of copy


def measure(asking: Asking) -> Result:
    """Recall@1 and MRR over all copies, resampled by photo, and for each kind of copy.

    :raises NotMeasured: with fewer than three photos, or where the encoder is not installed
    :raises EngineError: when the engine does not answer
    :raises EncoderBusy: when others keep the encoder
    """
    sample = drawn(public_photos().values_list("pk", flat=True).iterator(), MOST_PHOTOS, asking.seed)
    if len(sample) < LEAST_PHOTOS:
        raise NotMeasured("few-images", images=len(sample), needed=LEAST_PHOTOS)
    encoder = _encoder(asking)
    deadline, asked, places, unread = Deadline(asking.seconds), [], [], 0
    for done, key in enumerate(sample):
        if deadline.has_passed:
            break
        asking.tell(done, len(sample))
        original = _opened(key)
        if original is None:
            unread += 1
            continue
        found = _asked_with_copies(asking, encoder, key, original)
        asked += found
        places.append([one.place for one in found])
    if not places:
        raise NotMeasured("no-files")
    # (photos, kinds): 1 divided by the place of the original, 0 where the window does not hold it.
    ranks = np.array([[1.0 / place if place else 0.0 for place in row] for row in places])
    return Result(
        queries=len(places),
        figures=_figures(ranks.mean(axis=1), (ranks == 1).mean(axis=1), asking.seed),
        facts={"copies": len(asked), "unread": unread},
        groups={
            kind: Result(len(places), _figures(ranks[:, column], (ranks[:, column] == 1).astype(float), asking.seed))
            for column, kind in enumerate(COPIES)
        },
        worst=[one for one in worst_of(asked, [(rank,) for rank in ranks.ravel().tolist()]) if one.place != 1],
    )


def _figures(ranks: np.ndarray, firsts: np.ndarray, seed: int) -> dict[str, metrics.Interval]:
    return metrics.intervals({"recall_at_1": firsts, "mean_reciprocal_rank": ranks}, seed)


def _encoder(asking: Asking) -> Encoder:
    try:
        encoder = encoder_for(asking.generation.encoder)
        encoder.load()
    except (LookupError, EncoderError) as error:
        logger.warning("Copies cannot be encoded: %s", error)
        raise NotMeasured("no-encoder") from error
    return encoder


def _opened(key: UUID) -> Pillow.Image | None:
    """The upright original, as large as a photo that is sent; None where its file is gone or cannot be read."""
    image = public_photos().filter(pk=key).first()
    try:
        if image is None:
            return None
        with image.original.open("rb") as file:
            return shrunk(open_upright(cast(BinaryIO, file)))
    except (OSError, Refused):
        return None


def _asked_with_copies(asking: Asking, encoder: Encoder, key: UUID, original: Pillow.Image) -> list[Asked]:
    chance = np.random.default_rng([asking.seed, key.int & 0xFFFFFFFF])
    copies = [make(original, chance) for make in COPIES.values()]
    with turn():
        encoded = encoder.encode(copies)
    found = []
    for kind, vectors in zip(COPIES, encoded, strict=True):
        keys = asking.photos(Picture(vectors))
        facts = asking.facts([key, *keys])
        file = facts[key].sha256 if key in facts else ""
        hits = [(hit, facts[hit].sha256 == file) for hit in keys if hit in facts]
        place = next((place for place, (_hit, right) in enumerate(hits, start=1) if right), None)
        found.append(Asked(hits, image=key, kind=kind, place=place))
    return found
