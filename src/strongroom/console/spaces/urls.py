"""The paths of this area: spaces, who is in them, what happened there, and their settings."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
