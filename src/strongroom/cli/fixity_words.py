"""How fixity checks are found, and how they read for people."""

from typing import TYPE_CHECKING

from strongroom.cli import problems, words
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.cli.client import Api  # and with it httpx, which takes longer than what needs neither

DAMAGE = {
    "missing": "it is not there any more",
    "altered": "its content is not what it was",
    "unreadable": "the storage engine cannot read it",
}
COLUMNS = (
    Column("OBJECT", lambda item: item["key"]),
    Column("WHAT IS WRONG", lambda item: DAMAGE[item["damage"]]),
    Column("FOUND", lambda item: words.moment(item["found_at"])),
)


def one(api: "Api", dataset: Json, named: str | None) -> Json:
    """A check by its id or its beginning; the newest without one. Raises Problem."""
    for check in api.each(path("datasets", dataset["id"], "fixity")):
        if named is None or str(check["id"]).startswith(named.lower()):
            return check
    raise problems.not_found(
        f"{dataset['name']} has no {'such ' if named else ''}fixity check.",
        f"See `strongroom fixity list {words.short_id(dataset['id'])}`.",
    )


def in_full(api: "Api", dataset: Json, check: Json) -> Json:
    """The check with everything it found."""
    where = path("datasets", dataset["id"], "fixity", check["id"])
    told = api.get(where, {"limit": 500})
    while told["next_cursor"]:
        more = api.get(where, {"limit": 500, "cursor": told["next_cursor"]})
        told = {**more, "differences": [*told["differences"], *more["differences"]]}
    return told


def show(session: Session, dataset: Json, check: Json) -> None:
    """Its facts, and a table of what differs."""
    session.out.record(check, facts(dataset, check))
    if check["differences"] and not session.out.is_json and not session.out.is_quiet:
        session.out.heading("Not as in the manifest")
        session.out.table(check["differences"], COLUMNS)


def facts(dataset: Json, check: Json) -> list[tuple[str, object]]:
    """What a person wants to know of a check."""
    purpose = "completes the digests of what came without one" if check["completes_digests"] else "reads all of it"
    progress = f"{words.number(check['objects_done'])} of {words.counted(check['object_count'], 'object')}"
    return [
        ("data set", dataset["name"]),
        ("state", state(check)),
        ("what it does", purpose),
        ("asked", f"{words.moment(check['asked_at'])} by {check['asked_by'] or 'the calendar'}"),
        ("progress", progress),
        ("read", f"{words.counted(check['read_count'], 'object')}, {words.size(check['read_bytes'])}"),
        ("differences", words.number(check["difference_count"])),
        ("ended", words.moment(check["ended_at"])),
        ("goes on", words.moment(check["next_at"]) if check["last_error"] else None),
        ("trouble", check["last_error"]),
        ("id", check["id"]),
    ]


def state(check: Json) -> str:
    """The state with a mark once it is known how it ends."""
    mark = {"passed": "✓ ", "failed": "✗ "}.get(str(check["state"]), "")
    return f"{mark}{check['state']}"


def refuse_differences(dataset: Json, check: Json) -> None:
    """Raises Problem (exit 9) when the check found anything."""
    if check["difference_count"]:
        raise differing(dataset["name"], check["difference_count"])


def differing(name: str, count: int) -> Problem:
    """Some objects are not what the manifest says."""
    return problems.not_verified(
        f"{name}: {words.counted(count, 'object')} not as in the manifest.",
        "Keep everything as it is, and tell whoever operates the storage: a copy may be needed.",
    )
