"""Making a generation's vocabulary, a piece at a time: names, their texts, and what public pictures say of them."""

import hashlib
import json
import time
from collections.abc import Container, Iterator, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count, Max, Sum

from gallery import visibility
from gallery.models import Category, Image
from gallery.models.products import ProductTag
from search.chunks import chunks
from search.encoders import encoder_for
from search.encoders.base import Encoder
from search.models import Change, Embedding, Generation, PictureVocabulary
from search.projection import PartMap, unit
from search.recognition.table import classes, groups
from search.sampling import drawn
from search.text_to_picture import labels
from search.text_to_picture.encoder import TextEncoder, get_text_encoder
from search.text_to_picture.labels import LEAST_IMAGES, Label
from search.text_to_picture.learning import Looks
from search.text_to_picture.tower import Tower
from search.text_to_picture.vocabulary import (
    CATEGORY,
    CLASS,
    DEEP,
    FLOOR_OF_CLASSES,
    GROUP,
    TAG,
    TITLE,
    Entry,
    Vocabulary,
)

FORMAT = 1  # of what is stored; raised whenever the same catalogue gives another vocabulary
MOST_IMAGES = 20_000  # a random sample of larger catalogues
_TEXTS_AT_ONCE = 16

Named = tuple[Entry, list[str]]


def text_encoder_for(encoder: Encoder) -> TextEncoder | None:
    """What reads words for a generation of this encoder: its network's own text tower, or the process's text encoder;
    None where there is neither, or words are not to be read for their looks."""
    if not settings.TEXT_ENCODER:
        return None
    return Tower(encoder) if encoder.network.reads_texts else get_text_encoder()


def source_of(generation: Generation, texts: TextEncoder) -> str:
    """A digest of all that a vocabulary is made from: it changes whenever something of that may have."""
    facts = [
        FORMAT,
        texts.identity,
        generation.encoder,
        Change.objects.aggregate(Count("pk"), Sum("version")),
        [[one.pk, one.parent_id, one.name, one.names] for one in Category.objects.order_by("pk")],
        ProductTag.objects.aggregate(Count("pk"), Max("pk")),
        len(classes()),
    ]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def make(generation: Generation) -> bool:
    """Make it at one go.

    :return: whether there is one now
    :raises LookupError, EncoderError: when the generation's encoder has gone, or one of the two cannot be loaded
    """
    texts = text_encoder_for(encoder_for(generation.encoder))
    if texts is None:
        return False
    for _piece in making(generation, texts, source_of(generation, texts)):
        pass
    return True


def making(generation: Generation, texts: TextEncoder, source: str, at_once: int = 500) -> Iterator[None]:
    """Read the catalogue, embed names and store the vocabulary; yields after every piece of about a second.

    :raises LookupError, EncoderError: when the generation's encoder has gone, or one of the two cannot be loaded
    """
    began, waited = time.perf_counter(), 0.0

    def pause() -> Iterator[None]:
        nonlocal waited
        left = time.perf_counter()
        yield
        waited += time.perf_counter() - left

    encoder = encoder_for(generation.encoder)
    part = next((one for one in generation.projection.parts if one.name == DEEP), None)
    if part is None:
        return
    named, looks = _of_the_network(encoder, part)
    yield from pause()
    keys = _sample(generation)
    titles = [one for chunk in chunks(keys) for one in _titles(chunk)]
    chosen = labels.chosen_title_words(titles)
    sums = Looks(part.dimension, looks)
    tree, tag_names = Category.objects.tree(), dict[str, str]()
    for chunk in chunks(keys, at_once):
        _add(chunk, sums, generation, part, tree, tag_names, chosen)
        yield from pause()
    present = sums.best_of_classes() >= FLOOR_OF_CLASSES if sums.pictures else np.ones(len(looks), bool)
    named = [(_seen(entry, bool(here)), names) for (entry, names), here in zip(named, present, strict=True)]
    learnt = sums.learnt(LEAST_IMAGES, trusted=lambda label: label[0] == CATEGORY)
    own = list(_of_the_catalogue(learnt, sums, tree, tag_names, chosen))
    rows = [*looks, *(learnt[entry.kind, entry.code] for entry, _names in own)]
    names = [(place, name) for place, (_entry, each) in enumerate([*named, *own]) for name in each]
    wanted = dict.fromkeys(name for _place, name in names)
    known = _known_texts(texts.identity, wanted)
    missing = [name for name in wanted if name not in known]
    for few in chunks(missing, _TEXTS_AT_ONCE):
        known |= dict(zip(few, texts.embed(few), strict=True))
        yield from pause()
    vocabulary = Vocabulary(
        encoder=texts.identity,
        entries=tuple(entry for entry, _names in (*named, *own)),
        looks=np.stack(rows).astype(np.float32) if rows else np.zeros((0, part.dimension), np.float32),
        names=tuple(name for _place, name in names),
        owners=np.array([place for place, _name in names], dtype=np.int64),
        texts=np.stack([known[name] for _place, name in names]) if names else np.zeros((0, 1), np.float32),
        mean=sums.mean.astype(np.float32),
        spread=sums.spread,
        spellings=tuple(sorted(_spellings(titles))),
        direct=encoder.network.reads_texts,
    )
    PictureVocabulary.store(generation, vocabulary, source, time.perf_counter() - began - waited)


def _of_the_network(encoder: Encoder, part: PartMap) -> tuple[list[Named], np.ndarray]:
    """The classes of the network's last layer and the groups of them, with their looks ``(n, d)``.

    A row of that layer is no picture: centring it by the pictures' mean would mean nothing. Rows are centred by their
    own mean, as adding one vector to all of them changes no probability, and only turned as pictures are.
    """
    rows = None if encoder.network.reads_texts else encoder.network.class_vectors()
    if rows is None:
        if not encoder.network.reads_texts:
            return [], np.zeros((0, part.dimension), np.float32)
        # Names alone: a text tower knows what they look like.
        named = [(Entry(CLASS, one.code), [one.english]) for one in classes()]
        return named, np.zeros((len(named), part.dimension), np.float32)
    centred = rows - rows.mean(axis=0)
    turned = centred if part.matrix is None else centred @ part.matrix
    turned = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    place = {one.code: n for n, one in enumerate(classes())}
    together = [unit(turned[[place[code] for code in members]].mean(axis=0)) for members in groups().values()]
    named = [(Entry(CLASS, one.code), _names(*one.spellings)) for one in classes()]
    named += [(Entry(GROUP, one.code), _names(*one.spellings)) for one in groups()]
    looks = [*turned, *(np.zeros(part.dimension) if look is None else look for look in together)]
    return named, np.stack(looks).astype(np.float32)


def _of_the_catalogue(
    learnt: dict[Any, np.ndarray], sums: Looks, tree: Any, tag_names: dict[str, str], chosen: dict[str, str]
) -> Iterator[Named]:
    """Labels with a look. A word of titles that a category or tag is called gives way to that."""
    called: set[str] = set()
    for kind in (CATEGORY, TAG, TITLE):
        for label in sorted(one for one in learnt if one[0] == kind):
            code = label[1]
            if kind == CATEGORY:
                names = labels.category_names(tree.by_id[int(code)]) if int(code) in tree.by_id else []
            else:
                names = [tag_names[code] if kind == TAG else chosen[code]]
            names = [name for name in names if kind != TITLE or labels.analyse(name) not in called]
            if names:
                called.update(labels.analyse(name) for name in names)
                yield Entry(kind, code, sums.counts[label]), names


def _seen(entry: Entry, here: bool) -> Entry:
    return Entry(entry.kind, entry.code, entry.images, here)


def _names(*spellings: str) -> list[str]:
    return list(dict.fromkeys(filter(None, spellings)))


def _sample(generation: Generation) -> list[Any]:
    """Keys of public images, of large catalogues a random sample of them."""
    keys = Image.objects.visible_to(visibility.public).order_by().values_list("pk", flat=True)
    return sorted(drawn(keys.iterator(), MOST_IMAGES, generation.pk))


def _titles(keys: Sequence[Any]) -> list[list[str]]:
    """For each product of these images its titles."""
    rows = (
        Image.objects.filter(pk__in=keys).order_by().values_list("product", "product__title", "product__translations")
    )
    return list({product: labels.titles_of(title, texts) for product, title, texts in rows}.values())


def _add(
    keys: Sequence[Any],
    sums: Looks,
    generation: Generation,
    part: PartMap,
    tree: Any,
    tag_names: dict[str, str],
    chosen: dict[str, str],
) -> None:
    """Add the pictures of these images that are still public, as the generation projects them."""
    columns = ("product", "product__category", "product__title", "product__translations", "sha256")
    images = list(Image.objects.visible_to(visibility.public).filter(pk__in=keys).order_by("pk").values_list(*columns))
    stored = Embedding.objects.by_hash(generation.encoder, [sha256 for *_others, sha256 in images])
    tags = labels.tags_of(list({product for product, *_others in images}))
    rows: list[np.ndarray] = []
    labelled: list[list[Label]] = []
    for product, category, title, translations, sha256 in images:
        vector = stored[sha256].vectors.get(DEEP) if sha256 in stored else None
        projected = None if vector is None else part.apply(vector)
        if projected is None:
            continue
        own = tags.get(product, [])
        tag_names.update(own)
        found = labels.labels_of(
            category, [slug for slug, _name in own], labels.titles_of(title, translations), tree, chosen
        )
        rows.append(projected)
        labelled.append(list(found))
    if rows:
        sums.add(np.stack(rows), labelled)


def _spellings(titles: Sequence[Sequence[str]]) -> set[str]:
    return {word for each in titles for title in each for word in labels.analyse(title).split() if len(word) > 2}


def _known_texts(identity: str, wanted: Container[str]) -> dict[str, np.ndarray]:
    """Name → what this text encoder said of it before, in any generation that is kept: names are embedded once."""
    known: dict[str, np.ndarray] = {}
    for data in PictureVocabulary.objects.order_by("pk").values_list("data", flat=True).iterator():
        vocabulary = Vocabulary.from_bytes(bytes(data))
        if vocabulary.encoder == identity:
            pairs = zip(vocabulary.names, vocabulary.texts, strict=True)
            # Copies: a view of one row would keep all of them in memory.
            known |= {name: text.copy() for name, text in pairs if name in wanted}
    return known
