"""Addresses of search: pages, fragments and query photos."""

from django.urls import path

from search.views import fragments, home, photos, results, samples

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", results.search, name="search"),
    path("search/photo/", photos.send, name="search-photo"),
    path("search/photo/<uuid:key>/file/", photos.photo_file, name="search-photo-file"),
    path("search/photo/<uuid:key>/forget/", photos.forget, name="search-photo-forget"),
    path("search/sample/<int:number>/", samples.sample, name="sample"),
    path("search/sample/<int:number>/file/", samples.sample_file, name="sample-file"),
    path("similar/<uuid:key>/", fragments.similar, name="similar"),
    path("index/products/<uuid:product>/", fragments.index_states, name="index-states"),
    path("progress/", fragments.progress, name="progress"),
]
