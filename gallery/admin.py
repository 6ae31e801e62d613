"""The admin is for rare repairs; everyday work has pages of its own, which lead here from each record."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from gallery.models import Brand, BulkEdit, Category, Image, Product, ProductRedirect, SavedView, User
from gallery.templatetags.moderating import in_words

admin.site.unregister(Group)


class HistoryAdmin(SimpleHistoryAdmin, ModelAdmin):
    """Of records whose history is kept. An address with a key that is none leads away, as for every other record."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self._is_key(object_id):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return super().history_view(request, object_id, extra_context)

    def history_change_reason(self, record: Any) -> str:
        """In the reader's language, where a history lists it."""
        return in_words(record.history_change_reason)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self._is_key(object_id):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return super().history_form_view(request, object_id, version_id, extra_context)

    def _is_key(self, text: str) -> bool:
        try:
            self.opts.pk.to_python(unquote(text))
        except ValidationError:
            return False
        return True


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    list_display = ["name", "parent", "slug", "position"]
    search_fields = ["name", "slug"]


@admin.register(Brand)
class BrandAdmin(ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]


@admin.register(Product)
class ProductAdmin(HistoryAdmin):
    list_display = ["sku", "title", "category", "brand", "price", "currency", "availability", "published"]
    list_filter = ["published", "availability", "category"]
    list_select_related = ["category", "brand"]
    search_fields = ["sku", "title"]
    history_list_display = ["history_change_reason"]


@admin.register(ProductRedirect)
class ProductRedirectAdmin(ModelAdmin):
    list_display = ["old_sku", "product"]
    raw_id_fields = ["product"]


@admin.register(Image)
class ImageAdmin(HistoryAdmin):
    """Facts come from the file, so they are shown and not edited; another file goes in through the upload page.

    Whether a photo is public is decided on the moderation pages, which say who decided it and why.
    """

    list_display = ["id", "product", "source_name", "format", "width", "height", "status"]
    list_filter = ["status", "format"]
    list_select_related = ["product"]
    search_fields = ["source_name", "product__sku", "sha256"]
    raw_id_fields = ["product"]
    fields = ["product", "position", "alt_text", "status", "status_reason", "uploader", "source_name", "sha256"]
    readonly_fields = ["status", "status_reason", "uploader", "source_name", "sha256"]
    history_list_display = ["status", "history_change_reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def revert_disabled(self, request: HttpRequest, obj: Image | None = None) -> bool:
        """Going back would bring an old state along, past moderation, and the hash of a file that is there no more."""
        return True

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)

    def get_view_on_site_url(self, obj: Image | None = None) -> str | None:
        """Back to the page on which photos are decided on."""
        return reverse("moderation-one", args=[obj.pk]) if obj else None


@admin.register(SavedView)
class SavedViewAdmin(ModelAdmin):
    list_display = ["name", "owner", "shared", "query"]
    list_select_related = ["owner"]
    search_fields = ["name"]
    raw_id_fields = ["owner"]


@admin.register(BulkEdit)
class BulkEditAdmin(ModelAdmin):
    """What was done is shown and not edited: undoing has its own page."""

    list_display = ["id", "action", "total", "created_by", "applied_at"]
    list_filter = ["action"]
    list_select_related = ["created_by"]
    fields = ["action", "parameters", "query", "total", "created_by", "created_at", "applied_at", "job", "undo_job"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: BulkEdit | None = None) -> bool:
        return False
