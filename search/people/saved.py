"""Searches that a person keeps under a name."""

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from gallery.models import User
from search.models import SavedSearch
from search.models.history import MOST_SAVED, NAME_LENGTH, QUERY_LENGTH
from search.people.words import entries_of
from search.query import Query


class NotSaved(Exception):
    """A search was not saved; the text is a sentence for a person that says why."""


def save_search(request: HttpRequest, user: User, query: Query, name: str = "") -> SavedSearch:
    """Keep the query, without its page. Without a name it is called by its words; a name that is taken gets a number.

    A query that is saved already is renamed where a name is given.

    :raises NotSaved: when it says nothing, is too long, or the person has as many as there may be
    """
    canonical = query.with_(weaker=False).canonical
    if not canonical or len(canonical) > QUERY_LENGTH:
        raise NotSaved(_("There is nothing to save: search for something first."))
    saved = SavedSearch.objects.filter(user=user)
    known = saved.filter(query=canonical).first()
    if known is not None and name in ("", known.name):
        return known
    if known is None and saved.count() >= MOST_SAVED:
        raise NotSaved(_("You have %(n)d saved searches, which is the most. Delete one first.") % {"n": MOST_SAVED})
    row = known or SavedSearch(user=user, query=canonical)
    wanted = name or entries_of([canonical], request)[0].label or _("Search by photo")
    row.name = _free(wanted[:NAME_LENGTH].strip(), set(saved.exclude(pk=row.pk).values_list("name", flat=True)))
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # it was sent twice at once
        return saved.get(query=canonical)
    return row


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        ending = f" {number}"
        name = wanted[: NAME_LENGTH - len(ending)] + ending
    return name
