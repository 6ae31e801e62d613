"""Form controls in the site's look."""

from django import template
from django.forms import BoundField, CheckboxInput
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """The field's control. Django itself ties it to its help text and, in a bound form, marks it as invalid."""
    if isinstance(field.field.widget, CheckboxInput):
        return field.as_widget()
    return field.as_widget(attrs={"class": "input"})
