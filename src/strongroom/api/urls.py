"""The paths under /api/v1."""

from django.urls import URLPattern, URLResolver, path

from strongroom.api import docs
from strongroom.api.api import api

urlpatterns: list[URLPattern | URLResolver] = [path("docs.css", docs.stylesheet), *api.urls[0]]
