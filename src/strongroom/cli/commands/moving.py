"""`strongroom upload` and `strongroom sync`: files of a folder into a data set, resumed, proved and counted."""

from pathlib import Path
from typing import Any

import click

from strongroom.cli import asking, find, moving
from strongroom.cli.commands import downloading
from strongroom.cli.commands.rates import Rate
from strongroom.cli.deeds import Handler, command
from strongroom.cli.moving import Wish
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.movers import names, walk
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
    command(group, "upload", examples=_UPLOADS)(_arguments(upload))
    command(group, "sync", examples=_SYNCS)(_deleting(_arguments(sync)))


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


def _arguments(handler: Handler) -> Handler:
    for option in reversed(
        (
            click.argument("folder", type=click.Path()),
            click.argument("dataset"),
            click.option("--into", metavar="FOLDER", default="", help="A folder of the data set; its top if left out."),
            click.option("--include", metavar="PATTERN", multiple=True, help="Only files that fit, such as '*.dcm'."),
            click.option("--exclude", metavar="PATTERN", multiple=True, help="No files that fit, such as 'cache/'."),
            click.option("--follow-links", "links", flag_value=walk.FOLLOW, help="Upload what links lead to."),
            click.option("--skip-links", "links", flag_value=walk.SKIP, help="Leave links out."),
            click.option("--dry-run", "is_dry_run", is_flag=True, help="Say what would be done, and do nothing."),
            click.option("--limit", type=Rate(), help="At most so many bytes a second, such as 50MB."),
            click.option("--read-all", "is_careful", is_flag=True, help="Also read files that seem unchanged."),
            click.option(
                "--patience",
                metavar="MINUTES",
                type=click.FloatRange(0),
                default=15,
                show_default=True,
                help="How long nothing may move, silence and pauses together, before it ends.",
            ),
            click.option(
                "--threads",
                type=click.IntRange(1, 128),
                default=64,
                show_default=True,
                help="How many requests at once.",
            ),
            click.option("--label", default="", help="A word in the ledger that tells this transfer from others."),
            click.option(
                "--manifest",
                metavar="FILE",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Where the transfer manifest goes.",
            ),
            click.option("--abort", "is_abort", is_flag=True, help="Clean up what an earlier run began; forget it."),
        )
    ):
        handler = option(handler)
    return handler


def _deleting(handler: Handler) -> Handler:
    for option in (
        click.option("--confirm", metavar="NAME", help="The data set's exact name, instead of being asked."),
        click.option("--delete", "is_deleting", is_flag=True, help="Delete there what the folder does not hold."),
        click.option("--down", "is_down", is_flag=True, help="The other way: the folder follows the data set."),
    ):
        handler = option(handler)
    return handler
