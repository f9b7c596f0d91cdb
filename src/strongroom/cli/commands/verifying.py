"""`strongroom verify`: whether a data set, a folder, a mount or a bag is what was finalized."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from strongroom.cli import bags, files, find, words
from strongroom.cli.commands import fixity
from strongroom.cli.commands.lifecycle import waits
from strongroom.cli.deeds import command
from strongroom.cli.exits import Exit
from strongroom.cli.fixity_words import differing
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem, usage
from strongroom.cli.session import Session
from strongroom.core import manifest
from strongroom.movers import listed, saved
from strongroom.movers.checksums import Entry
from strongroom.movers.verify import Difference, Report, check_folder

MOST_NAMED = 1000
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_to(group: click.Group) -> None:
    """Hang `verify` below the root."""
    examples = (
        "strongroom verify 'Cohort 2024'",
        "strongroom verify ./cohort --dataset 'Cohort 2024'",
        "strongroom verify /data/cohort --manifest digests.jsonl",
        "strongroom verify /data/cohort-bag --manifest /data/cohort-bag/manifest-sha256.txt",
    )
    command(group, "verify", examples=examples)(verify)


@click.argument("target")
@click.option("--dataset", help="TARGET is a folder, a mount or a bag; it should hold this data set.")
@click.option("--manifest", "file", type=FILE, help="The same with a list of digests that was saved.")
@click.option("--allow-extra", is_flag=True, help="Files that the manifest does not know are no difference.")
@waits
def verify(
    session: Session,
    target: str,
    dataset: str | None,
    file: Path | None,
    allow_extra: bool,
    no_wait: bool,
    timeout: float | None,
) -> None:
    """Check that a data set, or a copy, is what was finalized.

    TARGET is a data set: Strongroom reads all of it again and compares it with its digests. With --dataset or
    --manifest it is a folder, a mount or a bag: its files are read here. FILE is a manifest of Strongroom, that of a
    bag (`manifest-sha256.txt`), or what `sha256sum` prints, each also packed with gzip. Exits 9 when anything differs.
    """
    if dataset is None and file is None:
        if Path(target).is_dir():
            raise usage(f"{target} is a folder. What should it hold?", "Say --dataset DATASET or --manifest FILE.")
        fixity.run(session, find.dataset(session.api, target), is_followed=not no_wait, timeout=timeout)
        return
    if dataset is not None and file is not None:
        raise usage("--dataset and --manifest are two answers to one question.", "Say one of them.")
    if not Path(target).is_dir():
        raise usage(f"There is no folder {target}.", "TARGET is a folder, a mount or a bag here.")
    folder, is_bag = saved.payload(target)
    opened = _from_file(file, is_bag) if file else _from_server(session, find.dataset(session.api, str(dataset)))
    differences: list[Difference] = []
    with opened as entries:
        report = check_folder(folder, entries, found=differences.append, allows_extra=allow_extra)
    _tell(session, folder, report, differences)


@contextmanager
def _from_file(file: Path, is_bag: bool) -> Iterator[Iterator[Entry]]:
    try:
        yield saved.read(str(file), is_of_bag=is_bag)
    except listed.Unreadable as problem:
        raise Problem(
            f"{file} cannot be compared with: {problem}.",
            Exit.INVALID,
            "`strongroom manifest download` fetches a list of every form.",
            code="manifest",
        ) from problem


@contextmanager
def _from_server(session: Session, found: Json) -> Iterator[Iterator[Entry]]:
    """Fetched before the first file is read: nobody waits hours for the next line. With all digests where known."""
    made = session.api.get(path("datasets", found["id"], "manifest"))
    digests = made.get("digests")
    form, expected = ("digests", digests["digests_sha256"]) if digests else ("jsonl", made["root_sha256"])
    with tempfile.TemporaryDirectory(prefix="strongroom-") as folder:
        kept = Path(folder) / "manifest.jsonl"
        with session.api.download(path("datasets", found["id"], "manifest", "download"), {"form": form}) as chunks:
            files.write_stream(kept, bags.checked(chunks, hashlib.sha256(), expected))
        with kept.open("rb") as lines:
            yield manifest.read(lines)


def _tell(session: Session, folder: str, report: Report, differences: list[Difference]) -> None:
    """The sums, each difference, and exit 9 when there is any."""
    differences.sort(key=lambda each: each.key)
    count = sum(report.counts.values())
    named = [{"key": each.key, "what": each.kind.value, "detail": each.detail} for each in differences[:MOST_NAMED]]
    result = {
        "is_same": report.is_same,
        "same_files": report.same_files,
        "same_bytes": report.same_bytes,
        "not_comparable": report.not_comparable,
        "difference_count": count,
        "differences": named,
    }
    size_only = words.counted(report.not_comparable, "file")
    facts = [
        ("folder", folder),
        ("as finalized", f"{words.counted(report.same_files, 'file')}, {words.size(report.same_bytes)}"),
        ("by size only", f"{size_only}: no digest is known yet" if report.not_comparable else None),
        *((each["what"], each["key"]) for each in named),
        ("and", f"{count - MOST_NAMED:,} more" if count > MOST_NAMED else None),
    ]
    session.out.record(result, facts)
    if count:
        raise differing(folder, count)
