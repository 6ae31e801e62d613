"""Addresses of search: pages, fragments and query photos."""

from django.urls import path

from search.views import beside, fragments, home, links, photos, regions, results, samples, sharing
from search.views.index import actions, building, comparing, overview

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", results.search, name="search"),
    path("search/photos-of/", beside.photos_of, name="search-photos-of"),
    path("search/without/", beside.without, name="search-without"),
    path("search/neighbours/", beside.neighbours, name="search-neighbours"),
    path("search/share/", sharing.share, name="search-share"),
    path("search/link/", links.send, name="search-link"),
    path("search/photo/", photos.send, name="search-photo"),
    path("search/photo/<uuid:key>/file/", photos.photo_file, name="search-photo-file"),
    path("search/photo/<uuid:key>/regions/", regions.photo_regions, name="photo-regions"),
    path("search/photo/<uuid:key>/forget/", photos.forget, name="search-photo-forget"),
    path("search/photo/<uuid:key>/unshare/", sharing.unshare, name="search-photo-unshare"),
    path("search/sample/<int:number>/", samples.sample, name="sample"),
    path("search/sample/<int:number>/file/", samples.sample_file, name="sample-file"),
    path("regions/<uuid:key>/", regions.image_regions, name="image-regions"),
    path("similar/<uuid:key>/", fragments.similar, name="similar"),
    path("index/products/<uuid:product>/", fragments.index_states, name="index-states"),
    path("progress/", fragments.progress, name="progress"),
    path("index/", overview.overview, name="index"),
    path("index/build/", building.build, name="index-build"),
    path("index/compare/", comparing.compare_generations, name="index-compare"),
    path("index/generations/<int:pk>/figures/", overview.figures, name="index-figures"),
    path("index/generations/<int:pk>/failed/", overview.failed_images, name="index-failed"),
    path("index/generations/<int:pk>/retry/", actions.retry, name="index-retry"),
    path("index/generations/<int:pk>/<slug:verb>/", actions.act, name="index-act"),
]
