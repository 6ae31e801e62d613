from django.urls import path, register_converter

from gallery.views import (
    bulk_edits,
    collections,
    contributions,
    demo,
    exports,
    imports,
    jobs,
    product_edit,
    product_list,
    reports,
    saved_views,
)
from gallery.views.files import exported_file, image_file
from gallery.views.moderation import audit, deciding, queue
from gallery.views.moderation.reports import reports_page
from gallery.views.products import product_page
from gallery.views.uploads import UploadView


class SkuConverter:
    """What ``validate_sku`` lets through."""

    regex = r"[A-Za-z0-9._-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(SkuConverter, "sku")

urlpatterns = [
    path("files/<uuid:pk>/<int:width>.<str:format>", image_file, name="image-file"),
    path("files/<uuid:pk>/<int:width>-q<int:quality>.<str:format>", exported_file, name="exported-file"),
    path("products/photos/<uuid:pk>/export/", exports.export_page, name="export"),
    path("products/<sku:sku>/", product_page, name="product"),
    path("products/photos/<uuid:key>/report/", reports.report, name="report"),
    path("products/", product_list.product_list, name="products"),
    path("products/<sku:sku>/row/", product_list.product_row, name="product-row"),
    path("products/<sku:sku>/edit/", product_edit.product_edit, name="product-edit"),
    path("products/<sku:sku>/photos/", product_edit.product_photos, name="product-photos"),
    path("product-views/", saved_views.save_view, name="view-save"),
    path("product-views/<int:key>/", saved_views.change_view, name="view-change"),
    path("product-views/<int:key>/delete/", saved_views.delete_view, name="view-delete"),
    path("bulk-edits/", bulk_edits.bulk_edits, name="bulk-edits"),
    path("bulk-edits/<uuid:key>/", bulk_edits.bulk_edit, name="bulk-edit"),
    path("bulk-edits/<uuid:key>/apply/", bulk_edits.apply_bulk_edit, name="bulk-edit-apply"),
    path("bulk-edits/<uuid:key>/undo/", bulk_edits.undo_bulk_edit, name="bulk-edit-undo"),
    path("collections/", collections.collections_page, name="collections"),
    path("collections/<uuid:key>/", collections.collection_page, name="collection"),
    path("collections/<uuid:key>/delete/", collections.delete_collection, name="collection-delete"),
    path("collections/<uuid:key>/restore/", collections.restore_collection, name="collection-restore"),
    path("save/<uuid:key>/", collections.save, name="save"),
    path("save/<uuid:key>/menu/", collections.save_menu, name="save-menu"),
    path("import/", imports.imports_page, name="imports"),
    path("import/export/", imports.start_export, name="catalogue-export"),
    path("import/<uuid:key>/", imports.import_page, name="import"),
    path("import/<uuid:key>/start/", imports.start, name="import-start"),
    path("import/<uuid:key>/discard/", imports.discard, name="import-discard"),
    path("jobs/", jobs.jobs_page, name="jobs"),
    path("jobs/<uuid:key>/", jobs.job_page, name="job"),
    path("jobs/<uuid:key>/cancel/", jobs.cancel_job, name="job-cancel"),
    path("jobs/<uuid:key>/report/", jobs.job_report, name="job-report"),
    path("products/<sku:sku>/add-photo/", contributions.contribute, name="contribute-to"),
    path("uploads/", contributions.uploads_page, name="uploads"),
    path("uploads/new/", contributions.contribute, name="contribute"),
    path("uploads/<uuid:key>/", contributions.contribution_page, name="contribution"),
    path("uploads/<uuid:key>/reply/", contributions.reply, name="contribution-reply"),
    path("uploads/<uuid:key>/file/", contributions.replace, name="contribution-replace"),
    path("uploads/<uuid:key>/withdraw/", contributions.withdraw, name="contribution-withdraw"),
    path("demo/view-as/<slug:role>/", demo.view_as, name="view-as"),
    path("moderation/", queue.queue, name="moderation"),
    path("moderation/ahead/", queue.ahead, name="moderation-ahead"),
    path("moderation/claims/", queue.renew, name="moderation-claims"),
    path("moderation/skipped/", queue.look_again, name="moderation-look-again"),
    path("moderation/undo/", deciding.undo, name="moderation-undo"),
    path("moderation/reports/", reports_page, name="moderation-reports"),
    path("moderation/<uuid:key>/", queue.one, name="moderation-one"),
    path("moderation/<uuid:key>/decide/", deciding.decide, name="moderation-decide"),
    path("audit/photos/<uuid:key>/", audit.audit_image, name="audit-image"),
    path("audit/products/<sku:sku>/", audit.audit_product, name="audit-product"),
    path("upload/", UploadView.as_view(), name="upload"),
]
