"""Which path leads where."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from strongroom.runtime import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
if find_spec("strongroom.api.urls"):
    urlpatterns.append(path("api/v1/", include("strongroom.api.urls")))
