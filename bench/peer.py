"""Pages that show the same rows in the same process, by the administration site that Django brings along.

Read only, and with as many rows a page as the console's, so that both do the same work for the database.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path

from strongroom.db.models import Attachment, Dataset, Event, Grant, Membership, Person, Server, Space, UploadKey
from strongroom.runtime.urls import urlpatterns as ours

ROWS = 50
PAGES = {
    "space": "/peer/strongroom/dataset/?space__id__exact=<uuid:space_id>",
    "people and roles": "/peer/strongroom/membership/?space__id__exact=<uuid:space_id>",
    "servers of a space": "/peer/strongroom/server/?space__id__exact=<uuid:space_id>",
    "activity of a space": "/peer/strongroom/event/?space_id__exact=<uuid:space_id>",
    "data set": "/peer/strongroom/dataset/<uuid:dataset_id>/change/",
    "activity of a data set": "/peer/strongroom/event/?dataset_id__exact=<uuid:dataset_id>",
    "server": "/peer/strongroom/server/<uuid:server_id>/change/",
    "staff: spaces": "/peer/strongroom/space/",
    "staff: people": "/peer/strongroom/person/",
}
"""By the console's page that shows the same rows."""


class _Site(admin.AdminSite):
    """Open to whoever asks: signing in is not what is measured."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class _ReadOnly:
    """Nothing can be changed, everything is seen."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    has_add_permission = has_delete_permission = has_change_permission


class _Rows(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg] generic for the type checker alone
    """A list of `ROWS` a page, and a page for each."""

    list_per_page = ROWS
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # type: ignore[override]
        return True


def _lists(model: Any, columns: tuple[str, ...], joined: tuple[str, ...], below: tuple[Any, ...] = ()) -> None:
    inlines = [
        type(each.__name__, (_ReadOnly, admin.TabularInline), {"model": each, "fk_name": name, "extra": 0})
        for each, name in below
    ]
    about = {"list_display": columns, "list_select_related": joined or False, "inlines": inlines}
    site.register(model, type(model.__name__, (_Rows,), about))


site = _Site(name="peer")
_lists(Space, ("name", "risk_level", "charge_code", "contact", "created_at"), ())
_lists(Person, ("email", "name", "staff_role", "is_active", "created_at"), ())
_lists(Membership, ("person", "role", "created_at"), ("person",))
_lists(Event, ("at", "actor_email", "verb", "outcome", "subject", "reason"), ())
_lists(
    Dataset,
    ("name", "repository", "kind", "state", "object_count", "size_bytes", "created_at", "created_by"),
    ("created_by",),
    ((Attachment, "dataset"), (UploadKey, "dataset")),
)
_lists(
    Server,
    ("name", "state", "last_heartbeat_at", "kind", "os", "address", "owner"),
    ("owner",),
    ((Grant, "server"),),
)

urlpatterns: list[URLPattern | URLResolver] = [path("peer/", site.urls), *ours]
handler400 = "strongroom.console.errors.bad_request"
handler403 = "strongroom.console.errors.forbidden"
handler404 = "strongroom.console.errors.not_found"
handler500 = "strongroom.console.errors.mistake"
