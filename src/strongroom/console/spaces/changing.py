"""The settings of a space."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import spaces
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.console.spaces.frame import frame, may
from strongroom.console.spaces.making import FIELDS, risk_level
from strongroom.core.errors import Refusal
from strongroom.core.vocabulary import Verb

TEMPLATE = "console/spaces/settings.html"


@page
def edit(request: Request, space_id: UUID) -> HttpResponse:
    """Name, risk level, charge code and contact; who may not change them reads them."""
    view = spaces.show(request.actor, space_id)
    kept = {field: str(getattr(view.space, field)) for field in (*FIELDS, "risk_level")}
    context = frame(request.actor, view, "settings", given=kept, may_edit=may(request.actor, view, Verb.SPACE_EDIT))
    if request.method != "POST":
        return render(request, TEMPLATE, context)
    given = {field: request.POST.get(field, kept[field]) for field in kept}
    try:
        # Only what is different is said, so that two people who change different things do not undo each other.
        changes = {field: value for field, value in given.items() if value != kept[field]}
        risk_level(given["risk_level"])
        spaces.edit(request.actor, space_id, changes=changes)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, {**context, "given": given})
    return done(request, f"/spaces/{space_id}/settings", gettext("Saved."))
