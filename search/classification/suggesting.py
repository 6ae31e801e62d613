"""What one photo suggests: up to three categories with how sure, tags, and the products that are why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from gallery import visibility
from gallery.models import Category, Image
from gallery.models.categories import CategoryTree
from gallery.models.products import ProductTag
from search.classification import tagging
from search.classification.measuring import shares
from search.classification.neighbours import VOTERS, vote
from search.classification.samples import (
    LEAST_CATEGORIES,
    LEAST_PRODUCTS,
    TooFewLabels,
    labelled,
    side_by_side,
    snapshot,
    tags_of,
)
from search.classification.storing import learnt
from search.classification.words import too_few
from search.engines import get_engine
from search.engines.base import Request
from search.indexing.coverage import states_of
from search.models import Classifier, Embedding, Generation, SuggestionSetting

CATEGORIES = 3  # that are suggested at most
TAGS = 6
SHOWN = 6  # neighbours
LEAST_SHARE = 0.05  # a category that is less sure is not worth a line


@dataclass(frozen=True)
class Guess:
    category: Category
    path: str  # "Clothing / Dresses"
    share: float  # how sure, 0 to 1
    votes: int  # neighbours that have it

    @property
    def percent(self) -> int:
        """Nobody is ever wholly sure."""
        return min(99, max(1, round(100 * self.share)))


@dataclass(frozen=True)
class Neighbour:
    image: Image
    category: Category


@dataclass(frozen=True)
class Suggestion:
    """``waits`` while the photo is not embedded; ``says`` why nothing is suggested, or what to know of it."""

    image: Image
    waits: bool = False
    says: str = ""
    kind: str = ""  # the classifier that suggests
    categories: Sequence[Guess] = ()
    tags: Sequence[ProductTag] = ()
    neighbours: Sequence[Neighbour] = ()
    voters: int = 0

    @property
    def kind_label(self) -> str:
        return str(Classifier.Kind(self.kind).label) if self.kind else ""

    @property
    def is_empty(self) -> bool:
        return not (self.categories or self.tags)


@dataclass(frozen=True)
class _Near:
    """The nearest labelled products of others, each by one photo, the best first."""

    images: Sequence[Image]
    similarities: np.ndarray  # (k,)
    tags: Mapping[UUID, set[int]] = field(default_factory=dict)


def suggest(image: Image) -> Suggestion:
    """A constant number of statements, and one search.

    :param image: with its product
    :raises EngineError: when the engine cannot be asked for neighbours
    """
    generation = Generation.objects.live()
    if generation is None:
        return Suggestion(image, waits=True, says=_("There is no index yet. The indexing loop makes it."))
    embedding = Embedding.objects.filter(encoder=generation.encoder, sha256=image.sha256).first()
    if embedding is None:
        return _not_embedded(image)
    row = side_by_side(embedding.vectors, generation)
    if row is None:
        return Suggestion(image, says=_("The photo is blank: nothing in it says what it shows."))
    counts = snapshot()
    classes = tuple(int(category) for category, products in counts.items() if products >= LEAST_PRODUCTS)
    if len(classes) < LEAST_CATEGORIES:
        return Suggestion(image, says=too_few(TooFewLabels(len(classes), sum(counts.values()))))
    near = _nearest(image, embedding, generation)
    tree = Category.objects.tree()
    trained = {one.kind: one for one in Classifier.objects.of(generation)}
    kind, says = _who(trained, near)
    try:
        classes, likely = _likely(kind, trained, near, row, classes)
    except Classifier.DoesNotExist:
        return suggest(image)  # it was trained again just now
    return Suggestion(
        image,
        says=says,
        kind=kind,
        categories=_guesses(classes, likely, near, tree),
        tags=_tags(image, near, trained.get(Classifier.Kind.NEIGHBOURS)),
        neighbours=[_neighbour(one, tree) for one in near.images[:SHOWN]],
        voters=len(near.images),
    )


def neighbours_of(image: Image, most: int) -> list[Neighbour]:
    """The nearest products that have a category, as they are shown.

    :raises EngineError: when the engine cannot be asked
    """
    generation = Generation.objects.live()
    if generation is None:
        return []
    embedding = Embedding.objects.filter(encoder=generation.encoder, sha256=image.sha256).first()
    if embedding is None:
        return []
    near, tree = _nearest(image, embedding, generation, most, with_tags=False), Category.objects.tree()
    return [_neighbour(one, tree) for one in near.images]


def _not_embedded(image: Image) -> Suggestion:
    state = states_of([image.pk])[0]
    if state.code == "failed":
        return Suggestion(image, says=_("The photo cannot be indexed: %(reason)s") % {"reason": state.reason})
    return Suggestion(image, waits=True, says=_("The photo is not indexed yet. Suggestions come when it is."))


def _nearest(
    image: Image, embedding: Embedding, generation: Generation, most: int = VOTERS, with_tags: bool = True
) -> _Near:
    projection = generation.projection
    projected = projection.project(embedding.vectors)
    weights = projection.usable_weights(generation.weights, projected)
    if not weights:
        return _Near([], np.zeros(0))
    answer = get_engine(generation.engine).search(
        Request(
            generation.pk,
            visibility.moderation,
            vector=projection.query_vector(projected, weights),
            exclude=(image.pk,),
            window=settings.SEARCH_WINDOW,
            index=generation.index_settings,
            facets=False,
        )
    )
    own = str(image.product_id)
    hits = [hit for hit in (*answer.hits, *answer.weaker) if hit.product != own]
    rows = labelled().filter(pk__in=[hit.key for hit in hits]).exclude(product=image.product_id)
    by_key = {one.pk: one for one in rows.select_related("product").order_by()}
    best: dict[str, tuple[Image, float]] = {}
    for hit in hits:
        if hit.key in by_key and len(best) < most:
            best.setdefault(hit.product, (by_key[hit.key], hit.score))
    images = [one for one, _score in best.values()]
    scores = np.array([score for _one, score in best.values()]) * projection.factor(weights)
    return _Near(images, scores, tags_of([one.product_id for one in images]) if with_tags else {})


def _who(trained: Mapping[str, Classifier], near: _Near) -> tuple[str, str]:
    """The classifier that suggests, and what to know of it."""
    chosen = SuggestionSetting.chosen()
    says: list[str] = []
    if chosen in trained:
        return chosen, ""
    if chosen != Classifier.Kind.NEIGHBOURS:
        says.append(
            _("%(classifier)s is not trained for the present index: the neighbours suggest meanwhile.")
            % {"classifier": Classifier.Kind(chosen).label}
        )
    if near.images and Classifier.Kind.NEIGHBOURS not in trained:
        says.append(_("Not measured yet: the percentages are shares of votes, not how often they are right."))
    return Classifier.Kind.NEIGHBOURS, " ".join(says)


def _likely(
    kind: str, trained: Mapping[str, Classifier], near: _Near, row: np.ndarray, classes: tuple[int, ...]
) -> tuple[tuple[int, ...], np.ndarray]:
    """Ids of categories, and how likely each is."""
    classifier = trained.get(kind)
    temperature = classifier.temperature if classifier else 1.0
    if classifier is not None and kind != Classifier.Kind.NEIGHBOURS:
        return tuple(classifier.classes), shares(learnt(classifier).scores(row[None]), temperature)[0]
    place = {category: n for n, category in enumerate(classes)}
    labels = np.array([place.get(_category(one), -1) for one in near.images], dtype=np.int64)
    if not (labels >= 0).any():
        return (), np.zeros(0)
    return classes, shares(vote(near.similarities, labels, len(classes))[None], temperature)[0]


def _guesses(classes: Sequence[int], likely: np.ndarray, near: _Near, tree: CategoryTree) -> list[Guess]:
    ranked = np.argsort(-likely, kind="stable")
    votes = [one.product.category_id for one in near.images]
    guesses = [
        Guess(tree.by_id[classes[n]], path_of(tree, classes[n]), float(likely[n]), votes.count(classes[n]))
        for n in ranked[: 2 * CATEGORIES].tolist()
        if likely[n] >= LEAST_SHARE and classes[n] in tree.by_id  # one may have been deleted since the training
    ]
    return guesses[:CATEGORIES]


def path_of(tree: CategoryTree, category: int) -> str:
    return " / ".join(step.label for step in tree.ancestors(category))


def _tags(image: Image, near: _Near, classifier: Classifier | None) -> list[ProductTag]:
    near_tags = [near.tags[one.product_id] for one in near.images]
    found = tagging.chosen(tagging.votes(near.similarities, near_tags), classifier.tags if classifier else None)
    own = tags_of([image.product_id])[image.product_id] if found else set()
    keys = [tag for tag in found if tag not in own][:TAGS]
    by_key = ProductTag.objects.in_bulk(keys)
    return [by_key[key] for key in keys if key in by_key]


def _neighbour(image: Image, tree: CategoryTree) -> Neighbour:
    return Neighbour(image, tree.by_id[_category(image)])


def _category(image: Image) -> int:
    """Of a labelled photo."""
    category = image.product.category_id
    if category is None:
        raise ValueError(f"{image} has no category.")
    return category
