"""The upload page for staff. Uppy posts one file at a time; without scripts a form posts several."""

from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View

from gallery import grouping
from gallery.alike import Alike, alike
from gallery.drafts import new_product, title_from
from gallery.filenames import clean_name
from gallery.forms import BatchForm, GroupForm
from gallery.intake import record_image, stored_original
from gallery.models import Brand, Category, Image, Product, User
from gallery.reasons import TAKEN_DOWN_BEFORE
from gallery.verification import Refused, note_sentences

TYPES = "JPEG, PNG, WebP, AVIF, GIF, TIFF"


@dataclass(frozen=True)
class Receipt:
    """What became of one file."""

    name: str
    ok: bool
    message: str
    url: str = ""
    similar_url: str = ""
    state: str = ""
    alike: tuple[Alike, ...] = ()
    image: Image | None = None


class UploadView(View):
    """GET shows the page, POST takes files: ``file``, with the batch's metadata beside it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and request.user.is_catalogue_staff:
            return super().dispatch(request, *args, **kwargs)
        signed_in = request.user.is_authenticated
        if self._wants_json(request):
            error = _("Only staff may upload.") if signed_in else _("You are signed out. Sign in and try again.")
            return JsonResponse({"error": error, "code": "forbidden"}, status=403)
        if signed_in:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, BatchForm(initial={"currency": settings.SHOP_CURRENCY}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BatchForm(request.POST)
        files = request.FILES.getlist("file")
        uploader = cast(User, request.user)
        if self._wants_json(request):
            return self._answer(uploader, form, files)
        if not form.is_valid():
            return self._page(request, form, status=400)
        if not files or len(files) > settings.MAX_UPLOAD_FILES:
            form.add_error(None, self._wrong_count(files, settings.MAX_UPLOAD_FILES))
            return self._page(request, form, status=400)
        receipts = [self._receipt(uploader, file, form.cleaned_data) for file in files]
        status = 200 if all(receipt.ok for receipt in receipts) else 400
        return self._page(request, form, receipts, status=status)

    def _answer(self, uploader: User, form: BatchForm, files: list[UploadedFile]) -> JsonResponse:
        if len(files) != 1:
            return JsonResponse({"error": self._wrong_count(files, 1), "code": "no-file"}, status=400)
        if not form.is_valid():
            name, errors = next(iter(form.errors.items()))
            return JsonResponse(
                {"error": f"{form.fields[name].label}: {errors[0]}", "code": "wrong-field", "field": name}, status=400
            )
        group = GroupForm(self.request.POST)
        if not group.is_valid():
            error = _("These files cannot be put together. Reload the page and choose them again.")
            return JsonResponse({"error": error, "code": "wrong-group"}, status=400)
        try:
            image, notes = take(uploader, files[0], form.cleaned_data, group.cleaned_data)
        except Refused as refused:
            return JsonResponse({"error": refused.message, "code": refused.code}, status=refused.status)
        product = image.product
        answer = {
            "image": str(image.pk),
            "sku": product.sku,
            "title": product.title,
            "product_url": product.get_absolute_url(),
            "thumb_url": image.url(320),
            "notes": notes,
            "state": state_of(product),
            "similar_url": similar_url(image),
            "suggestion_url": reverse("suggestion", args=[image.pk]),
            "alike": [{"sku": one.product.sku, "url": one.url, "says": one.says} for one in alike(image)],
        }
        return JsonResponse(answer, status=201)

    @staticmethod
    def _receipt(user: User, file: UploadedFile, batch: dict[str, Any]) -> Receipt:
        try:
            image, notes = take(user, file, batch)
        except Refused as refused:
            return Receipt(clean_name(file.name or ""), False, refused.message)
        return Receipt(
            name=image.source_name,
            ok=True,
            message=" ".join(notes),
            url=image.product.get_absolute_url(),
            similar_url=similar_url(image),
            state=state_of(image.product),
            alike=tuple(alike(image)),
            image=image,
        )

    @staticmethod
    def _wrong_count(files: list[UploadedFile], most: int) -> str:
        if files:
            return ngettext(
                "Send one file at a time.", "Send at most %(most)d files at a time, and the rest afterwards.", most
            ) % {"most": most}
        return _("No file was sent. Choose at least one picture.")

    @staticmethod
    def _wants_json(request: HttpRequest) -> bool:
        return request.accepts("application/json") and not request.accepts("text/html")

    @staticmethod
    def _page(
        request: HttpRequest, form: BatchForm, receipt: list[Receipt] | None = None, status: int = 200
    ) -> HttpResponse:
        limits = {
            "bytes": settings.MAX_IMAGE_BYTES,
            "pixels": settings.MAX_IMAGE_PIXELS,
            "files": settings.MAX_UPLOAD_FILES,
            "types": TYPES,
        }
        context = {"form": form, "limits": limits, "receipt": receipt}
        return render(request, "gallery/upload.html", context, status=status)


def take(
    user: User, file: UploadedFile, batch: dict[str, Any], group: dict[str, Any] | None = None
) -> tuple[Image, list[str]]:
    """One upload becomes a product of its own, named after the file, or a photo of its group's product.

    :param group: what ``GroupForm`` says
    :return: the image, and sentences about what was normalised or seen before
    :raises Refused: nothing is left behind then
    """
    name = clean_name(file.name or "")
    key = (group or {}).get("group")
    product_name = (group or {}).get("group_name") or name

    def product_of_batch() -> Product:
        return new_product(
            clean_name(product_name),
            title=title_from(clean_name(product_name)),
            category=Category.objects.at_path(batch["category"]) if batch["category"] else None,
            brand=Brand.objects.named(batch["brand"]) if batch["brand"] else None,
            price=batch["price"],
            currency=batch["currency"] if batch["price"] is not None else "",
            availability=batch["availability"],
            published=batch["published"],
        )

    try:
        with stored_original(cast(BinaryIO, file), file.name or "") as stored, transaction.atomic():
            if key is None:
                product = product_of_batch()
                product.tags.set(batch["tags"])
                image = record_image(product, stored, uploader=user)
            else:
                joined = grouping.joined(user, key, product_of_batch, batch["tags"])
                image = grouping.add(joined, stored, (group or {}).get("place") or 0)
    except grouping.AlreadyThere as there:
        image = there.image
    return image, note_sentences(image.notes) + _stays_hidden(image) + _seen_before(image)


def similar_url(image: Image) -> str:
    return f"{reverse('search')}?image={image.pk}"


def state_of(product: Product) -> str:
    return _("It is published.") if product.published else _("It is a draft: only staff see it.")


def _stays_hidden(image: Image) -> list[str]:
    if image.status != Image.Status.REJECTED or image.status_reason != TAKEN_DOWN_BEFORE:
        return []
    return [_("This very file was taken down before, so the photo is rejected. A moderator can approve it.")]


def _seen_before(image: Image) -> list[str]:
    twins = Image.objects.filter(sha256=image.sha256).exclude(pk=image.pk).select_related("product")
    twin = twins.order_by("created_at", "pk").first()
    if twin is None:
        return []
    return [_("The same photo is already in the catalogue: %(sku)s.") % {"sku": twin.product.sku}]
