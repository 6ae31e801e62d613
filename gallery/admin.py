"""The admin is for rare repairs; everyday work has pages of its own."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from gallery.models import Brand, Category, Image, Product, ProductRedirect, User

admin.site.register(User, UserAdmin)


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "parent", "slug", "position"]
    search_fields = ["name", "slug"]


@admin.register(Brand)
class BrandAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["sku", "title", "category", "brand", "price", "currency", "availability", "published"]
    list_filter = ["published", "availability", "category"]
    list_select_related = ["category", "brand"]
    search_fields = ["sku", "title"]


@admin.register(ProductRedirect)
class ProductRedirectAdmin(admin.ModelAdmin):
    list_display = ["old_sku", "product"]
    raw_id_fields = ["product"]


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin):
    """Facts come from the file, so they are shown and not edited; another file goes in through the upload page."""

    list_display = ["id", "product", "source_name", "format", "width", "height", "status"]
    list_filter = ["status", "format"]
    list_select_related = ["product"]
    search_fields = ["source_name", "product__sku", "sha256"]
    raw_id_fields = ["product", "uploader"]
    fields = ["product", "position", "alt_text", "status", "status_reason", "uploader", "source_name", "sha256"]
    readonly_fields = ["source_name", "sha256"]

    def has_add_permission(self, request) -> bool:
        return False
