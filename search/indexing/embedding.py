"""Pictures to embeddings, in batches; what has been embedded once is never embedded again."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as Picture

from gallery.models import Image
from gallery.pictures import open_upright
from search.encoders import EncoderError, encoder_for
from search.encoders.base import Described, Encoder
from search.models import Embedding
from search.recognition import Stored

logger = logging.getLogger(__name__)

Vectors = Mapping[str, np.ndarray]
# Networks read 224 to 512 pixels; decoding a large JPEG at a reduced size is several times as fast.
DECODE_PIXELS = 520
# One sentence for all of them, so that they can be counted and tried again together; the log has the details.
REASON_DAMAGED = "The original file cannot be decoded: it is damaged. Upload it again."


@dataclass(frozen=True)
class Embedded:
    """What is known of some images' files, by their hashes."""

    vectors: dict[str, Vectors]
    reasons: dict[str, str]  # of files that could not be read or encoded
    fresh: int = 0  # files that were encoded for it
    seconds: float = 0.0  # that this took
    labels: dict[str, Stored] = field(default_factory=dict)  # classes that the encoder named


def embeddings_for(encoder_identity: str, images: Iterable[Image]) -> Embedded:
    """Stored embeddings of these images, encoding and storing those that are missing.

    Where the encoder has gone, what is stored is still given, and the others fail with that reason.
    """
    by_hash: dict[str, list[Image]] = {}
    for image in images:
        by_hash.setdefault(image.sha256, []).append(image)
    stored = Embedding.objects.by_hash(encoder_identity, by_hash)
    known: dict[str, Vectors] = {sha256: row.vectors for sha256, row in stored.items()}
    labels: dict[str, Stored] = {sha256: row.labels for sha256, row in stored.items()}
    missing = [copies for sha256, copies in by_hash.items() if sha256 not in known]
    if not missing:
        return Embedded(known, {}, labels=labels)
    start = time.perf_counter()
    try:
        encoder = encoder_for(encoder_identity)
        encoder.load()  # a network that cannot be loaded is no picture's fault, and is not tried for each of them
    except (LookupError, EncoderError) as error:
        failed = dict.fromkeys((copies[0].sha256 for copies in missing), str(error))
        return Embedded(known, failed, labels=labels)
    pictures: dict[str, Picture.Image] = {}
    reasons: dict[str, str] = {}
    for copies in missing:
        for image in copies:  # two images may hold the same bytes: one readable file serves both
            try:
                pictures[image.sha256] = _decoded(image)
                break
            except FileNotFoundError:
                reasons[image.sha256] = "The original file is missing from storage. Upload it again."
            except (OSError, ValueError, Picture.DecompressionBombError) as error:
                logger.warning("The original of image %s cannot be decoded: %s", image.pk, error)
                reasons[image.sha256] = REASON_DAMAGED
    reasons = {sha256: reason for sha256, reason in reasons.items() if sha256 not in pictures}
    encoded, refused = _encode(encoder, pictures)
    reasons |= refused
    rows = []
    for sha256, described in encoded.items():
        row = Embedding(sha256=sha256, encoder=encoder_identity, labels=described.labels)
        row.vectors = described.vectors
        rows.append(row)
        known[sha256], labels[sha256] = described.vectors, described.labels
    # Another process may have embedded the same file meanwhile: its row says the same.
    Embedding.objects.bulk_create(rows, ignore_conflicts=True)
    return Embedded(known, reasons, len(encoded), time.perf_counter() - start, labels)


def _decoded(image: Image) -> Picture.Image:
    with image.original.open("rb") as file:
        return open_upright(file, at_least=DECODE_PIXELS)


def _encode(encoder: Encoder, pictures: Mapping[str, Picture.Image]) -> tuple[dict[str, Described], dict[str, str]]:
    """Encode as one batch; if that fails, one by one, so that a picture that cannot be encoded costs only itself."""
    try:
        return dict(zip(pictures, encoder.describe(list(pictures.values())), strict=True)), {}
    except (RuntimeError, ValueError, MemoryError) as error:
        if len(pictures) == 1:
            return {}, dict.fromkeys(pictures, f"The encoder failed: {error}")
        logger.warning("A batch of %d pictures could not be encoded; trying them one by one: %s", len(pictures), error)
    encoded: dict[str, Described] = {}
    reasons: dict[str, str] = {}
    for sha256, picture in pictures.items():
        one, refused = _encode(encoder, {sha256: picture})
        encoded |= one
        reasons |= refused
    return encoded, reasons


def stacked(rows: Sequence[Vectors], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Part name → ``(n, d)`` float32, NaN rows where a picture lacks the part."""
    columns = {}
    for name in names:
        dimension = next((len(row[name]) for row in rows if name in row), 0)
        missing = np.full(dimension, np.nan, dtype=np.float32)
        columns[name] = np.stack([row.get(name, missing) for row in rows]) if rows else np.zeros((0, 0), np.float32)
    return columns
