"""`strongroom system …`: whether all parts of the installation work."""

import click

from strongroom.cli import words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.exits import Exit
from strongroom.cli.output import Json
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb


@click.group(cls=Noun)
def system() -> None:
    """The state of the installation."""


@deed(
    system,
    Verb.SYSTEM_STATUS,
    examples=["strongroom system status", "strongroom system status --quiet || page-someone"],
)
def status(session: Session) -> None:
    """Show whether all parts work.

    The storage engine, the worker and the database; exits 8 where one does not.
    """
    found = session.api.get("/system/status")
    session.out.record(found, _facts(found))
    if not found["is_healthy"]:
        broken = [str(part["part"]) for part in found["parts"] if not part["is_healthy"]]
        raise Problem(
            f"Not healthy: {', '.join(broken) or 'something'}.",
            Exit.UNAVAILABLE,
            "See the server's log.",
            code="unhealthy",
        )


def _facts(found: Json) -> list[tuple[str, object]]:
    waiting = found["unsettled_count"]
    since = words.moment(found.get("oldest_unsettled_at"))
    return [
        *((str(part["part"]), f"{'✓' if part['is_healthy'] else '✗'} {part['detail']}") for part in found["parts"]),
        ("unsettled", f"{words.counted(waiting, 'data set')}, since {since}" if waiting else "none"),
        ("ledger", f"entry {found['ledger_sequence']:,}, {found['ledger_hash']}"),
        ("version", found["version"]),
    ]
