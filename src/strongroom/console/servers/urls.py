"""The paths of this area: servers, their creation and their enrolment."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
