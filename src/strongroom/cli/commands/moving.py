"""`strongroom upload` and `strongroom sync`: files of a folder into a data set, resumed, proved and counted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from strongroom.cli import asking, find, moving
from strongroom.cli.commands import downloading
from strongroom.cli.commands.mover_options import taking
from strongroom.cli.deeds import Handler, command
from strongroom.cli.moving import Wish
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.movers import names, walk
from strongroom.movers.options import SYNC, UPLOAD, Option
from strongroom.movers.patterns import Selection
from strongroom.movers.upload import Order

_UPLOADS = (
    "strongroom upload ./cohort 'Cohort 2025'",
    "strongroom upload ./cohort 'Cohort 2025' --dry-run",
    "strongroom upload ./night 'Cohort 2025' --into scans/2025-11 --exclude '*.tmp' --limit 50MB",
)
_SYNCS = (
    "strongroom sync ./cohort 'Cohort 2025'",
    "strongroom sync ./cohort 'Cohort 2025' --delete --dry-run",
    "strongroom sync --down ./copy 'Cohort 2025'",
)


def add_to(group: click.Group) -> None:
    """Hang both below the root."""
    command(group, "upload", examples=_UPLOADS)(_arguments(UPLOAD, upload))
    command(group, "sync", examples=_SYNCS)(_arguments(SYNC, sync))


def upload(session: Session, folder: str, dataset: str, **options: Any) -> None:
    """Upload a folder into a pending data set.

    Run again after a break, it goes on where it stopped. Nothing is deleted there.
    """
    _move(session, folder, dataset, options)


def sync(session: Session, folder: str, dataset: str, **options: Any) -> None:
    """Make a pending data set hold what a folder holds.

    As `upload`; with --delete, files that the folder does not hold go. With --down the folder is made to hold what the
    data set holds.
    """
    if options.pop("is_down"):
        downloading.sync(session, folder, dataset, options)
    else:
        _move(session, folder, dataset, options)


def _move(session: Session, folder: str, dataset: str, options: dict[str, Any]) -> None:
    wish = _wish(folder, options)
    if wish.order.deletes and Path(folder).is_file():
        raise usage(f"{folder} is a file: with --delete, all else would go.", "Name a folder, or leave --delete out.")
    found = find.dataset(session.api, dataset)
    if options["is_abort"]:
        moving.abort(session, found, wish)
    elif options["is_dry_run"]:
        moving.rehearse(session, found, wish)
    else:
        if wish.order.deletes:
            consequence = f"Files of {found['name']} that are not in {folder} are deleted there, for good."
            asking.for_name(session, found["name"], consequence=consequence, given=options["confirm"])
        moving.upload(session, found, wish)


def _wish(folder: str, options: dict[str, Any]) -> Wish:
    try:
        prefix = names.prefix(options["into"])
    except ValueError as problem:
        raise usage(f"--into {problem}.") from None
    order = Order(
        folder,
        prefix=prefix,
        selection=Selection(options["include"], options["exclude"]),
        links=options["links"] or walk.REPORT,
        trusts_times=not options["is_careful"],
        deletes=options.get("is_deleting", False),
        threads=options["threads"],
        bytes_per_second=options["limit"],
    )
    return Wish(order, options["label"], options["patience"] * 60.0, options["manifest"])


def _arguments(options: Sequence[Option], handler: Handler) -> Handler:
    taken = taking(options)(handler)
    return click.argument("folder", type=click.Path())(click.argument("dataset")(taken))
