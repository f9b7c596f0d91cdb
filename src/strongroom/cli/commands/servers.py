"""`strongroom server …`: the machines of a space, made by Strongroom or enrolled."""

from itertools import islice

import click

from strongroom.cli import asking, find, offerings, server_page, waiting, words
from strongroom.cli.deeds import Handler, Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import OperatingSystem, ServerKind, ServerState, Verb

COLUMNS = (
    Column("ID", lambda item: words.short_id(item["id"])),
    Column("NAME", lambda item: item["name"], shrinks=True),
    Column("STATE", lambda item: server_page.standing(item).word),
    Column("LAST HEARD", lambda item: words.ago(item["last_heartbeat_at"]) or "never"),
    Column("KIND", lambda item: item["kind"]),
    Column("OS", lambda item: item["os"]),
    Column("ADDRESS", lambda item: item["address"]),
    Column("OWNER", lambda item: item["owner"], shrinks=True),
    Column("SPACE", lambda item: item["space_name"], shrinks=True),
)


@click.group(cls=Noun)
def server() -> None:
    """Servers: create or enrol, look after, disable, delete.

    SERVER is an id, the beginning of one (4 characters or more) or an exact name.
    """


def described(handler: Handler) -> Handler:
    """The options of what a server is."""
    handler = click.option("--description", help="What it is for.")(handler)
    return click.option("--owner", metavar="E-MAIL", help="The member who answers for it; you, if left out.")(handler)


def waits(handler: Handler) -> Handler:
    """The options of commands whose machine takes a while."""
    handler = click.option("--wait", is_flag=True, help="Return when it is done.")(handler)
    return click.option(
        "--timeout", type=click.FloatRange(1), metavar="SECONDS", help="Stop waiting after so long; the host goes on."
    )(handler)


@deed(server, Verb.SERVER_OFFERINGS, examples=["strongroom server offerings"])
def offerings_(session: Session) -> None:
    """List which servers can be created, with prices."""
    session.out.rows(
        offerings.all_of(session.api),
        offerings.COLUMNS,
        empty="No host is set up on which servers could be made. Enrol a machine with `strongroom server enrol`.",
    )


@deed(
    server,
    Verb.SERVER_CREATE,
    examples=[
        "strongroom server create 'Heart study' genomics-1 --offering linux-small",
        "strongroom server create 'Heart study' genomics-1 --offering linux-small --yes --wait",
    ],
)
@click.argument("space")
@click.argument("name")
@click.option("--offering", help="Which one; see `server offerings`.")
@described
@click.option("--yes", is_flag=True, help="Take the price without being asked.")
@waits
def create(
    session: Session,
    space: str,
    name: str,
    offering: str | None,
    owner: str | None,
    description: str | None,
    yes: bool,
    wait: bool,
    timeout: float | None,
) -> None:
    """Create a server in a space.

    Size and price are shown first. It is made in the background, and joins by itself.
    """
    found = find.space(session.api, space)
    chosen = offerings.chosen(session.api, offering)
    owner_id = find.member(session.api, found["id"], owner)["id"] if owner else None
    asking.for_yes(session, f"{name} in {found['name']}: {offerings.described(chosen)}.", is_given=yes)
    body = {"name": name, "offering": chosen["name"], "description": description, "owner_id": owner_id}
    made = session.api.create(path("spaces", found["id"], "servers"), body)
    if wait:
        made = waiting.for_server(session, made, waiting.has_joined, seconds=timeout)
    session.out.done(
        made,
        f"{name} is there, and has joined {found['name']}." if wait else f"{name} is being made.",
        *([f"strongroom ssh {name}"] if wait else [f"strongroom server show {name}"]),
        f"strongroom grant create DATASET {name}",
    )


@deed(
    server,
    Verb.SERVER_ENROL,
    examples=[
        "strongroom server enrol 'Heart study' genomics-2",
        "strongroom server enrol 'Heart study' desk-9 --os windows --owner ada@example.org",
    ],
)
@click.argument("space")
@click.argument("name")
@click.option(
    "--os",
    type=click.Choice([each.value for each in OperatingSystem]),
    default=OperatingSystem.LINUX.value,
    show_default=True,
    help="What the machine runs.",
)
@described
def enrol(session: Session, space: str, name: str, os: str, owner: str | None, description: str | None) -> None:
    """Have a machine that is there join a space.

    Prints the one command to run on it as root. It works once, within minutes.
    """
    found = find.space(session.api, space)
    owner_id = find.member(session.api, found["id"], owner)["id"] if owner else None
    body = {"name": name, "os": os, "description": description, "owner_id": owner_id}
    _hand_over(session, session.api.create(path("spaces", found["id"], "enrolments"), body))


@deed(server, Verb.SERVER_REJOIN, examples=["strongroom server rejoin genomics-2"])
@click.argument("server")
def rejoin(session: Session, server: str) -> None:
    """Print a new join command for an enrolled server.

    When it is used, the server's old key stops working. Its grants stay.
    """
    found = find.server(session.api, server)
    _hand_over(session, session.api.create(path("servers", found["id"], "rejoin")))


@deed(
    server,
    Verb.SERVER_LIST,
    examples=["strongroom server list --space 'Heart study'", "strongroom server list --state lapsed --json"],
)
@click.option("--space", help="Only of this space.")
@click.option("--kind", type=click.Choice([kind.value for kind in ServerKind]), help="Only of this kind.")
@click.option("--state", type=click.Choice([state.value for state in ServerState]), help="Only in this state.")
@click.option("--search", help="Part of a name, a host name or an address.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(
    session: Session, space: str | None, kind: str | None, state: str | None, search: str | None, limit: int | None
) -> None:
    """List the servers you may see.

    Deleted ones only with `--state deleted`.
    """
    space_id = find.space(session.api, space)["id"] if space else None
    filters = {"space_id": space_id, "kind": kind, "state": state, "search": search}
    found = (item for item in session.api.each("/servers", filters) if state or item["state"] != ServerState.DELETED)
    listed = list(islice(found, limit))
    session.out.rows(listed, COLUMNS, empty="No servers. Create one with `strongroom server create SPACE NAME`.")


@deed(server, Verb.SERVER_SHOW, examples=["strongroom server show genomics-1"])
@click.argument("server")
def show(session: Session, server: str) -> None:
    """Show one server: how it is, its grants and mounts."""
    found = session.api.get(path("servers", find.server(session.api, server)["id"]))
    if session.out.is_json or session.out.is_quiet:
        session.out.record(found, ())
    else:
        server_page.show(session.out, found)


@deed(server, Verb.SERVER_EDIT, examples=["strongroom server edit genomics-1 --owner grace@example.org"])
@click.argument("server")
@click.option("--name", help="A new name.")
@click.option("--description", help="What it is for.")
@click.option("--owner", metavar="E-MAIL", help="The member who is to answer for it.")
def edit(session: Session, server: str, name: str | None, description: str | None, owner: str | None) -> None:
    """Change name, description or owner."""
    changes: Json = {key: value for key, value in (("name", name), ("description", description)) if value is not None}
    if not changes and not owner:
        raise usage("Nothing to change was given.", "See `strongroom server edit --help`.")
    found = find.server(session.api, server)
    if owner:
        changes["owner_id"] = find.member(session.api, found["space_id"], owner)["id"]
    changed = session.api.patch(path("servers", found["id"]), changes)
    session.out.done(changed, f"{changed['name']} is changed.")


@deed(server, Verb.SERVER_START, examples=["strongroom server start genomics-1 --wait"])
@click.argument("server")
@waits
def start(session: Session, server: str, wait: bool, timeout: float | None) -> None:
    """Start the machine of a created server."""
    found = find.server(session.api, server)
    changed = session.api.post(path("servers", found["id"], "start"))
    if wait:
        changed = waiting.for_server(session, changed, waiting.is_running, seconds=timeout)
    session.out.done(changed, f"{found['name']} {'runs' if wait else 'is being started'}.")


@deed(server, Verb.SERVER_STOP, examples=["strongroom server stop genomics-1"])
@click.argument("server")
@waits
def stop(session: Session, server: str, wait: bool, timeout: float | None) -> None:
    """Stop the machine of a created server; its disk stays."""
    found = find.server(session.api, server)
    changed = session.api.post(path("servers", found["id"], "stop"))
    if wait:
        changed = waiting.for_server(session, changed, waiting.is_stopped, seconds=timeout)
    session.out.done(changed, f"{found['name']} {'is stopped' if wait else 'is being stopped'}.")


@deed(server, Verb.SERVER_DISABLE, examples=["strongroom server disable genomics-1 --reason 'laptop was stolen'"])
@click.argument("server")
@click.option("--reason", required=True, help="Why; it stays in the ledger.")
def disable(session: Session, server: str, reason: str) -> None:
    """Take all access away from a server, now.

    Its grants stay, and work again once it is enabled.
    """
    found = find.server(session.api, server)
    changed = session.api.post(path("servers", found["id"], "disable"), {"reason": reason})
    session.out.done(
        changed,
        f"{found['name']} reaches no data set any more.",
        f"strongroom server enable {found['name']}",
        title="To give it back:",
    )


@deed(server, Verb.SERVER_ENABLE, examples=["strongroom server enable genomics-1"])
@click.argument("server")
def enable(session: Session, server: str) -> None:
    """Give a disabled or lapsed server its access back."""
    found = find.server(session.api, server)
    changed = session.api.post(path("servers", found["id"], "enable"))
    granted = words.counted(len(changed["grants"]), "data set")
    session.out.done(changed, f"{found['name']} is {changed['state']}, with access to {granted}.")


@deed(server, Verb.SERVER_DELETE, examples=["strongroom server delete genomics-1 --reason 'study ended'"])
@click.argument("server")
@click.option("--reason", required=True, help="Why; it stays in the ledger.")
@click.option("--confirm", metavar="NAME", help="Its exact name, instead of being asked.")
def delete(session: Session, server: str, reason: str, confirm: str | None) -> None:
    """Delete a server: its access, then its machine.

    Of an enrolled one only the access: the machine itself is yours.
    """
    found = find.server(session.api, server)
    is_ours = found["kind"] == ServerKind.CREATED
    goes = "and its machine with its disk go" if is_ours else "go; the machine itself stays as it is"
    consequence = f"All access of {found['name']} {goes}. This cannot be undone."
    asking.for_name(session, found["name"], consequence=consequence, given=confirm)
    ended = session.api.delete(path("servers", found["id"]), {"reason": reason})
    session.out.done(ended, f"{found['name']} is deleted{' and its machine is being removed' if is_ours else ''}.")


def _hand_over(session: Session, made: Json) -> None:
    name, command = made["server"]["name"], made.get("join_command")
    if session.out.is_json:
        session.out.json(made)
    elif not command:
        session.out.done(made["server"], f"{name} is enrolled.")
        session.out.warn(str(made.get("note") or "Its join command was shown before, and is not shown again."))
    elif session.out.is_quiet:
        session.out.text(command)
    else:
        where = "as root" if made["server"]["os"] == OperatingSystem.LINUX else "in an elevated PowerShell"
        session.out.done(made["server"], f"{name} is expected. Run this on the machine, {where}:")
        session.out.command(command)
        session.out.note(
            f"It works once, until {words.moment(made['expires_at'])}. Whoever has it can join in the machine's place."
        )
        session.out.steps(f"strongroom server show {name}")
