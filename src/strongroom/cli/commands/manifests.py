"""`strongroom manifest …`: the list of what was in a data set when it was finalized."""

import hashlib
import sys
from pathlib import Path

import click

from strongroom.cli import bags, files, find, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import ManifestForm, Verb


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
        ("digests sha256", (made.get("digests") or {}).get("digests_sha256")),
        ("bag sha256", (made.get("digests") or {}).get("bagit_sha256")),
        ("objects", words.number(made["object_count"])),
        ("size", words.size(made["size_bytes"])),
        ("made", words.moment(made["made_at"])),
        ("revision", made.get("revision")),
    ]
    session.out.record(made, pairs)


@deed(
    manifest,
    Verb.MANIFEST_DOWNLOAD,
    examples=[
        "strongroom manifest download 'Cohort 2024' -o manifest.jsonl",
        "strongroom manifest download 'Cohort 2024' --form bagit -o cohort-bag",
        "strongroom manifest download 'Cohort 2024' --form sha256sum -o sums.txt",
    ],
)
@click.argument("dataset")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default="-",
    help="The file; - is standard output.",
)
@click.option(
    "--form",
    type=click.Choice([each.value for each in ManifestForm]),
    default=ManifestForm.JSONL.value,
    help="As it was (jsonl); with all digests (digests); for a bag; or for `sha256sum -c`.",
)
@click.option("--overwrite", is_flag=True, help="Also over a file that is there.")
def download(session: Session, dataset: str, output: Path, form: str, overwrite: bool) -> None:
    """Download a manifest.

    It has one line per object, and is checked against its hash. All forms but the first need the digest of every
    object; `strongroom fixity show` says how far those are. With --form bagit, OUTPUT may be a folder: all that makes
    it a bag is written there, and the files of the data set belong under data/ in it.
    """
    found = find.dataset(session.api, dataset)
    made = session.api.get(path("datasets", found["id"], "manifest"))
    if session.out.is_json:
        raise usage("A manifest is no JSON document, but lines.", "Leave --json out.")
    if form == ManifestForm.BAGIT and output.is_dir():
        bags.write(session, found, made, output, is_overwriting=overwrite)
        return
    if str(output) != "-" and not overwrite:
        files.refuse_overwrite([output], option="--overwrite")
    summed, expected = hashlib.sha256(), _expected(made, form)
    with session.api.download(path("datasets", found["id"], "manifest", "download"), {"form": form}) as chunks:
        checked = bags.checked(chunks, summed, expected)
        if str(output) == "-":
            for chunk in checked:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        size_bytes = files.write_stream(output, checked)
    session.out.done(
        {"file": str(output), "sha256": summed.hexdigest(), "root_sha256": made["root_sha256"]},
        f"{output}: {words.size(size_bytes)}" + (", its hash holds." if expected else "."),
    )


def _expected(made: Json, form: str) -> str:
    """The hash that is signed for this form; empty where none is."""
    digests = made.get("digests") or {}
    signed = {ManifestForm.JSONL: made["root_sha256"], ManifestForm.DIGESTS: digests.get("digests_sha256", "")}
    return str({**signed, ManifestForm.BAGIT: digests.get("bagit_sha256", "")}.get(ManifestForm(form), ""))
