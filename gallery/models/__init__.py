from gallery.models.bulk_edits import BulkEdit, BulkEditItem
from gallery.models.categories import Brand, Category
from gallery.models.collections import Collection, CollectionItem
from gallery.models.images import Image
from gallery.models.imports import CatalogueImport
from gallery.models.jobs import Job
from gallery.models.moderation import Claim, Decision
from gallery.models.products import Product, ProductRedirect, TaggedProduct
from gallery.models.redirects import ImageRedirect
from gallery.models.renditions import Rendition
from gallery.models.reports import Report
from gallery.models.saved_views import SavedView
from gallery.models.upload_groups import UploadGroup
from gallery.models.users import Role, User

__all__ = [
    "Brand",
    "BulkEdit",
    "BulkEditItem",
    "CatalogueImport",
    "Category",
    "Claim",
    "Collection",
    "CollectionItem",
    "Decision",
    "Image",
    "ImageRedirect",
    "Job",
    "Product",
    "ProductRedirect",
    "Rendition",
    "Report",
    "Role",
    "SavedView",
    "TaggedProduct",
    "UploadGroup",
    "User",
]
