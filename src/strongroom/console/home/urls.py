"""The paths of this area: what is mine, what waits for me, and what expires soon."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
