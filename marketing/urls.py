from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularSwaggerSplitView

from marketing.health import healthz
from marketing.home import home
from marketing.monitoring.metrics import metrics

handler400 = "accounts.problems.bad_request"
handler403 = "accounts.problems.permission_denied"
handler404 = "accounts.problems.not_found"
handler500 = "accounts.problems.server_error"

urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("", include("accounts.urls")),
    path("", include("compliance.urls")),
    path("", include("compliance.public_urls")),
    path("", include("social.urls")),
    path("", include("agents.urls")),
    path("", include("campaigns.urls")),
    path("", include("analytics.urls")),
    path("", include("experiments.urls")),
    path("", include("personal.urls")),
    path("", include("integrations.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("agents.api.urls")),
    path("api/", include("accounts.api_urls")),
    path("api/", include("campaigns.api.urls")),
    path("api/", include("analytics.api.urls")),
    path("api/", include("personal.api.urls")),
    path("api/", include("experiments.api.urls")),
    path("api/", include("compliance.api.urls")),
    path("api/", include("social.api_urls")),
    path("api/", include("integrations.api.urls")),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="accounts-api:schema"), name="docs"),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", TemplateView.as_view(template_name="styleguide.html"), name="styleguide"))
