"""`strongroom attachment …`: agreements and other documents kept with a data set."""

import time
from pathlib import Path
from typing import IO, cast

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn

from strongroom.cli import asking, find, words
from strongroom.cli.deeds import Handler, Noun, deed
from strongroom.cli.output import Column, Json, console
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session
from strongroom.core.vocabulary import AttachmentKind, Verb

COLUMNS = (
    Column("ID", lambda item: words.short_id(item["id"])),
    Column("TITLE", lambda item: item["title"], shrinks=True),
    Column("KIND", lambda item: item["kind"]),
    Column("FILE", lambda item: item["filename"], shrinks=True),
    Column("SIZE", lambda item: words.size(item.get("size_bytes")), is_right=True),
)
SUPERSEDED = Column("SUPERSEDED BY", lambda item: words.short_id(item.get("superseded_by")))
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Noun)
def attachment() -> None:
    """Agreements and other documents of a data set."""


def describes(handler: Handler) -> Handler:
    """What a document is called and what it is."""
    kinds = [kind.value for kind in AttachmentKind]
    handler = click.option("--kind", type=click.Choice(kinds), help="What it is; a data use agreement if left out.")(
        handler
    )
    return click.option("--title", help="What people see; the file's name if left out.")(handler)


@deed(
    attachment,
    Verb.ATTACHMENT_ADD,
    examples=["strongroom attachment add 'Cohort 2024' dua.pdf --title 'Agreement with the registry'"],
)
@click.argument("dataset")
@click.argument("file", type=FILE)
@describes
def add(session: Session, dataset: str, file: Path, title: str | None, kind: str | None) -> None:
    """Attach a document.

    It is read as it is sent, whatever its size.
    """
    found = find.dataset(session.api, dataset)
    fields = {"title": title or file.name, "kind": kind or AttachmentKind.DATA_USE_AGREEMENT.value}
    try:
        made = _send(session, path("datasets", found["id"], "attachments"), fields, file)
    except Problem as problem:
        if "title" in problem.fields and not title:
            session.out.note("The title is the file's name when none is given: rename the file, or give --title.")
        raise
    session.out.done(made, f"{made['filename']} is attached to {found['name']}: sha256 {made.get('sha256')}.")


@deed(attachment, Verb.ATTACHMENT_LIST, examples=["strongroom attachment list 'Cohort 2024'"])
@click.argument("dataset")
def list_(session: Session, dataset: str) -> None:
    """List the documents of a data set."""
    found = find.dataset(session.api, dataset)
    listed = session.api.items(path("datasets", found["id"], "attachments"))
    columns = (*COLUMNS, SUPERSEDED) if any(item.get("superseded_by") for item in listed) else COLUMNS
    session.out.rows(listed, columns, empty=f"Nothing is attached to {found['name']}.")


@deed(attachment, Verb.ATTACHMENT_LINK, examples=["strongroom attachment link 'Cohort 2024' dua.pdf"])
@click.argument("dataset")
@click.argument("attachment")
def link(session: Session, dataset: str, attachment: str) -> None:
    """Print a link that opens a document.

    It expires in minutes, and asking for it is recorded.
    """
    found = find.dataset(session.api, dataset)
    document = find.attachment(session.api, found["id"], attachment)
    made = session.api.post(path("datasets", found["id"], "attachments", document["id"], "link"))
    if session.out.is_json:
        session.out.json(made)
    else:
        session.out.text(made["url"])
        session.out.note(f"It opens {document['filename']} until {words.moment(made['expires_at'])}.")


@deed(attachment, Verb.ATTACHMENT_REMOVE, examples=["strongroom attachment remove 'Cohort 2024' dua.pdf"])
@click.argument("dataset")
@click.argument("attachment")
@click.option("--reason", help="Why; it stays in the ledger.")
@click.option("--confirm", metavar="FILENAME", help="The file's exact name, instead of being asked.")
def remove(session: Session, dataset: str, attachment: str, reason: str | None, confirm: str | None) -> None:
    """Remove a document of a pending data set."""
    found = find.dataset(session.api, dataset)
    document = find.attachment(session.api, found["id"], attachment)
    consequence = f"{document['filename']} will be removed from {found['name']}."
    asking.for_name(session, document["filename"], consequence=consequence, given=confirm)
    where = path("datasets", found["id"], "attachments", document["id"])
    removed = session.api.delete(where, {"reason": reason})
    session.out.done({**document, **removed}, f"{document['filename']} is removed.")


@deed(
    attachment,
    Verb.ATTACHMENT_SUPERSEDE,
    examples=["strongroom attachment supersede 'Cohort 2024' dua.pdf dua-2.pdf --reason 'renewed'"],
)
@click.argument("dataset")
@click.argument("attachment")
@click.argument("file", type=FILE)
@click.option("--reason", required=True, help="Why; it is shown with the old document.")
@describes
def supersede(
    session: Session, dataset: str, attachment: str, file: Path, reason: str, title: str | None, kind: str | None
) -> None:
    """Put a document in the place of another.

    Stewards and auditors can still read the old one. Title and kind are those of the old one where they are left out.
    """
    found = find.dataset(session.api, dataset)
    document = find.attachment(session.api, found["id"], attachment)
    fields = {"title": title or document["title"], "kind": kind or document["kind"], "reason": reason}
    where = path("datasets", found["id"], "attachments", document["id"], "supersede")
    made = _send(session, where, fields, file)
    session.out.done(made, f"{made['filename']} takes the place of {document['filename']}.")


def _send(session: Session, where: str, fields: dict[str, str], file: Path) -> Json:
    is_shown = session.is_interactive and not session.out.is_quiet
    with file.open("rb") as body, _progress(file, is_shown=is_shown) as progress:
        return session.api.upload(where, fields, file.name, cast(IO[bytes], _Counted(body, progress)))


def _progress(file: Path, *, is_shown: bool) -> Progress:
    shown = console(is_error=True)
    progress = Progress(
        BarColumn(), DownloadColumn(), TimeElapsedColumn(), console=shown, transient=True, disable=not is_shown
    )
    progress.add_task(words.plain(file.name), total=file.stat().st_size)
    return progress


class _Counted:
    """A file that tells how far it was read. Only what httpx asks of a file that it sends in pieces."""

    def __init__(self, body: IO[bytes], progress: Progress) -> None:
        self._body, self._progress = body, progress
        self._shown_at = 0.0
        self.fileno, self.seek, self.tell = body.fileno, body.seek, body.tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._body.read(size)
        if time.monotonic() - self._shown_at > 0.1:
            self._shown_at = time.monotonic()
            self._progress.update(self._progress.task_ids[0], completed=self._body.tell())
        return chunk
