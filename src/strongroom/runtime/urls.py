"""Which path leads where."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from strongroom.runtime import health

urlpatterns: list[URLPattern | URLResolver] = [
    # The address that `make up` prints is opened in browsers, too.
    path("", RedirectView.as_view(url="/api/v1/docs")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/", include("strongroom.api.urls")),
]
