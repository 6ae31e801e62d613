from django.urls import path

from search.api.renditions import RenditionsView
from search.api.views import SearchView

urlpatterns = [
    path("search", SearchView.as_view(), name="api-search"),
    path("images/<uuid:pk>/renditions", RenditionsView.as_view(), name="api-renditions"),
]
