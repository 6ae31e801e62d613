from gallery.models.categories import Brand, Category
from gallery.models.images import Image
from gallery.models.products import Product, ProductRedirect, TaggedProduct
from gallery.models.renditions import Rendition
from gallery.models.users import Role, User

__all__ = ["Brand", "Category", "Image", "Product", "ProductRedirect", "Rendition", "Role", "TaggedProduct", "User"]
