"""Everything that the page of one server shows to one person."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from strongroom.actions import datasets, grants, servers
from strongroom.actions.paging import Page
from strongroom.actions.servers import ServerView
from strongroom.console.servers import standing
from strongroom.console.slicing import part
from strongroom.console.words import word
from strongroom.core import authz
from strongroom.core.actor import Actor
from strongroom.core.server_lifecycle import GATES
from strongroom.core.vocabulary import MountHealth, OperatingSystem, Role, ServerKind, ServerState, State, Verb

GRANTS = 25  # at a time
GRANTABLE = 50  # data sets that are offered at a time; a search finds the others
TEMPLATE = "console/servers/show.html"
_SAYS_WHY = (
    *(Verb.SERVER_START, Verb.SERVER_STOP, Verb.SERVER_ENABLE, Verb.SERVER_DISABLE),
    *(Verb.SERVER_REJOIN, Verb.SERVER_EDIT, Verb.SERVER_DELETE),
)


def sheet(actor: Actor, server_id: UUID, search: str = "", start: int = 0) -> dict[str, Any]:  # a template's context
    """All of the page; `search` narrows which data sets are offered, grants are from `start` on. Raises: NotFound."""
    view = servers.show(actor, server_id)
    access = _access(actor, view, search, start)
    return {**glance(actor, view), **access, "space": view.server.space, "tab": "servers"}


def glance(actor: Actor, view: ServerView) -> dict[str, Any]:  # a template's context
    """What changes by itself: how it is, its facts, its mounts, and what may be done."""
    server, now = view.server, timezone.now()
    stands = standing.of(view, now)
    return {
        "view": view,
        "server": server,
        "server_id": str(server.id),
        "standing": stands,
        "seen": _seen(view, stands),
        "version": _version(view, stands),
        "consequences": _consequences(view),
        "is_ours": server.kind == ServerKind.CREATED,
        "is_windows": server.os == OperatingSystem.WINDOWS,
        "is_deleted": server.state == ServerState.DELETED,
        "may": {str(verb).replace(".", "_") for verb in view.may},
        "blocked": [each for each in view.blocked if each.verb in _SAYS_WHY and server.kind in GATES[each.verb].kinds],
        "role": view.role,
        "session_is_over": bool(server.session_expires_at and server.session_expires_at < now),
        "logs_in": bool(server.ssh_host and server.state == ServerState.ACTIVE and Verb.SERVER_CERTIFY in view.may),
        "mounts": [_mount(each, view) for each in server.mounts],
    }


def _seen(view: ServerView, stands: standing.Standing) -> str:
    """A word for what the buttons depend on: where it differs from the page's, the buttons are shown anew."""
    server = view.server
    return f"{server.state}-{server.power}-{server.observed}-{stands.word}-{len(view.grants)}"


def _version(view: ServerView, stands: standing.Standing) -> str:
    """A word for everything that changes by itself, so that a page that has it is sent nothing."""
    row = view.server
    heard = (row.last_heartbeat_at, row.session_expires_at, row.address, row.os_version, row.mounts, row.ssh_host)
    return hashlib.sha256(repr((_seen(view, stands), stands, heard)).encode()).hexdigest()[:16]


def _consequences(view: ServerView) -> dict[str, list[str]]:
    """What each deed that takes something away does, in sentences."""
    count = len(view.grants)
    held = ngettext("its access to {count} data set", "its access to {count} data sets", count).format(count=count)
    is_ours = view.server.kind == ServerKind.CREATED
    machine = (
        gettext("Its machine is removed, with everything on its disk.")
        if is_ours
        else gettext("The machine itself stays as it is; Strongroom forgets its key, and it cannot come back with it.")
    )
    return {
        "disable": [
            gettext("Before the page answers, {held} is cut: mounts on it get errors at once.").format(held=held),
            gettext("Its grants stay. Enabling it gives back what has not ended until then."),
            gettext("Nobody can log in to it through Strongroom any more."),
        ],
        "delete": [
            gettext("Before the page answers, {held} ends for good.").format(held=held),
            machine,
            gettext("A record of it stays. Its name can be used again."),
        ],
    }


def _access(actor: Actor, view: ServerView, search: str, start: int) -> dict[str, Any]:  # a template's context
    shown, more = part(view.grants, start, GRANTS)
    rows = [(each, grants.permission(each.dataset), _may(Verb.GRANT_REVOKE, actor, view, each)) for each in shown]
    offered = _offered(actor, view, search)
    return {
        "grants": rows,
        "more": more,
        "offered": [(str(row.id), f"{row.name} ({word(row.kind)})") for row in offered.rows] if offered else [],
        "may_grant": offered is not None,
        "search": search,
        "has_more": bool(offered and offered.next_cursor),
        "is_staff_only": view.role is None,
    }


def _may(verb: Verb, actor: Actor, view: ServerView, grant: Any) -> bool:  # a row, whose class the edges do not know
    is_creator = grant.dataset.created_by_id == actor.person_id
    return authz.RULES[verb].admits(view.role, actor.staff_role, is_creator=is_creator)


def _offered(actor: Actor, view: ServerView, search: str) -> Page[Any] | None:
    """The finalized data sets that this person can give the server; None where they can give none at all."""
    rule, role = authz.RULES[Verb.GRANT_CREATE], view.role
    if view.server.state == ServerState.DELETED or not rule.admits(role, actor.staff_role, is_creator=True):
        return None
    found = datasets.list_(actor, space_id=view.server.space_id, state=State.FINALIZED, search=search, limit=GRANTABLE)
    held = {each.dataset_id for each in view.grants}
    is_own = role is Role.RESEARCHER
    rows = [row for row in found.rows if row.id not in held and (not is_own or row.created_by_id == actor.person_id)]
    return Page(rows, found.next_cursor)


def _mount(mount: dict[str, Any], view: ServerView) -> dict[str, Any]:  # what the agent said, as it is kept
    granted = {each.dataset.repository: each.dataset for each in view.grants}
    dataset = granted.get(mount["repository"])
    health = MountHealth(mount["health"])
    return {
        **mount,
        "checked_at": datetime.fromisoformat(mount["checked_at"]),
        "dataset": dataset,
        "wrong": "" if dataset and health is MountHealth.OK else _wrong(mount, is_granted=dataset is not None),
        "remedy": _remedy(mount, health, is_granted=dataset is not None),
    }


def _wrong(mount: dict[str, Any], *, is_granted: bool) -> str:
    if not is_granted:
        return gettext("The server has no access to this data set any more.")
    return mount["detail"] or gettext("It is {health}.").format(health=word(mount["health"]))


def _remedy(mount: dict[str, Any], health: MountHealth, *, is_granted: bool) -> str:
    """What to type on the server; empty where nothing is wrong."""
    if not is_granted:
        return f"strongroom umount {mount['path']}"
    if health is MountHealth.OK:
        return ""
    anew = f"strongroom mount {mount['repository']} {mount['path']}"
    return anew if health is MountHealth.MISSING else f"strongroom umount {mount['path']} && {anew}"
