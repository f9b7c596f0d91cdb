"""`strongroom dataset finalize`, `promote`, `delete` and the path of deletion: what changes a data set's state."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from strongroom.cli import asking, find, waiting, words
from strongroom.cli.commands.datasets import DATE, dataset
from strongroom.cli.deeds import Handler, deed
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

NOT_OBEYED_YET = "not-obeyed-yet"  # the server's word for: it stands in the rows, and is tried again


def waits(handler: Handler) -> Handler:
    """Options of commands that follow what the server does in the background."""
    handler = click.option("--no-wait", is_flag=True, help="Return at once; the server goes on.")(handler)
    return click.option(
        "--timeout", type=click.FloatRange(1), metavar="SECONDS", help="Stop waiting after so long; the server goes on."
    )(handler)


def confirmed(handler: Handler) -> Handler:
    """The option of commands that ask for the data set's name."""
    return click.option("--confirm", metavar="NAME", help="Its exact name, instead of being asked.")(handler)


def freezes(handler: Handler) -> Handler:
    """Options of finalize and promote."""
    handler = click.option("--allow-empty", is_flag=True, help="Also when there is nothing in it.")(handler)
    return click.option(
        "--lock-until",
        type=DATE,
        metavar="YYYY-MM-DD",
        help="Nobody at all, administrators included, can delete an object until this day has ended (UTC).",
    )(handler)


@deed(
    dataset,
    Verb.DATASET_FINALIZE,
    examples=[
        "strongroom dataset finalize 'Cohort 2024'",
        "strongroom dataset finalize 9ec7c0b6 --confirm 'Cohort 2024' --lock-until 2035-12-31",
    ],
)
@click.argument("dataset")
@confirmed
@freezes
@waits
def finalize(session: Session, dataset: str, **how: object) -> None:
    """End the upload for good.

    Keys die, an original is frozen, a manifest is made and signed.
    """
    found = find.dataset(session.api, dataset)
    ends = "no file can be added, changed or deleted any more" if found["kind"] == "original" else "its key dies"
    _freeze(session, found, "finalize", f"Finalizing {found['name']}: {ends}. This cannot be undone.", how)


@deed(dataset, Verb.DATASET_PROMOTE, examples=["strongroom dataset promote Means --confirm Means"])
@click.argument("dataset")
@confirmed
@freezes
@waits
def promote(session: Session, dataset: str, **how: object) -> None:
    """Make a derivative an original, frozen for good."""
    found = find.dataset(session.api, dataset)
    consequence = f"{found['name']} becomes an original: nobody can change its files any more. This cannot be undone."
    _freeze(session, found, "promote", consequence, how)


@deed(dataset, Verb.DATASET_DELETE, examples=["strongroom dataset delete 'Cohort 2024' --reason 'wrong space'"])
@click.argument("dataset")
@click.option("--reason", default="", help="Why; it stays in the ledger.")
@confirmed
@waits
def delete(session: Session, dataset: str, reason: str, confirm: str | None, **waits: object) -> None:
    """Delete a pending data set with everything in it."""
    found = find.dataset(session.api, dataset)
    consequence = f"Everything in {found['name']} will be deleted. This cannot be undone."
    name = asking.for_name(session, found["name"], consequence=consequence, given=confirm)
    params = {"confirm_name": name, "reason": reason or None}
    changed = _asked(session, found, waits, lambda: session.api.delete(path("datasets", found["id"]), params))
    _deleted(session, changed, waits)


@deed(
    dataset,
    Verb.DATASET_REQUEST_DELETION,
    examples=["strongroom dataset request-deletion 'Cohort 2024' --reason 'agreement ended'"],
)
@click.argument("dataset")
@click.option("--reason", required=True, help="Why; the person who confirms reads it.")
def request_deletion(session: Session, dataset: str, reason: str) -> None:
    """Ask for the end of a finalized data set.

    Nothing happens until a second person confirms.
    """
    found = find.dataset(session.api, dataset)
    changed = session.api.post(path("datasets", found["id"], "request-deletion"), {"reason": reason})
    session.out.done(
        changed,
        f"The deletion of {found['name']} is requested. A second person confirms it with:",
        f"strongroom dataset confirm-deletion {words.short_id(found['id'])}",
    )


@deed(dataset, Verb.DATASET_WITHDRAW_DELETION, examples=["strongroom dataset withdraw-deletion 'Cohort 2024'"])
@click.argument("dataset")
def withdraw_deletion(session: Session, dataset: str) -> None:
    """Take back a request for deletion."""
    found = find.dataset(session.api, dataset)
    changed = session.api.post(path("datasets", found["id"], "withdraw-deletion"))
    session.out.done(changed, f"{found['name']} stays.")


@deed(dataset, Verb.DATASET_CONFIRM_DELETION, examples=["strongroom dataset confirm-deletion 'Cohort 2024'"])
@click.argument("dataset")
@confirmed
@waits
def confirm_deletion(session: Session, dataset: str, confirm: str | None, **waits: object) -> None:
    """Confirm a deletion, as a second person.

    Files and keys go; a tombstone with the manifest's hash and the reason stays.
    """
    found = session.api.get(path("datasets", find.dataset(session.api, dataset)["id"]))
    asked = found.get("deletion") or {}
    why = f" {asked['requested_by']} asked for it: {asked.get('reason', '')}." if asked.get("requested_by") else ""
    consequence = f"Everything in {found['name']} will be deleted. This cannot be undone.{why}"
    name = asking.for_name(session, found["name"], consequence=consequence, given=confirm)
    where = path("datasets", found["id"], "confirm-deletion")
    changed = _asked(session, found, waits, lambda: session.api.post(where, {"confirm_name": name}))
    _deleted(session, changed, waits)


def _freeze(session: Session, found: Json, verb: str, consequence: str, how: Json) -> None:
    name = asking.for_name(session, found["name"], consequence=consequence, given=how["confirm"])
    body = {"confirm_name": name, "allow_empty": how["allow_empty"], "locked_until": _end_of(how["lock_until"])}
    changed = _asked(session, found, how, lambda: session.api.post(path("datasets", found["id"], verb), body))
    changed = _followed(session, changed, how, "finalized", "finalizing")
    if changed["state"] != "finalized":
        session.out.done(
            changed, f"{name} is being finalized.", f"strongroom dataset show {words.short_id(found['id'])}"
        )
        return
    content = (
        f"{words.counted(changed.get('object_count') or 0, 'object')}, {words.size(changed.get('size_bytes') or 0)}"
    )
    session.out.done(
        changed,
        f"{name} is finalized: {content}. Its manifest is {changed.get('manifest_sha256')}.",
        f"strongroom receipt show {words.short_id(found['id'])} --save DIR",
    )


def _deleted(session: Session, changed: Json, how: Json) -> None:
    changed = _followed(session, changed, how, "deleted", "deleting")
    is_over = changed["state"] == "deleted"
    session.out.done(changed, f"{changed['name']} is {'deleted' if is_over else 'being deleted'}.")


def _asked(session: Session, found: Json, how: Json, ask: Callable[[], Json]) -> Json:
    """Ask for it. Where it is written down and the storage engine has yet to obey, waiting is what helps."""
    try:
        return ask()
    except Problem as problem:
        if problem.code != NOT_OBEYED_YET or how["no_wait"]:
            raise
        session.out.warn(str(problem))
        return session.api.get(path("datasets", found["id"]))


def _followed(session: Session, changed: Json, how: Json, wanted: str, on_the_way: str) -> Json:
    if how["no_wait"]:
        return changed
    return waiting.for_state(session, changed, wanted, on_the_way=on_the_way, seconds=how["timeout"])


def _end_of(day: datetime | None) -> str | None:
    """The first moment after a day, in UTC: a lock until the 31st covers the 31st."""
    return (day.replace(tzinfo=UTC) + timedelta(days=1)).isoformat() if day else None
