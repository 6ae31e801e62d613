"""Addresses. The paths in docs/addresses.md stay."""

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


def under_policy(patterns: list, policy: dict) -> list:
    """Give all views of these patterns a Content-Security-Policy of their own."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            under_policy(pattern.url_patterns, policy)
        elif isinstance(pattern, URLPattern):
            pattern.callback = csp_replace(policy)(pattern.callback)
    return patterns


admin_patterns, admin_app, admin_namespace = admin.site.urls
docs_policy = csp_replace(settings.API_DOCS_CSP)

urlpatterns = [
    path("", include("search.urls")),
    path("", include("gallery.urls")),
    path("api/v1/", include("search.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", docs_policy(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"),
    path("accounts/login/", auth_views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", (under_policy(admin_patterns, settings.ADMIN_CSP), admin_app, admin_namespace)),
]
