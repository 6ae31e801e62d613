"""Saving one product: nobody's edit is lost to somebody who opened the form earlier."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from gallery.models import Product


@dataclass(frozen=True)
class Conflict:
    """Somebody saved the product after the form was opened."""

    who: str
    when: datetime | None
    now: list[tuple[str, str]]  # label of a field and what it says now, where that differs from what was sent

    @property
    def sentence(self) -> str:
        when = date_format(timezone.localtime(self.when), "SHORT_DATETIME_FORMAT") if self.when else _("meanwhile")
        return _(
            "%(who)s changed this product after you had opened it (%(when)s). "
            "Nothing is saved yet: look at what it says now, and save again to put yours in its place."
        ) % {"who": self.who or _("Somebody"), "when": when}


def save(form_class: Any, product: Product, data: Any, **options: Any) -> tuple[Any, Conflict | None]:
    """Validate and save what was sent of a product, under the product's lock.

    :param options: for the form
    :return: the form, bound; it is saved if it is valid and there is no conflict
    """
    with transaction.atomic():
        current = Product.objects.select_for_update().get(pk=product.pk)
        revision = current.revision  # a form's validation writes into its instance
        now = form_class(instance=current)
        form = form_class(data, instance=current, **options)
        if not form.is_valid():
            return form, None
        if form.cleaned_data["revision"] != revision:
            conflict = _conflict(current, now, form)
            form.data = form.data.copy()
            form.data["revision"] = str(revision)  # saving again is on purpose
            return form, conflict
        if form.has_changed():
            form.save()
    return form, None


def _conflict(product: Product, now: forms.ModelForm, sent: forms.ModelForm) -> Conflict:
    last = product.history.select_related("history_user").first()
    names = [name for name in now.fields if name != "revision"]
    differing = [
        (str(now.fields[name].label), _words(now, name)) for name in names if _words(now, name) != _words(sent, name)
    ]
    return Conflict(
        who=str(last.history_user or "") if last else "", when=last.history_date if last else None, now=differing
    )


def _words(form: forms.ModelForm, name: str) -> str:
    """What a field says, as people read it."""
    value = form[name].value()
    choices = {str(key): label for key, label in getattr(form.fields[name], "choices", ())}
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    label = choices.get(str(value), value)
    words = "" if label is None else str(label).replace("\r\n", "\n").strip()
    return words or _("nothing")
