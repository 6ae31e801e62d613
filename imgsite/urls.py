"""Addresses. The paths in docs/addresses.md stay."""

from collections.abc import Callable

from allauth.account import urls as account_urls
from allauth.account import views as account_views
from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_http_methods
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


def wrapped(patterns: list, decorate: Callable) -> list:
    """Decorate all views of these patterns."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            wrapped(pattern.url_patterns, decorate)
        elif isinstance(pattern, URLPattern):
            pattern.callback = decorate(pattern.callback)
    return patterns


def under_policy(patterns: list, policy: dict) -> list:
    """Give all views of these patterns a Content-Security-Policy of their own."""
    return wrapped(patterns, csp_replace(policy))


# Forms of others answer PUT as if it were POST, and redirects answer anything.
as_browsers_ask = require_http_methods(["GET", "HEAD", "POST"])
account_patterns: list = wrapped(account_urls.urlpatterns, as_browsers_ask)
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
    path("accounts/login/", as_browsers_ask(account_views.login), name="login"),
    path("accounts/logout/", as_browsers_ask(account_views.logout), name="logout"),
    path("accounts/", include(account_patterns)),
    path("i18n/setlang/", as_browsers_ask(set_language), name="set_language"),
    path("admin/", (under_policy(admin_patterns, settings.ADMIN_CSP), admin_app, admin_namespace)),
]
