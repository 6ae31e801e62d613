"""A visitor says what is wrong with a photo."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from rest_framework.throttling import SimpleRateThrottle

from gallery import visibility
from gallery.models import Image, Report
from gallery.models.reports import NOTE_LENGTH


class ReportForm(forms.Form):
    reason = forms.ChoiceField(
        label=gettext_lazy("What is wrong with it?"),
        choices=Report.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what is wrong with the photo.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Anything that helps to decide (optional)"),
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class _Throttle(SimpleRateThrottle):
    """Reports from one address. The rate is read when a request comes, not on import."""

    scope = "report"

    def get_rate(self) -> str:
        rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        return rates[self.scope]

    def get_cache_key(self, request, view) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def report(request: HttpRequest, key: UUID) -> HttpResponse:
    """The form for one photo, and what comes of it: a report for moderators."""
    visible = Image.objects.visible_to(visibility.behind_the_counter(request.user))
    image = get_object_or_404(visible.select_related("product"), pk=key)
    form = ReportForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_bound:
        if form.is_valid() and _Throttle().allow_request(request, None):  # type: ignore[arg-type]
            _keep(request, image, form.cleaned_data)
            messages.success(request, _("Thank you. A moderator will look at the photo."))
            return redirect(image.product)
        if form.is_valid():
            form.add_error(None, _("That was too many reports in a short time. Try again in an hour."))
        status = 429 if form.non_field_errors() else 422
    photos = _numbered(visible.filter(product=image.product_id), image)
    context = {"form": form, "image": image, "product": image.product, "photos": photos}
    return render(request, "gallery/report.html", context, status=status)


def _keep(request: HttpRequest, image: Image, said: dict[str, str]) -> None:
    user = request.user if request.user.is_authenticated else None
    if user is None and not request.session.session_key:
        request.session.create()
    Report.objects.make(image, said["reason"], said["note"], user=user, session_key=request.session.session_key or "")


def _numbered(images, chosen: Image) -> list[dict[str, object]]:
    """The product's photos to choose from; nothing where there is but one."""
    photos = list(images.order_by("position", "pk"))
    return [{"image": one, "is_chosen": one.pk == chosen.pk} for one in photos] if len(photos) > 1 else []
