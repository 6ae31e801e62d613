"""Addresses. The paths in docs/addresses.md stay."""

from allauth.account import views as account_views
from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
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


# Administrators sign in where everybody does, under the same limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin_patterns, admin_app, admin_namespace = admin.site.urls
docs_policy = csp_replace(settings.API_DOCS_CSP)

urlpatterns = [
    path("", include("search.urls")),
    path("", include("gallery.urls")),
    path("api/v1/", include("search.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", docs_policy(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"),
    path("accounts/login/", account_views.login, name="login"),
    path("accounts/logout/", account_views.logout, name="logout"),
    path("accounts/", include("allauth.account.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", (under_policy(admin_patterns, settings.ADMIN_CSP), admin_app, admin_namespace)),
]
