"""Every address of the platform."""

from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from whetstone.api.document import openapi
from whetstone.api.health import healthz, readyz
from whetstone.api.metrics import metrics
from whetstone.api.native.surface import native_api
from whetstone.api.openai.surface import openai_api
from whetstone.api.worker import worker_api

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("v1/", openai_api.urls),
    path("api/v1/", native_api.urls),
    path("api/openapi.json", openapi),
    path("api/worker/", worker_api.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("jsi18n/", JavaScriptCatalog.as_view(domain="djangojs"), name="javascript-catalog"),
    path("", include("whetstone.web.urls")),
]
