"""The paths of this area: what is mine, what waits for me, and what expires soon."""

from django.urls import URLPattern, URLResolver, path

from strongroom.console.home import showing

urlpatterns: list[URLPattern | URLResolver] = [path("", showing.show)]
