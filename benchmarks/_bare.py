"""The limit that the API's routes stand beside: a django-ninja route of one insert, served as the platform is."""

import os
import secrets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI, Schema

settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []
application = get_asgi_application()
api = NinjaAPI(urls_namespace="bare")


class Body(Schema):
    name: str


@api.post("/one")
def one(request: HttpRequest, body: Body) -> dict[str, int]:
    from whetstone.accounts.models import Team  # models: Django has to be set up

    return {"id": Team.objects.create(name=body.name, slug=secrets.token_hex(16)).pk}


@api.get("/none")
def none(request: HttpRequest) -> dict[str, bool]:
    return {"ok": True}


urlpatterns = [path("", api.urls), path("healthz", lambda request: HttpResponse())]
