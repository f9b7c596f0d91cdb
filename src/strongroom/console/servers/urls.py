"""The paths of this area: servers, their creation and their enrolment."""

from django.urls import URLPattern, URLResolver, path

from strongroom.console.servers import access, deeds, listing, making, showing

urlpatterns: list[URLPattern | URLResolver] = [
    path("spaces/<uuid:space_id>/servers", listing.show),
    path("spaces/<uuid:space_id>/servers/new", making.create),
    path("spaces/<uuid:space_id>/servers/enrol", making.enrol),
    path("servers/<uuid:server_id>", showing.show),
    path("servers/<uuid:server_id>/live", showing.live),
    path("servers/<uuid:server_id>/edit", showing.edit),
    path("servers/<uuid:server_id>/rejoin", making.rejoin),
    path("servers/<uuid:server_id>/start", deeds.start),
    path("servers/<uuid:server_id>/stop", deeds.stop),
    path("servers/<uuid:server_id>/retry", deeds.retry),
    path("servers/<uuid:server_id>/disable", deeds.disable),
    path("servers/<uuid:server_id>/enable", deeds.enable),
    path("servers/<uuid:server_id>/delete", deeds.delete),
    path("servers/<uuid:server_id>/grants", access.grant),
    path("servers/<uuid:server_id>/grants/<uuid:dataset_id>/revoke", access.revoke),
]
