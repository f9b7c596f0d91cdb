"""`strongroom download`, and `sync --down`: what a pending data set holds into a folder, proved."""

import time
from collections import Counter
from typing import Any

import click

from strongroom.cli import asking, find, moving, words
from strongroom.cli.commands.mover_options import taking
from strongroom.cli.deeds import command
from strongroom.cli.exits import Exit
from strongroom.cli.lease import Lease
from strongroom.cli.output import Json
from strongroom.cli.problems import Problem, usage
from strongroom.cli.progress import Progress
from strongroom.cli.recorded_digests import Recorded
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Direction, State
from strongroom.movers.download import Download, Full, Order
from strongroom.movers.options import DOWNLOAD, LABEL, ONLY_UP
from strongroom.movers.patterns import Selection
from strongroom.movers.retrying import Patience
from strongroom.movers.tally import Tally


def add_to(group: click.Group) -> None:
    """Hang it below the root."""
    examples = (
        "strongroom download 'Cohort 2025' ./copy",
        "strongroom download 'Cohort 2025' ./copy --from scans/ --exclude '*.tmp' --dry-run",
    )
    command(group, "download", examples=examples)(download)


@click.argument("dataset")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--from", "prefix", metavar="FOLDER", default="", help="A folder of the data set; all if left out.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there and are other ones.")
@taking((*DOWNLOAD, LABEL))
def download(
    session: Session,
    dataset: str,
    folder: str,
    prefix: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    overwrite: bool,
    limit: float | None,
    is_dry_run: bool,
    patience: float,
    label: str,
) -> None:
    """Download a pending data set into a folder.

    Every file is compared with the SHA-256 that was taken when it was uploaded, where `strongroom upload` sent it, else
    with the checksum of the store. Run again after a break, it goes on where it stopped. A
    finalized data set is read on a server that was granted access: `strongroom download` there.
    """
    order = Order(
        folder,
        prefix=f"{prefix.strip('/')}/" if prefix.strip("/") else "",
        selection=Selection(include, exclude),
        overwrites=overwrite,
        bytes_per_second=limit,
    )
    found = find.dataset(session.api, dataset)
    run(session, found, order, Patience(patience * 60.0), label=label, is_dry_run=is_dry_run)


def sync(session: Session, folder: str, dataset: str, options: dict[str, Any]) -> None:
    """Make a folder hold what a pending data set holds."""
    for name, option in ONLY_UP.items():
        if options[name]:
            raise usage(f"With --down, {option} has no meaning.", "Leave it out.")
    into = options["into"].strip("/")
    order = Order(
        folder,
        prefix=f"{into}/" if into else "",
        selection=Selection(options["include"], options["exclude"]),
        overwrites=True,
        deletes=options["is_deleting"],
        trusts_times=not options["is_careful"],
        threads=min(options["threads"], Order.threads),
        bytes_per_second=options["limit"],
    )
    found = find.dataset(session.api, dataset)
    if order.deletes and not options["is_dry_run"]:
        consequence = f"Files of {folder} that are not in {found['name']} are deleted here, for good."
        asking.for_name(session, found["name"], consequence=consequence, given=options["confirm"])
    patience = Patience(options["patience"] * 60.0)
    run(session, found, order, patience, label=options["label"], is_dry_run=options["is_dry_run"])


def run(
    session: Session,
    dataset: Json,
    order: Order,
    patience: Patience,
    *,
    label: str,
    is_dry_run: bool,
) -> None:
    """Bring it. Raises Problem for every end but a full success."""
    if dataset["state"] != State.PENDING:
        raise Problem(
            f"{dataset['name']} is {dataset['state']}: it is read only on servers that were granted access.",
            Exit.CONFLICT,
            f"On such a server: `strongroom download {words.short_id(dataset['id'])} FOLDER`. "
            "`strongroom grant create` gives a server access.",
            code="not-pending",
        )
    with moving.ends():
        lease = Lease(session.api, dataset, label=label, direction=Direction.DOWNLOAD)
        tally = Tally()
        progress = Progress(session, tally)
        mover = Download(order, lease.repository(patience), None, progress.tell, tally=tally)
        try:
            if is_dry_run:
                _rehearse(session, mover)
                return
            with Recorded(session.api, dataset["id"]) as mover.recorded, progress:
                mover.run()
        except Full as problem:
            raise Problem(
                f"There is not enough room: {problem}.",
                Exit.UNEXPECTED,
                "Make room, or choose another folder.",
                code="full",
            ) from problem
        finally:
            moving.close_quietly(lease, tally)
        _summary(session, dataset, mover)


def _rehearse(session: Session, mover: Download) -> None:
    counts: Counter[str] = Counter()
    for each in mover.rehearse():
        counts[each.step] += 1
        if each.step != "keep" and not session.out.is_quiet and not session.out.is_json:
            print(f"{each.step:8}{words.size(each.size_bytes):>10}  {words.plain(each.key)}")
    found = {"dry_run": True, **{step: counts[step] for step in ("receive", "compare", "keep", "refuse", "delete")}}
    sentence = (
        f"Nothing was done. {words.counted(counts['receive'], 'file')} would come, {counts['compare']:,} compared, "
    )
    sentence += f"{counts['keep']:,} left as they are, {counts['refuse']:,} refused, {counts['delete']:,} deleted here."
    session.out.done(found, sentence)


def _summary(session: Session, dataset: Json, mover: Download) -> None:
    tally = mover.tally
    seconds = time.monotonic() - tally.began
    compared = {word or "size alone": count for word, count in sorted(mover.compared.items())}
    facts = {
        "received_files": tally.sent_files,
        "received_bytes": tally.sent_bytes,
        "here_already": tally.kept_files,
        "deleted": tally.deleted_files,
        "problem_count": tally.problems,
        "compared_by": compared,
        "seconds": round(seconds, 1),
    }
    size = words.size(tally.sent_bytes)
    rate = words.size(round(tally.moved_bytes / max(seconds, 0.001)))
    sentence = f"{words.counted(tally.sent_files, 'file')} ({size}) of {dataset['name']} came, {tally.kept_files:,} "
    sentence += f"were here already; {words.elapsed(seconds)}, {rate}/s."
    by = ", ".join(f"{count:,} by {word}" for word, count in compared.items())
    if tally.problems:
        if session.out.is_json:
            session.out.json(facts)
        else:
            session.out.note(sentence)
        raise Problem(
            f"Not everything is here: {words.counted(tally.problems, 'file')} named above did not come.",
            Exit.INCOMPLETE,
            "Mend what is named and run the same command again: it brings only what is missing.",
            code="incomplete",
        )
    session.out.done(facts, sentence)
    if by:
        session.out.note(f"Compared: {by}.")
