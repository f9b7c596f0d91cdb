"""Who gets at the files: the access key and transfers of a pending data set, and the servers of a finalized one."""

import base64
import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext

from strongroom.actions import datasets, grants, keys, servers, transfers
from strongroom.actions.keys import IssuedKey
from strongroom.console.datasets import parsing
from strongroom.console.datasets.frame import frame
from strongroom.console.datasets.sending import sent_from
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core.errors import Forbidden, Invalid, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import KeyStatus, State, Verb

TEMPLATE = "console/datasets/access.html"
OFFERED = 200
LISTED = 25  # servers with access, each with its forms
_SHOWN = {KeyStatus.ACTIVE, KeyStatus.REVOKED, KeyStatus.EXPIRED, KeyStatus.ISSUING}


@dataclass(frozen=True, slots=True)
class Access:
    """A server's grant as the page shows it: whether the server is heard, and its mounts of this data set."""

    grant: Any  # a row, whose class the edges do not know
    is_online: bool
    mounts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Accesses:
    """Some of them, and where the next ones begin."""

    items: list[Access]
    next_cursor: str | None


@page
def show(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Key and servers."""
    return render(request, TEMPLATE, _context(request, dataset_id))


@sent_from("/access")
def issue(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The page with the secret: this answer is the only one that ever holds it."""
    try:
        issued = keys.issue(request.actor, dataset_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _secret(request, dataset_id, issued)


@sent_from("/access")
def reset(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """A new key in place of the last one, shown as the first was."""
    try:
        issued = keys.reset(request.actor, dataset_id, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _secret(request, dataset_id, issued)


@sent_from("/access")
def renew(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The same key for longer."""
    try:
        keys.renew(request.actor, dataset_id, days=parsing.whole("days", request.POST.get("days", "")))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _back(request, dataset_id, gettext("The access key was renewed."))


@sent_from("/access")
def revoke_key(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The key stops working."""
    try:
        keys.revoke(request.actor, dataset_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _back(request, dataset_id, gettext("The access key was revoked, and does not work any more."))


@sent_from("/access")
def end_transfer(request: Request, dataset_id: UUID, transfer_id: UUID) -> HttpResponseBase:
    """Whoever runs it gets a refusal at the next request."""
    try:
        transfers.close(request.actor, transfer_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _back(request, dataset_id, gettext("The transfer was ended, and its credentials do not work any more."))


@sent_from("/access")
def provision(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Give a server of the space access."""
    form = request.POST
    try:
        if not form.get("server_id"):
            raise Invalid(say("Which server?"), fields={"server_id": say("pick one")})
        (server_id,) = parsing.ids("server_id", [form["server_id"]])
        until = parsing.end_of("expires_at", form.get("expires_at", ""))
        grants.create(request.actor, dataset_id, server_id, reason=form.get("reason", ""), expires_at=until)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _back(request, dataset_id, gettext("The server has access."))


@sent_from("/access")
def revoke(request: Request, dataset_id: UUID, server_id: UUID) -> HttpResponseBase:
    """Take a server's access away, at once."""
    try:
        grants.revoke(request.actor, dataset_id, server_id, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _back(request, dataset_id, gettext("Access was revoked: not one further request of the server succeeds."))


@sent_from("/access")
def change_end(request: Request, dataset_id: UUID, server_id: UUID) -> HttpResponseBase:
    """When a server's access ends by itself."""
    try:
        until = parsing.end_of("expires_at", request.POST.get("expires_at", ""))
        grants.edit(request.actor, dataset_id, server_id, expires_at=until)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return _back(request, dataset_id, gettext("The end of the access was changed."))


def _back(request: Request, dataset_id: UUID, message: str) -> HttpResponseBase:
    return done(request, f"/datasets/{dataset_id}/access", message)


def _secret(request: Request, dataset_id: UUID, issued: IssuedKey) -> HttpResponseBase:
    view = datasets.show(request.actor, dataset_id)
    context = frame(view, "access", issued=issued, key=issued.key, file=_as_file(issued))
    response = render(request, "console/datasets/secret.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_file(issued: IssuedKey) -> str:
    """The table that `aws configure import --csv` reads, inside of a link: it does not travel a second time."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["User Name", "Access key ID", "Secret access key"])
    rows.writerow([issued.repository, issued.key.access_key_id, issued.secret])
    return f"data:text/csv;base64,{base64.b64encode(text.getvalue().encode()).decode()}"


def _context(request: Request, dataset_id: UUID) -> dict[str, Any]:
    view = datasets.show(request.actor, dataset_id)
    issued = _keys(request, dataset_id)
    shown = [key for key in issued or [] if key.status in _SHOWN]
    is_pending = view.dataset.state == State.PENDING
    live, ended = _grants(request, dataset_id, view.dataset.repository)
    return frame(
        view,
        "access",
        keys=issued,
        live_key=next((key for key in issued or [] if key.status == KeyStatus.ACTIVE), None),
        needs_first=not shown or shown[0].status == KeyStatus.EXPIRED,
        was_reset=any(key.replaces_id and not key.is_support_reset for key in shown),
        is_support=view.role is None and request.actor.staff_role is not None,
        is_pending=is_pending,
        running=_transfers(request, dataset_id, is_live=True) if is_pending else [],
        ended_transfers=_transfers(request, dataset_id, is_live=False),
        live=live.items,
        next_cursor=live.next_cursor,
        ended=ended,
        offered=_offered(request, view),
        form=request.POST,
    )


def _keys(request: Request, dataset_id: UUID) -> list[Any] | None:
    """Every key there was; None where one may not see them."""
    with suppress(Forbidden):
        return keys.list_(request.actor, dataset_id)
    return None


def _transfers(request: Request, dataset_id: UUID, *, is_live: bool) -> list[Any]:
    """The newest that run now, or that ended; none where one may not see them. A setting limits how many run."""
    with suppress(Forbidden):
        return list(transfers.list_(request.actor, dataset_id, is_live=is_live, limit=LISTED).rows)
    return []


def _grants(request: Request, dataset_id: UUID, repository: str) -> tuple[Accesses, list[Any]]:
    cursor = request.GET.get("cursor") or None
    page = grants.list_(request.actor, dataset_id=dataset_id, is_live=True, cursor=cursor, limit=LISTED)
    live = [Access(row, servers.is_online(row.server), _mounts(row.server, repository)) for row in page.rows]
    ended = grants.list_(request.actor, dataset_id=dataset_id, is_live=False, limit=20).rows
    return Accesses(live, page.next_cursor), list(ended)


def _mounts(server: Any, repository: str) -> list[dict[str, Any]]:  # a row, whose class the edges do not know
    return [each for each in server.mounts if each.get("repository") == repository]


def _offered(request: Request, view: Any) -> list[Any]:
    """The servers of the space that can be given access; the action refuses one that got it meanwhile."""
    if Verb.GRANT_CREATE not in view.may:
        return []
    space_id, dataset_id = view.dataset.space_id, view.dataset.id
    found = servers.list_(
        request.actor, space_id=space_id, with_deleted=False, without_access_to=dataset_id, limit=OFFERED
    )
    return list(found.rows)
