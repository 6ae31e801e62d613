"""Whether a copy of a photo finds the photo: cropped, resized, compressed, mirrored, darkened, on a screen.

The stored original is opened and changed, and each copy asks as a photo that somebody sends. The original must come
first, or another photo of the very same file.
"""

import logging
import math
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

DEPTH = 10
LEAST_PHOTOS = 3
MOST_PHOTOS = 100  # each is encoded once for every kind of copy


def measure(asking: Asking) -> Result:
    """Recall@1 and @10, nDCG@10 and MRR over all copies, resampled by photo, and for each kind of copy.

    There is one right answer, so that P@1 is recall@1, and mAP is MRR.

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
    # (photos, kinds): the place of the original, infinite where the window does not hold it.
    place = np.array([[math.inf if one is None else one for one in row] for row in places])
    values = _values(place)
    return Result(
        queries=len(places),
        figures=metrics.intervals({name: of.mean(axis=1) for name, of in values.items()}, asking.seed),
        facts={"copies": len(asked), "unread": unread},
        groups={
            kind: Result(
                len(places), metrics.intervals({name: of[:, column] for name, of in values.items()}, asking.seed)
            )
            for column, kind in enumerate(COPIES)
        },
        worst=[one for one in worst_of(asked, [(1 / one,) for one in place.ravel().tolist()]) if one.place != 1],
    )


def _values(place: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "recall_at_1": (place == 1).astype(np.float64),
        "recall_at_10": (place <= DEPTH).astype(np.float64),
        "ndcg_at_10": np.where(place <= DEPTH, 1 / np.log2(place + 1), 0.0),
        "mean_reciprocal_rank": 1 / place,
    }


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
