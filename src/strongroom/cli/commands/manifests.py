"""`strongroom manifest …`: the list of what was in a data set when it was finalized."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from strongroom.cli import files, find, words
from strongroom.cli.client import path
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.problems import not_verified, usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb


@click.group(cls=Noun)
def manifest() -> None:
    """The list of what was in a data set when it was finalized."""


@deed(manifest, Verb.MANIFEST_SHOW, examples=["strongroom manifest show 'Cohort 2024'"])
@click.argument("dataset")
def show(session: Session, dataset: str) -> None:
    """Show a manifest's root and counts.

    The root is the SHA-256 of the whole list.
    """
    found = find.dataset(session.api, dataset)
    made = session.api.get(path("datasets", found["id"], "manifest"))
    pairs = [
        ("data set", found["name"]),
        ("root sha256", made["root_sha256"]),
        ("objects", words.number(made["object_count"])),
        ("size", words.size(made["size_bytes"])),
        ("made", words.moment(made["made_at"])),
        ("revision", made.get("revision")),
    ]
    session.out.record(made, pairs)


@deed(
    manifest,
    Verb.MANIFEST_DOWNLOAD,
    examples=["strongroom manifest download 'Cohort 2024' -o manifest.jsonl", "sha256sum manifest.jsonl"],
)
@click.argument("dataset")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default="-",
    help="The file; - is standard output.",
)
@click.option("--overwrite", is_flag=True, help="Also over a file that is there.")
def download(session: Session, dataset: str, output: Path, overwrite: bool) -> None:
    """Download a manifest.

    It has one JSON line per object, and is checked against its root.
    """
    found = find.dataset(session.api, dataset)
    expected = session.api.get(path("datasets", found["id"], "manifest"))["root_sha256"]
    if session.out.is_json:
        raise usage("A manifest is JSON lines already.", "Leave --json out.")
    if str(output) != "-" and not overwrite:
        files.refuse_overwrite([output], option="--overwrite")
    summed = hashlib.sha256()
    with session.api.download(path("datasets", found["id"], "manifest", "download")) as chunks:
        checked = _checked(chunks, summed, expected)
        if str(output) == "-":
            for chunk in checked:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        size_bytes = files.write_stream(output, checked)
    session.out.done(
        {"file": str(output), "root_sha256": expected}, f"{output}: {words.size(size_bytes)}, its root holds."
    )


def _checked(chunks: Iterator[bytes], summed: "hashlib._Hash", expected: str) -> Iterator[bytes]:
    """The chunks as they come; raises at the end, before a file takes its place, if they do not make the root."""
    for chunk in chunks:
        summed.update(chunk)
        yield chunk
    if summed.hexdigest() != expected:
        raise not_verified(
            f"The manifest that came has the root {summed.hexdigest()}, but it should be {expected}.",
            "Download it again; if it stays, the manifest was altered where it is kept. Tell your administrators.",
        )
