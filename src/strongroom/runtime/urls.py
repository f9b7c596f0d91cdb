"""Which path leads where."""

from django.urls import URLPattern, URLResolver, include, path

from strongroom.runtime import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/", include("strongroom.api.urls")),
]
