"""The paths of this area: spaces, who is in them, what happened there, and their settings."""

from django.urls import URLPattern, URLResolver, path

from strongroom.console.spaces import activity, changing, charging, listing, making, people, showing

_ONE = "spaces/<uuid:space_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("spaces/", listing.show),
    path("spaces/new", making.create),
    path(_ONE, showing.show),
    path(f"{_ONE}/people", people.show),
    path(f"{_ONE}/people/add", people.add),
    path(f"{_ONE}/people/<uuid:person_id>", people.edit),
    path(f"{_ONE}/people/<uuid:person_id>/remove", people.remove),
    path(f"{_ONE}/activity", activity.show),
    path(f"{_ONE}/activity/export", activity.export),
    path(f"{_ONE}/charges", charging.show),
    path(f"{_ONE}/settings", changing.edit),
]
