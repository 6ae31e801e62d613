"""The buttons that judge a result."""

from typing import Any

from django import template
from django.template import RequestContext

from gallery.models import Image

register = template.Library()


@register.inclusion_tag("search/_judge.html", takes_context=True)
def judge(context: RequestContext, image: Image) -> dict[str, Any]:
    """For staff on a page of results that can be judged; nothing elsewhere. No query: the image brings its verdict."""
    return {"judging": context.get("judging"), "image": image, "csrf_token": context.get("csrf_token")}


@register.filter
def verdict(image: Image) -> str:
    """``good`` or ``bad`` as this person has said, or nothing."""
    said = getattr(image, "judged_good", None)
    return "" if said is None else "good" if said else "bad"
