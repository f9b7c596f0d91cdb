"""The buttons of a server's page. A refusal shows the same page again, with why on top."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import hurrying, servers
from strongroom.actions.servers import ServerView
from strongroom.console.pages import Request, done, posted, refused, wrong_fields
from strongroom.console.servers.sheet import TEMPLATE, sheet
from strongroom.core.errors import Invalid, NotFound, Refusal
from strongroom.core.sentences import say


@posted
def start(request: Request, server_id: UUID) -> HttpResponse:
    """Have its machine run."""
    return _do(request, server_id, lambda: servers.start(request.actor, server_id), gettext("{} is being started."))


@posted
def stop(request: Request, server_id: UUID) -> HttpResponse:
    """Have its machine stop."""
    return _do(request, server_id, lambda: servers.stop(request.actor, server_id), gettext("{} is being stopped."))


@posted
def retry(request: Request, server_id: UUID) -> HttpResponse:
    """What its host did not obey is tried again at once."""

    def act() -> ServerView:
        hurrying.server(request.actor, server_id)
        return servers.show(request.actor, server_id)

    return _do(request, server_id, act, gettext("It is being tried again: {}."))


@posted
def disable(request: Request, server_id: UUID) -> HttpResponse:
    """Cut its access; it was cut when the answer comes."""
    reason = request.POST.get("reason", "")
    said = gettext("{} is disabled: it reaches no data set.")
    return _do(request, server_id, lambda: servers.disable(request.actor, server_id, reason=reason), said, "disable")


@posted
def enable(request: Request, server_id: UUID) -> HttpResponse:
    """Give back what it was granted and has not ended."""
    said = gettext("{} is enabled: it has again what it was granted.")
    return _do(request, server_id, lambda: servers.enable(request.actor, server_id), said)


@posted
def delete(request: Request, server_id: UUID) -> HttpResponse:
    """End it for good, once its name was typed."""
    reason = request.POST.get("reason", "")

    def act() -> ServerView:
        _need_name(request, server_id)
        return servers.delete(request.actor, server_id, reason=reason)

    return _do(request, server_id, act, gettext("{} is deleted; its grants have ended."), "delete")


def _do(request: Request, server_id: UUID, act: Callable[[], ServerView], said: str, form: str = "") -> HttpResponse:
    """Act and go back to the page; `form` is the one to show open where it was refused."""
    try:
        view = act()
    except NotFound:
        raise
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, {**sheet(request.actor, server_id), **_open(form, refusal)})
    return done(request, f"/servers/{server_id}", said.format(view.server.name))


def _open(form: str, refusal: Refusal) -> dict[str, object]:
    """Which form the page shows open, and what is wrong with its fields."""
    wrong = wrong_fields(refusal)
    return {
        f"open_{form}": True,
        f"{form}_error": wrong.get("reason" if form == "disable" else "confirm_name"),
        f"{form}_reason_error": wrong.get("reason"),
    }


def _need_name(request: Request, server_id: UUID) -> None:
    """Raises: NotFound, Invalid."""
    name = servers.show(request.actor, server_id).server.name
    if request.POST.get("confirm_name", "").strip() != name:
        raise Invalid(
            say("Nothing was deleted: the name that was typed is not that of the server."),
            fields={"confirm_name": say("type {name}", name=name)},
            way_out=say("Type {name} exactly as it stands here.", name=name),
        )
