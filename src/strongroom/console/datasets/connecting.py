"""How clients connect to exactly this bucket: a tab for each, and the bookmark that Cyberduck opens."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext, gettext_noop

from strongroom.actions import datasets
from strongroom.actions.datasets import Connection
from strongroom.console.datasets.frame import CLOSED, frame
from strongroom.console.pages import Request, page, refused, render
from strongroom.console.words import translated
from strongroom.core.connect import Snippet
from strongroom.core.errors import NotFound, Refusal
from strongroom.core.sentences import say

CLIENTS = {
    "strongroom": "Strongroom",
    "cyberduck": "Cyberduck",
    "aws": "AWS CLI",
    "crossftp": "CrossFTP",
    "rclone": "rclone",
    "s3fs": gettext_noop("s3fs and fstab"),
    "powershell": gettext_noop("PowerShell (Windows)"),
    "boto3": "Python",
    "r": "R",
}


@dataclass(slots=True)
class Client:
    """One tab."""

    name: str
    title: str
    is_current: bool = False
    snippets: list[Snippet] = field(default_factory=list)


@page
def show(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The tab of `?client=`, by default the first."""
    view = datasets.show(request.actor, dataset_id)
    try:
        connection = datasets.connect(request.actor, dataset_id)
    except Refusal as refusal:
        return refused(request, refusal, CLOSED, frame(view, "connect"))
    clients = _clients(connection, request.GET.get("client", ""))
    current = next(each for each in clients if each.is_current)
    context = frame(view, "connect", connection=connection, clients=clients, current=current)
    return render(request, "console/datasets/connect.html", context)


@page
def bookmark(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The file that Cyberduck opens with a double click."""
    found = [each for each in datasets.connect(request.actor, dataset_id).snippets if each.client == "cyberduck"]
    if not found:
        raise NotFound(
            say("There is no bookmark for a finalized data set: nobody connects to it with a key."),
            way_out=say("See how a server connects: {page}", page=f"/datasets/{dataset_id}/connect"),
        )
    name = found[0].filename or f"{dataset_id}.duck"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(found[0].text, content_type="application/x-cyberduck-bookmark", headers=headers)


def _clients(connection: Connection, wanted: str) -> list[Client]:
    found: dict[str, Client] = {}
    for snippet in connection.snippets:
        client = found.setdefault(snippet.client, Client(snippet.client, _title(snippet)))
        client.snippets.append(snippet)
    clients = sorted(found.values(), key=_place)
    (found.get(wanted) or clients[0]).is_current = True
    return clients


def _title(snippet: Snippet) -> str:
    named = CLIENTS.get(snippet.client)
    return gettext(named) if named else translated(snippet.title)


def _place(client: Any) -> int:
    names = list(CLIENTS)
    return names.index(client.name) if client.name in names else len(names)
