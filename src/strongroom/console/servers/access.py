"""Which data sets a server may touch: provision one, or revoke it at once."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import grants
from strongroom.console.pages import Request, done, posted, refused, wrong_fields
from strongroom.console.servers.reading import end_of_day, id_of
from strongroom.console.servers.sheet import TEMPLATE, sheet
from strongroom.core.errors import Invalid, NotFound, Refusal
from strongroom.core.sentences import say


@posted
def grant(request: Request, server_id: UUID) -> HttpResponse:
    """Provision a data set; it can be read (a derivative: written) when the answer comes."""
    page = sheet(request.actor, server_id)  # first, so that who may not know the server learns nothing
    try:
        dataset_id = id_of(request.POST, "dataset_id")
        if dataset_id is None:
            raise Invalid(say("Which data set? Choose one from the list."), fields={"dataset_id": say("choose one")})
        made = grants.create(
            request.actor,
            dataset_id,
            server_id,
            reason=request.POST.get("reason", ""),
            expires_at=end_of_day(request.POST, "until"),
        )
    except NotFound:
        raise
    except Refusal as refusal:
        wrong = wrong_fields(refusal)
        told = {"failed": "grant", "sent": request.POST, "until_error": wrong.get("until") or wrong.get("expires_at")}
        return refused(request, refusal, TEMPLATE, {**page, **told})
    return done(
        request,
        f"/servers/{server_id}",
        gettext("{server} has access to {dataset}.").format(server=made.server.name, dataset=made.dataset.name),
    )


@posted
def revoke(request: Request, server_id: UUID, dataset_id: UUID) -> HttpResponse:
    """Take the access away; not one request of the server to the data set succeeds once the answer has come."""
    page = sheet(request.actor, server_id)
    try:
        ended = grants.revoke(request.actor, dataset_id, server_id, reason=request.POST.get("reason", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        told = {**page, "failed": "revoke", "failed_id": dataset_id}
        return refused(request, refusal, TEMPLATE, told)
    said = gettext("{server} has no access to {dataset} any more.").format(
        server=ended.server.name, dataset=ended.dataset.name
    )
    return done(request, f"/servers/{server_id}", said)
