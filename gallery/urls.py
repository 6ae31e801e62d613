from django.urls import path

from gallery.views.files import image_file
from gallery.views.products import product_page
from gallery.views.uploads import UploadView

urlpatterns = [
    path("files/<uuid:pk>/<int:width>.<str:format>", image_file, name="image-file"),
    path("products/<str:sku>/", product_page, name="product"),
    path("upload/", UploadView.as_view(), name="upload"),
]
