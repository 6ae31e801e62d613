"""A copy of a photo for somewhere else: staff choose its format and see what it costs before they take it."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.exports import BadChoice, Choice, ExportThrottle, export
from gallery.models import Image, Rendition
from gallery.renditions import Format
from gallery.views.access import staff_or_moderators
from gallery.views.files import visible
from gallery.visibility import moderation


class ExportForm(forms.Form):
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=Format.choices)
    quality = forms.TypedChoiceField(
        label=gettext_lazy("Quality"),
        coerce=int,
        choices=[(one, one) for one in reversed(settings.EXPORT_QUALITIES)],
        help_text=gettext_lazy("PNG and lossless WebP keep every pixel and have no quality."),
    )
    width = forms.TypedChoiceField(
        label=gettext_lazy("Width in pixels"),
        coerce=int,
        choices=[(one, one) for one in settings.EXPORT_WIDTHS],
        help_text=gettext_lazy("A smaller photo is not scaled up."),
    )

    def choice(self) -> Choice:
        """:raises BadChoice: never for a valid form"""
        asked = self.cleaned_data
        exact = asked["format"] in Rendition.EXACT
        return Choice.of(asked["format"], "" if exact else asked["quality"], asked["width"])


@require_safe
@never_cache
@staff_or_moderators
def export_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form; with choices in the address, also the copy, its size and how like the original it is."""
    image, _cache = visible(request, pk)
    usual = {"format": Format.WEBP, "quality": 80, "width": 1280}
    form = ExportForm({**usual, **request.GET.dict()} if request.GET else None, initial=usual)
    made, error, status = None, "", 200
    if form.is_bound:
        made, error, status = _made(request, image, form)
    context = {"form": form, "image": image, "product": image.product, "made": made, "error": error}
    if made is not None:
        context |= {
            "width": min(made.width, image.width),
            "share": round(100 * made.bytes / image.bytes),
            "similarity": _in_words(made.ssim),
        }
    return render(request, "gallery/export.html", context, status=status)


def _made(request: HttpRequest, image: Image, form: ExportForm) -> tuple[Rendition | None, str, int]:
    """The copy, or a sentence that says why there is none, and the status of the answer."""
    if not form.is_valid():
        return None, _("Choose from the lists."), 422
    if not ExportThrottle().allow_request(request, None):  # type: ignore[arg-type]
        return None, _("That was too many copies in a short time. Try again in a minute."), 429
    try:
        return export(image, form.choice(), moderation), "", 200
    except BadChoice as error:
        return None, error.message, 422
    except FileNotFoundError:
        Image.objects.filter(pk=image.pk).note_missing()
        return None, _("The original file is missing from storage. Upload it again."), 404
    except OSError as error:
        if error.errno is not None:
            raise
        return None, _("The original file is damaged. Upload it again."), 404


def _in_words(ssim: float | None) -> str:
    """What a likeness means to somebody who looks at both."""
    if ssim is None:
        return ""
    if ssim > 0.9999:
        return _("Every pixel is the same.")
    if ssim >= 0.98:
        return _("Nobody sees a difference.")
    if ssim >= 0.95:
        return _("Differences show only side by side.")
    return _("Fine detail is lost.")
