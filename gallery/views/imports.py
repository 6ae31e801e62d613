"""Import and export for catalogue staff: a file is checked, what it would do is shown, and a job takes it in."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import jobs
from gallery.exporting import FORMATS
from gallery.filenames import clean_name
from gallery.importing import bulk, tables
from gallery.importing.archives import SPREADSHEETS
from gallery.importing.work import start_check, start_import
from gallery.links.target import MAX_LENGTH, is_link
from gallery.models import CatalogueImport, Job
from gallery.models.products import validate_currency
from gallery.storage import fresh_name
from gallery.uploading import takes_files_of
from gallery.views.access import person, staff_only

ENDINGS = (*tables.ENDINGS, ".zip", *bulk.ENDINGS, ".xml")
_SHOWN = 20


class ImportForm(forms.Form):
    """What is to be imported: a file, or the address of a feed."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ",".join(ENDINGS)}),
        error_messages={"empty": gettext_lazy("That file is empty. Choose another one.")},
    )
    url = forms.CharField(
        label=gettext_lazy("Address of a product feed"),
        required=False,
        max_length=MAX_LENGTH,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency of prices that name none"),
        required=False,
        max_length=3,
        validators=[validate_currency],
    )
    pictures = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean_file(self) -> UploadedFile | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is None:
            return None
        ending = Path(file.name or "").suffix.lower()
        if ending in SPREADSHEETS:
            raise forms.ValidationError(_("That is a spreadsheet. Save it as CSV UTF-8 and choose that."))
        if ending not in ENDINGS:
            raise forms.ValidationError(_("Choose a CSV, ZIP, NDJSON or XML file."))
        if (file.size or 0) > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(
                _("That file is larger than %(limit)s. Split it, or ask for an import on the server.")
                % {"limit": filesizeformat(settings.IMPORT_MAX_BYTES)}
            )
        return file

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if url and not is_link(url):
            raise forms.ValidationError(_("That is not the address of a feed. It begins with http:// or https://."))
        return url

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"] or settings.SHOP_CURRENCY

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = [name for name in ("file", "url") if cleaned.get(name)]
        if len(given) != 1 and not self.errors:
            self.add_error(None, _("Choose a file or give an address, one of the two."))
        return cleaned


def _most_bytes(request: HttpRequest) -> int:
    is_staff = request.user.is_authenticated and request.user.is_catalogue_staff
    return settings.IMPORT_MAX_BYTES if is_staff else settings.MAX_IMAGE_BYTES


@takes_files_of(_most_bytes)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def imports_page(request: HttpRequest) -> HttpResponse:
    """What was imported lately, and the form; what it is sent is checked by a job."""
    if request.method != "POST":
        return _form_page(request, ImportForm(initial={"currency": settings.SHOP_CURRENCY}))
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    one = _kept(request, form.cleaned_data)
    return redirect("import", key=one.pk)


@require_safe
@never_cache
@staff_only
def import_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """One import, from its check to its receipt; to htmx, what changes while a job runs."""
    one = _import(request, key)
    job = one.import_job or one.check_job
    template = "gallery/_import.html" if getattr(request, "htmx", False) else "gallery/import.html"
    return render(request, template, {"one": one, "job": job, **_told(one, job)})


@require_POST
@staff_only
def start(request: HttpRequest, key: UUID) -> HttpResponse:
    """Import what was checked."""
    with transaction.atomic():
        one = get_object_or_404(
            CatalogueImport.objects.visible_to(person(request)).select_for_update(of=("self",)).with_jobs(), pk=key
        )
        if one.is_checked:
            start_import(one, person(request))
    return redirect("import", key=one.pk)


@require_POST
@staff_only
def discard(request: HttpRequest, key: UUID) -> HttpResponse:
    """Stop its jobs and delete what was sent; what has been imported stays."""
    one = _import(request, key)
    with transaction.atomic():
        for job in (one.check_job, one.import_job):
            if job is not None:
                job.request_cancel()
        one.delete()
    return redirect("imports")


@require_POST
@staff_only
def start_export(request: HttpRequest) -> HttpResponse:
    """Write the catalogue to a file; the job's page offers it."""
    format = request.POST.get("format")
    if format not in FORMATS:
        return redirect("imports")
    site = request.build_absolute_uri("/").rstrip("/")
    job = jobs.start("export", person(request), format=format, site=site)
    return redirect("job", key=job.pk)


def _import(request: HttpRequest, key: UUID) -> CatalogueImport:
    mine = CatalogueImport.objects.visible_to(person(request)).with_jobs().select_related("pictures")
    return get_object_or_404(mine, pk=key)


def _form_page(request: HttpRequest, form: ImportForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "imports": CatalogueImport.objects.visible_to(person(request)).with_jobs()[:_SHOWN],
        "most_bytes": settings.IMPORT_MAX_BYTES,
    }
    return render(request, "gallery/imports.html", context, status=status)


def _kept(request: HttpRequest, given: dict[str, Any]) -> CatalogueImport:
    """Store what was sent, then its row and the job that checks it."""
    file: UploadedFile | None = given["file"]
    earlier = CatalogueImport.objects.visible_to(person(request)).filter(pk=given["pictures"]).first()
    one = CatalogueImport(
        name=clean_name(file.name or "") if file else given["url"][:150],
        url=given["url"],
        currency=given["currency"],
        pictures=earlier and earlier.archive,
        created_by=person(request),
    )
    if file:
        ending = Path(file.name or "").suffix.lower().lstrip(".")
        one.file.save(f"imports/{fresh_name(ending)}", file, save=False)
    try:
        with transaction.atomic():
            one.save()
            start_check(one, person(request))
    except BaseException:
        if file:
            one.file.delete(save=False)
        raise
    return one


def _told(one: CatalogueImport, job: Job | None) -> dict[str, Any]:
    """What the page says of the job that counts: figures, and whether one can go on from here."""
    result = job.result if job else {}
    counts = [
        {"label": label, "count": result.get(name, 0)}
        for name, label in (
            ("created", _("New photos")),
            ("changed", _("Changed")),
            ("unchanged", _("Unchanged")),
            ("failed", _("Failing rows") if one.import_job is None else _("Failed rows")),
        )
    ]
    importable = result.get("created", 0) + result.get("changed", 0)
    return {
        "counts": counts if result else [],
        "result": result,
        "can_start": one.is_checked and one.import_job is None and importable,
        "can_repeat": one.import_job is not None and one.import_job.state in (Job.State.CANCELLED, Job.State.FAILED),
        "nothing_to_do": one.is_checked and one.import_job is None and not importable,
        "correction": ImportForm(initial={"pictures": one.pk}, auto_id="correct_%s") if result.get("failed") else None,
    }
