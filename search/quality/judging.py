"""Results that staff call good or bad: what can be judged, saying so, and taking it back."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.models import Image, User
from search.models import Judgement
from search.models.history import QUERY_LENGTH, digest_of
from search.query import Query


class NotJudged(ValueError):
    """Results of this query cannot be judged; the text says why, for a person."""


def judged_query(query: Query) -> str:
    """The canonical query string under which a result is judged: without order, page and what else ranks nothing.

    :raises NotJudged: for a photo that will be forgotten, and where nothing was asked
    """
    if query.photos:
        raise NotJudged(
            _("Photos that were sent are forgotten after a while, so results for them cannot be judged. "
              "Search with a photo of the catalogue or with words.")
        )  # fmt: skip
    canonical = query.with_(sort="relevance", group="products", weaker=False, share="", ordered=True).canonical
    if not canonical:
        raise NotJudged(_("Search for something first: what is good depends on what was asked."))
    if len(canonical) > QUERY_LENGTH:
        raise NotJudged(_("This search is too long to be judged. Leave out some of its filters or pictures."))
    return canonical


@dataclass(frozen=True)
class Judging:
    """What the cards of a results page need: who judges results of what."""

    by: User
    query: str
    back: str  # the page's address
    why_not: str = ""  # the reason why nothing can be judged, then without a query


def judging_of(user: User | AnonymousUser, query: Query) -> Judging | None:
    """For staff; None for everybody else."""
    if not user.is_authenticated or not user.is_catalogue_staff:
        return None
    try:
        return Judging(user, judged_query(query), query.url())
    except NotJudged as error:
        return Judging(user, "", query.url(), str(error))


def with_verdicts(images: "QuerySet[Image]", judging: Judging) -> "QuerySet[Image]":
    """Images with what this person said of each as ``judged_good``, None for nothing, in the same statement."""
    said = Judgement.objects.filter(by=judging.by, digest=digest_of(judging.query), image=OuterRef("pk"))
    return images.annotate(judged_good=Subquery(said.values("good")[:1]))


def judge(query: Query, image: Image, by: User, good: bool) -> None:
    """Say that an image is a good or a bad result of a query.

    :raises NotJudged: where that cannot be said
    """
    canonical = judged_query(query)
    said = Judgement(query=canonical, digest=digest_of(canonical), image=image, good=good, by=by, at=timezone.now())
    Judgement.objects.bulk_create(
        [said], update_conflicts=True, unique_fields=["by", "digest", "image"], update_fields=["good", "at"]
    )


def take_back(query: Query, image: Image, by: User) -> None:
    """As if nothing had been said.

    :raises NotJudged: where nothing can have been
    """
    Judgement.objects.filter(by=by, digest=digest_of(judged_query(query)), image=image).delete()


def judgements_follow(sender, kept: UUID, dropped: UUID, **kwargs) -> None:
    """What was said of a photo that is merged into another one is said of that one, unless it has its own."""
    own = Judgement.objects.filter(image=kept, digest=OuterRef("digest"), by=OuterRef("by"))
    Judgement.objects.filter(~Exists(own), image=dropped).update(image=kept)
