"""Which path leads where."""

from django.urls import URLPattern, URLResolver, include, path

from strongroom.runtime import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/", include("strongroom.api.urls")),
    path("", include("strongroom.console.urls")),
]
handler400 = "strongroom.console.errors.bad_request"
handler403 = "strongroom.console.errors.forbidden"
handler404 = "strongroom.console.errors.not_found"
handler500 = "strongroom.console.errors.mistake"
