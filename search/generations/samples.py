"""Random samples of the catalogue, and what is stored of them: what projections and scales are fitted on.

Random, never the first ones: a catalogue is imported category by category, and axes that are fitted on its beginning
describe only that.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import numpy as np
from django.db.models import Exists, OuterRef

from gallery.models import Image
from search.chunks import chunks
from search.indexing.embedding import stacked
from search.models import Embedding

Value = TypeVar("Value", UUID, str)


def embedded_sample(encoder: str, names: Iterable[str], size: int, seed: int = 0) -> dict[str, np.ndarray]:
    """What an encoder said of a random sample of the catalogue's files.

    :param encoder: its identity
    :param names: the parts that are wanted
    :return: part name → ``(n, d)`` float32, ``n`` at most ``size``, NaN rows for missing parts
    """
    hashes = sorted(set(Image.objects.order_by().values_list("sha256", flat=True)))
    rows: list[dict[str, np.ndarray]] = []
    for chunk in chunks(_shuffled(hashes, seed)):
        rows += [row.vectors for row in Embedding.objects.filter(encoder=encoder, sha256__in=chunk)]
        if len(rows) >= size:
            break
    return stacked(rows[:size], names)


def sample_keys(size: int, seed: int = 0) -> list[UUID]:
    """Keys of a random sample of the catalogue's images."""
    return _shuffled(sorted(Image.objects.order_by().values_list("pk", flat=True)), seed)[:size]


def not_embedded(keys: Sequence[UUID], encoder: str) -> list[UUID]:
    """Those of the images whose files this encoder has not embedded yet."""
    missing: list[UUID] = []
    for chunk in chunks(keys):
        missing += _without_embedding(encoder).filter(pk__in=chunk).values_list("pk", flat=True)
    return missing


def count_to_embed(encoder: str) -> int:
    """Files of the catalogue that this encoder has not embedded yet."""
    return _without_embedding(encoder).values("sha256").distinct().count()


def _without_embedding(encoder: str):
    stored = Embedding.objects.filter(encoder=encoder, sha256=OuterRef("sha256"))
    return Image.objects.filter(~Exists(stored)).order_by()


def _shuffled(values: list[Value], seed: int) -> list[Value]:
    return [values[place] for place in np.random.default_rng(seed).permutation(len(values)).tolist()]
