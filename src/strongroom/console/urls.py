"""The paths of the console, area by area."""

from django.urls import URLPattern, URLResolver, include, path

from strongroom.console import script_words, theme

urlpatterns: list[URLPattern | URLResolver] = [
    path("theme", theme.choose),
    path(script_words.PATH, script_words.script),
    path("", include("strongroom.console.people.urls")),
    path("", include("strongroom.console.home.urls")),
    path("", include("strongroom.console.spaces.urls")),
    path("", include("strongroom.console.datasets.urls")),
    path("", include("strongroom.console.servers.urls")),
    path("", include("strongroom.console.staff.urls")),
]
