"""Writes what makes a folder a bag, checked against the hashes that were signed as it comes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from strongroom.cli import files
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import not_verified
from strongroom.cli.session import Session
from strongroom.core import bag


def write(session: Session, dataset: Json, made: Json, folder: Path, *, is_overwriting: bool) -> None:
    """Every tag file of the bag. Raises Problem when digests miss, a file is there, or a hash does not hold."""
    digests = made.get("digests") or {}
    texts: dict[str, str] = digests.get("tag_files", {})
    manifest = folder / bag.MANIFEST_FILE
    if not is_overwriting:
        files.refuse_overwrite([manifest, *(folder / name for name in texts)], option="--overwrite")
    where = path("datasets", dataset["id"], "manifest", "download")
    with session.api.download(where, {"form": "bagit"}) as chunks:
        files.write_stream(manifest, checked(chunks, hashlib.sha256(), str(digests.get("bagit_sha256", ""))))
    for name, text in texts.items():
        files.write_stream(files.inside(folder, name), [text.encode()])
    session.out.done(
        {"folder": str(folder), "bagit_sha256": digests.get("bagit_sha256")},
        f"{folder} is a bag once the files of {dataset['name']} lie in {folder / 'data'}.",
    )


def checked(chunks: Iterator[bytes], summed: "hashlib._Hash", expected: str) -> Iterator[bytes]:
    """The chunks as they come; raises at the end, before a file takes its place, if they do not make the hash."""
    for chunk in chunks:
        summed.update(chunk)
        yield chunk
    if expected and summed.hexdigest() != expected:
        raise not_verified(
            f"The manifest that came has the hash {summed.hexdigest()}, but it should be {expected}.",
            "Download it again; if it stays, the manifest was altered where it is kept. Tell your administrators.",
        )
