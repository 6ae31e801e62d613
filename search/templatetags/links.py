"""What a results page offers where a link stands among the words."""

from django import template
from django.conf import settings
from django.template import Context

from gallery.links.target import is_link
from search.query import Query

register = template.Library()


@register.inclusion_tag("search/_link_offer.html", takes_context=True)
def link_offer(context: Context) -> dict[str, object]:
    """A button that searches with the picture at the link; nothing where the words are no link.

    The query itself holds only the first characters of long words, so the link is read from the request.
    """
    request = context["request"]
    link = request.GET.get("q", "").strip()
    if not settings.LINK_SEARCH or not is_link(link):
        return {"link": ""}
    query, _notes = Query.from_querydict(request.GET)
    return {"link": link, "rest": query.without("text").canonical}
