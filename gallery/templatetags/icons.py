"""Icons from the sprite that the bundler makes of the ones in use."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A Phosphor icon for the eye alone: the words beside it, or its control's label, say what it means."""
    return format_html(
        '<svg class="icon" width="{}" height="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        size,
        size,
        static("icons.svg"),
        name,
    )
