"""`strongroom transfer …`: credentials for one run of an upload, by hand; `strongroom upload` does it by itself."""

import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

import click

from strongroom.cli import find, recorded_digests, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Direction, Verb

BATCH = 1000
_FIELDS = {"key": str, "size_bytes": int, "etag": str, "sha256": str}
COLUMNS = (
    Column("TRANSFER", lambda item: item["id"]),
    Column("DIRECTION", lambda item: item["direction"]),
    Column("BY", lambda item: item["person"], shrinks=True),
    Column("LABEL", lambda item: item["label"], shrinks=True),
    Column("OPENED", lambda item: words.moment(item["opened_at"])),
    Column("STATUS", lambda item: status(item)),
    Column("FILES", lambda item: words.number(item["file_count"]), is_right=True),
    Column("SIZE", lambda item: words.size(item["size_bytes"]), is_right=True),
)


@click.group(cls=Noun)
def transfer() -> None:
    """Transfers: short credentials for one run of an upload.

    They work for one pending data set, and end when the transfer is closed or not renewed in time, when the data set is
    finalized, and when whoever opened it may not upload any more.
    """


@deed(
    transfer,
    Verb.TRANSFER_OPEN,
    examples=[
        "strongroom transfer open 'Cohort 2024' --label 'scanner 7'",
        "eval \"$(strongroom transfer open 'Cohort 2024')\"",
    ],
)
@click.argument("dataset")
@click.option(
    "--direction", type=click.Choice([each.value for each in Direction]), help="Which way; upload if not said."
)
@click.option("--label", help="A word that tells it from other transfers.")
def open_(session: Session, dataset: str, direction: str | None, label: str | None) -> None:
    """Open a transfer and print its credentials.

    They are printed as lines for a shell. Renew them before they expire.
    """
    found = find.dataset(session.api, dataset)
    body = {"direction": direction, "label": label}
    _hand_over(session, session.api.create(path("datasets", found["id"], "transfers"), body))


@deed(
    transfer,
    Verb.TRANSFER_RENEW,
    examples=['eval "$(strongroom transfer renew 0b7b0f1e-2f5c-4c89-a42c-1f3c0a4b7d11)"'],
)
@click.argument("transfer_id", metavar="TRANSFER", type=click.UUID)
def renew(session: Session, transfer_id: object) -> None:
    """Print fresh credentials of a transfer you opened."""
    _hand_over(session, session.api.post(path("transfers", transfer_id, "renew")))


@deed(
    transfer,
    Verb.TRANSFER_RECORD,
    examples=["strongroom transfer record 0b7b0f1e-2f5c-4c89-a42c-1f3c0a4b7d11 digests.jsonl"],
)
@click.argument("transfer_id", metavar="TRANSFER", type=click.UUID)
@click.argument("file", type=click.File("r", encoding="utf-8"))
def record(session: Session, transfer_id: object, file: IO[str]) -> None:
    """Record the SHA-256 of what was moved.

    FILE (- is standard input) has one JSON object a line: key, size_bytes, etag without quotes, sha256.
    """
    count, lines = 0, _digests(file)
    while batch := list(islice(lines, BATCH)):
        count += session.api.post(path("transfers", transfer_id, "digests"), {"items": batch})["recorded"]
    session.out.done({"id": str(transfer_id), "recorded": count}, f"{words.counted(count, 'digest')} recorded.")


@deed(
    transfer,
    Verb.TRANSFER_CLOSE,
    examples=["strongroom transfer close 0b7b0f1e-2f5c-4c89-a42c-1f3c0a4b7d11 --files 120 --problems 0"],
)
@click.argument("transfer_id", metavar="TRANSFER", type=click.UUID)
@click.option("--files", "file_count", type=click.IntRange(0), help="How many files it moved.")
@click.option("--bytes", "size_bytes", type=click.IntRange(0), help="How many bytes those have.")
@click.option("--problems", "problem_count", type=click.IntRange(0), help="How many files failed.")
@click.option("--manifest-sha256", metavar="HEX", help="SHA-256 of your own list of what was moved.")
def close(session: Session, transfer_id: object, **summary: Any) -> None:
    """End a transfer: its credentials stop working now."""
    ended = session.api.create(path("transfers", transfer_id, "close"), summary)
    session.out.done(ended, "The transfer is closed; its credentials no longer work.")


@deed(transfer, Verb.TRANSFER_LIST, examples=["strongroom transfer list 'Cohort 2024' --all"])
@click.argument("dataset")
@click.option("--all", "is_all", is_flag=True, help="Also those that have ended.")
def list_(session: Session, dataset: str, is_all: bool) -> None:
    """List the transfers of a data set."""
    found = find.dataset(session.api, dataset)
    rows = session.api.items(path("datasets", found["id"], "transfers"), {"is_live": None if is_all else "true"})
    hint = "" if is_all else " now; --all shows those that have ended"
    session.out.rows(rows, COLUMNS, empty=f"{found['name']}: no transfers{hint}.")


@deed(transfer, Verb.TRANSFER_SHOW, examples=["strongroom transfer show 0b7b0f1e-2f5c-4c89-a42c-1f3c0a4b7d11"])
@click.argument("transfer_id", metavar="TRANSFER", type=click.UUID)
def show(session: Session, transfer_id: object) -> None:
    """Show one transfer; never its credentials."""
    item = session.api.get(path("transfers", transfer_id))
    pairs = [
        ("transfer", item["id"]),
        ("data set", item["dataset_id"]),
        ("direction", item["direction"]),
        ("by", item["person"]),
        ("label", item["label"]),
        ("status", status(item)),
        ("opened", words.moment(item["opened_at"])),
        ("credentials", f"until {words.moment(item['expires_at'])}" if not item["ended_at"] else ""),
        ("files", words.number(item["file_count"])),
        ("size", words.size(item["size_bytes"])),
        ("problems", words.number(item["problem_count"])),
        ("manifest sha256", item["manifest_sha256"]),
    ]
    session.out.record(item, pairs)


@deed(transfer, Verb.TRANSFER_RECORDED, examples=["strongroom transfer recorded 'Cohort 2024' > digests.jsonl"])
@click.argument("dataset")
def recorded(session: Session, dataset: str) -> None:
    """Print the digests that transfers recorded.

    One JSON object a line, as in a manifest. A line speaks of the object of that size and ETag alone. They are kept
    until the data set is a finalized original, whose manifest holds them, or is deleted; exits 6 where that
    happens meanwhile.
    """
    if session.out.is_json:
        raise usage("The digests are no JSON document, but lines.", "Leave --json out.")
    found = find.dataset(session.api, dataset)
    try:
        for chunk in recorded_digests.lines(session.api, found["id"]):
            sys.stdout.buffer.write(chunk)
    finally:
        sys.stdout.buffer.flush()


def status(item: Json) -> str:
    """Whether a transfer runs, and if not, why."""
    if not item["ended_at"]:
        return "running"
    who = f" by {item['ended_by']}" if item.get("ended_by") else ""
    return f"{item['end']} {words.moment(item['ended_at'])}{who}"


def _hand_over(session: Session, opened: Json) -> None:
    if session.out.is_json or session.out.is_quiet:
        session.out.done(opened, "")
    elif not opened.get("secret"):
        session.out.warn(str(opened.get("note") or "Its credentials were shown before."))
        session.out.note(f"New ones: strongroom transfer renew {opened['id']}")
    else:
        session.out.text("\n".join(f"export {name}={shlex.quote(value)}" for name, value in _variables(opened)))
        session.out.note(f"Transfer {opened['id']} into s3://{opened['repository']}")
        session.out.note(f"Its credentials work until {words.moment(opened['expires_at'])}. When done, close it.")


def _variables(opened: Json) -> list[tuple[str, str]]:
    return [
        ("AWS_ACCESS_KEY_ID", opened["access_key_id"]),
        ("AWS_SECRET_ACCESS_KEY", opened["secret"]),
        ("AWS_SESSION_TOKEN", opened["session_token"]),
        ("AWS_ENDPOINT_URL_S3", opened["endpoint"]),
        ("AWS_DEFAULT_REGION", opened["region"]),
    ]


def _digests(lines: Iterable[str]) -> Iterator[Json]:
    """The digests of a file. Raises Problem that names a line which is none."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError:
            item = None
        if not isinstance(item, dict) or not all(type(item.get(name)) is kind for name, kind in _FIELDS.items()):
            raise usage(
                f"Line {number} is no digest.", 'A line is {"key": …, "size_bytes": …, "etag": …, "sha256": …}.'
            )
        yield {name: item[name] for name in _FIELDS}
