"""`strongroom grant …`: which servers may touch which data sets, since when, until when, and why."""

from datetime import datetime

import click

from strongroom.cli import ends, find, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

ACCESS = {"read": "read only", "write": "read and write"}
CAN = {"read": "can read", "write": "can read and write"}
COLUMNS = (
    Column("DATA SET", lambda item: item["dataset_name"], shrinks=True),
    Column("SERVER", lambda item: item["server_name"], shrinks=True),
    Column("ACCESS", lambda item: ACCESS[item["access"]]),
    Column("SINCE", lambda item: words.moment(item["created_at"])[:10]),
    Column("UNTIL", lambda item: until(item)),
    Column("STATUS", lambda item: status(item)),
    Column("BY", lambda item: item["created_by"], shrinks=True),
    Column("REASON", lambda item: item["reason"], shrinks=True),
)


@click.group(cls=Noun)
def grant() -> None:
    """Grants: give servers access to finalized data sets, and revoke it.

    A server of the same space reads an original, and reads and writes a derivative; never `_attachments/`.
    """


@deed(
    grant,
    Verb.GRANT_CREATE,
    examples=[
        "strongroom grant create 'Cohort 2024' genomics-1 --for 30d --reason 'second analysis'",
        "strongroom grant create Means genomics-1 --until 2026-12-31",
    ],
)
@click.argument("dataset")
@click.argument("server")
@ends.choosable
@click.option("--reason", help="Why; it stays with the grant and in the ledger.")
def create(
    session: Session, dataset: str, server: str, until: datetime | None, span: str | None, reason: str | None
) -> None:
    """Give a server access to a data set.

    It works when this returns, on a server that is active.
    """
    end = ends.chosen(until, span)
    found, machine = _both(session, dataset, server)
    body = {"server_id": machine["id"], "reason": reason, "expires_at": end}
    made = session.api.create(path("datasets", found["id"], "grants"), body)
    session.out.done(
        made,
        f"{made['server_name']} {CAN[made['access']]} {made['dataset_name']}{_ending(made)}.",
        f"sudo strongroom mount {made['repository']} /mnt/{words.short_id(made['dataset_id'])}",
        title="Next, on the server:",
    )
    if made["server_state"] != "active":
        session.out.note(f"{made['server_name']} is {made['server_state']}: it has the access as soon as it is active.")


@deed(
    grant,
    Verb.GRANT_LIST,
    examples=["strongroom grant list --dataset 'Cohort 2024'", "strongroom grant list --server genomics-1 --all"],
)
@click.option("--dataset", help="The grants of this data set.")
@click.option("--server", help="The grants of this server.")
@click.option("--all", "is_all", is_flag=True, help="Also those that have ended.")
def list_(session: Session, dataset: str | None, server: str | None, is_all: bool) -> None:
    """List grants, of a data set or of a server."""
    if not dataset and not server:
        raise usage("Whose grants? Name a data set or a server.", "Say --dataset DATASET or --server SERVER.")
    found = find.dataset(session.api, dataset) if dataset else None
    machine = find.server(session.api, server, space_id=found["space_id"] if found else None) if server else None
    params = {
        "dataset_id": found["id"] if found else None,
        "server_id": machine["id"] if machine else None,
        "is_live": None if is_all else "true",
    }
    whose = " and ".join(thing["name"] for thing in (found, machine) if thing)
    session.out.rows(
        session.api.items("/grants", params),
        COLUMNS,
        empty=f"{whose}: no grants{'' if is_all else ' now; --all shows those that have ended'}. "
        "Give access with `strongroom grant create DATASET SERVER`.",
    )


@deed(
    grant,
    Verb.GRANT_EDIT,
    examples=[
        "strongroom grant edit 'Cohort 2024' genomics-1 --for 6w",
        "strongroom grant edit 'Cohort 2024' genomics-1 --no-end",
    ],
)
@click.argument("dataset")
@click.argument("server")
@ends.choosable
@click.option("--no-end", is_flag=True, help="It lasts until it is revoked.")
def edit(session: Session, dataset: str, server: str, until: datetime | None, span: str | None, no_end: bool) -> None:
    """Change when a grant ends by itself."""
    end = ends.chosen(until, span)
    if no_end == bool(end):
        raise usage("When shall it end?", "Say one of --until YYYY-MM-DD, --for SPAN and --no-end.")
    found, machine = _both(session, dataset, server)
    changed = session.api.patch(_place(found, machine), {"expires_at": end})
    named = f"The access of {changed['server_name']} to {changed['dataset_name']}"
    session.out.done(changed, f"{named} {'lasts' + _ending(changed) if end else 'has no end'}.")


@deed(
    grant,
    Verb.GRANT_REVOKE,
    examples=["strongroom grant revoke 'Cohort 2024' genomics-1 --reason 'agreement ended'"],
)
@click.argument("dataset")
@click.argument("server")
@click.option("--reason", help="Why; it stays with the grant and in the ledger. Staff must say.")
def revoke(session: Session, dataset: str, server: str, reason: str | None) -> None:
    """Take a server's access to a data set away, now.

    When this returns, not one further request of the server succeeds; an open mount gets errors, not data.
    """
    found, machine = _both(session, dataset, server)
    ended = session.api.delete(_place(found, machine), {"reason": reason})
    session.out.done(
        ended,
        f"{ended['server_name']} has no access to {ended['dataset_name']} any more.",
        f"strongroom grant create {words.short_id(found['id'])} {machine['name']}",
        title="To give it back:",
    )


def until(item: Json) -> str:
    """When a grant ends by itself."""
    return words.moment(item.get("expires_at")) or "no end"


def status(item: Json) -> str:
    """Whether a grant works, and if not, why."""
    if item.get("ended_at"):
        who = f" by {item['ended_by']}" if item.get("ended_by") else ""
        return f"{item['end']} {words.moment(item['ended_at'])[:10]}{who}"
    return "works" if item["server_state"] == "active" else f"server {item['server_state']}"


def sentence(item: Json) -> str:
    """What a live grant allows, and what limits it: `read only, until 2026-12-31 00:00 UTC`."""
    limits = [ACCESS[item["access"]]]
    if item.get("expires_at"):
        limits.append(f"until {until(item)}")
    if item["server_state"] != "active":
        limits.append(f"the server is {item['server_state']}")
    return ", ".join(limits)


def _both(session: Session, dataset: str, server: str) -> tuple[Json, Json]:
    found = find.dataset(session.api, dataset)
    return found, find.server(session.api, server, space_id=found["space_id"])


def _place(dataset: Json, server: Json) -> str:
    return path("datasets", dataset["id"], "grants", server["id"])


def _ending(made: Json) -> str:
    return f" until {words.moment(made['expires_at'])}" if made.get("expires_at") else ""
