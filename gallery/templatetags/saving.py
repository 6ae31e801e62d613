"""The button that saves a product, with the state that it is in."""

from typing import Any

from django import template
from django.template import RequestContext

from gallery.models import Image
from gallery.views.collections import saving

register = template.Library()


@register.inclusion_tag("gallery/_save.html", takes_context=True)
def save(context: RequestContext, image: Image) -> dict[str, Any]:
    """One query for a person who is signed in, none for others, who are sent to sign in."""
    user = context["user"]
    shown = saving(user, image) if user.is_authenticated else {"image": image}
    return {"user": user} | shown
