"""The paths of this area: what the staff of the platform sees."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
