"""The paths of this area: what the staff of the platform sees."""

from django.urls import URLPattern, URLResolver, path

from strongroom.console.staff import components, groups, keys, people, person, platform

urlpatterns: list[URLPattern | URLResolver] = [
    path("staff/", platform.health),
    path("staff/spaces", platform.spaces_),
    path("staff/settings", platform.settings_),
    path("staff/people", people.list_),
    path("staff/people/new", people.create),
    path("staff/people/<uuid:person_id>", person.show),
    path("staff/people/<uuid:person_id>/edit", person.edit),
    path("staff/people/<uuid:person_id>/invite", person.invite),
    path("staff/people/<uuid:person_id>/disable", person.disable),
    path("staff/people/<uuid:person_id>/remove", person.remove),
    path("staff/people/<uuid:person_id>/enable", person.enable),
    path("staff/people/<uuid:person_id>/reset-second-factor", person.reset_second_factor),
    path("staff/groups", groups.show),
    path("staff/groups/add", groups.add),
    path("staff/groups/<uuid:mapping_id>/remove", groups.remove),
    path("staff/keys", keys.find),
    path("staff/keys/<uuid:dataset_id>", keys.show),
    path("staff/keys/<uuid:dataset_id>/reset", keys.reset),
    path("staff/components", components.show),
]
