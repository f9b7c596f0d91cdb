"""`strongroom download` and `verify` on a server: data sets it was granted, proved against their manifest."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from strongroom.agent import control_socket, mounts_checks, mounts_kernel, mover_options, moving_runs
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.moving_runs import DIFFERENT, EPILOG, NOT_ALL
from strongroom.agent.problems import USAGE, Trouble
from strongroom.movers import listed, saved, verify
from strongroom.movers.download import Download, Full, Order
from strongroom.movers.listed import Listed
from strongroom.movers.options import DOWNLOAD
from strongroom.movers.patterns import Selection
from strongroom.movers.settling import Unwritable
from strongroom.movers.verify import Difference


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `download` and `verify`."""
    _add_download(subparsers)
    _add_verify(subparsers)


def _add_download(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "download",
        help="bring a granted data set into a folder",
        description="Every file is compared with the manifest. What broke off is gone on with: run it again.",
        epilog=EPILOG,
    )
    parser.add_argument("dataset", metavar="DATA-SET", help="its name, its id or its repository")
    parser.add_argument("folder", metavar="FOLDER", help="made where it is not there")
    parser.add_argument(
        *("--from", "--prefix"), dest="prefix", default="", metavar="FOLDER", help="only this folder of the data set"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there and are other ones")
    parser.add_argument("--delete", action="store_true", help="remove what the data set does not have; overwrites, too")
    mover_options.add(parser, DOWNLOAD)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=download, is_careful=False, threads=Order.threads)


def _add_verify(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "verify",
        help="compare a folder or a mount with the manifest of its data set",
        description="Reads every file. A mount says by itself which data set it is.",
        epilog=EPILOG,
    )
    parser.add_argument("path", metavar="PATH", help="a folder, or where a data set is mounted")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--dataset", metavar="DATA-SET", help="whose manifest: its name, its id or its repository")
    which.add_argument(
        "--manifest",
        metavar="FILE",
        help="a list of digests that was saved: a manifest, that of a bag, or of sha256sum",
    )
    parser.add_argument("--allow-extra", action="store_true", help="files that the manifest does not know are fine")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=check)


def download(config: Config, options: argparse.Namespace) -> int:
    """Bring the files. Raises: Trouble."""
    dataset, repository = moving_runs.granted(config, options.dataset, options.patience)
    prefix = options.prefix.strip("/")
    order = Order(
        options.folder,
        f"{prefix}/" if prefix else "",
        Selection(tuple(options.include), tuple(options.exclude)),
        overwrites=options.overwrite or options.delete,
        deletes=options.delete,
        trusts_times=not options.is_careful,
        threads=min(options.threads, Order.threads),
        bytes_per_second=options.limit,
    )
    with tempfile.TemporaryDirectory(prefix="strongroom-") as folder:
        # A derivative goes on changing: what the storage holds is what counts there.
        is_known = dataset["kind"] == "original"
        manifest = _saved(_manifest(config, dataset), f"{folder}/manifest.jsonl") if is_known else None
        made = Download(order, repository, manifest, moving_runs.told(options.json))
        if options.is_dry_run:
            with _ends(made, dataset["name"]):
                for each in made.rehearse():
                    moving_runs.print_planned(each.step, each.key, each.size_bytes)
            return NOT_ALL if made.tally.problems else 0
        with _ends(made, dataset["name"]), moving_runs.Shown(made.tally, options.json):
            made.run()
    return _summary(made, dataset["name"], options)


def check(config: Config, options: argparse.Namespace) -> int:
    """Compare. Raises: Trouble."""
    found: list[Difference] = []

    def tell(difference: Difference) -> None:
        found.append(difference)
        if not options.json:
            print(f"{difference.kind.value:<10} {difference.key}: {difference.detail}")

    try:
        with tempfile.TemporaryDirectory(prefix="strongroom-") as folder:
            path, is_bag = saved.payload(options.path)
            entries = _entries(config, options, f"{folder}/manifest.jsonl", is_bag)
            report = verify.check_folder(path, entries, found=tell, allows_extra=options.allow_extra)
    except listed.Unreadable as problem:
        raise Trouble(f"This list cannot be compared with: {problem}.", "", "usage", USAGE) from None
    said = {
        "is_same": report.is_same,
        "same_files": report.same_files,
        "same_bytes": report.same_bytes,
        "not_comparable": report.not_comparable,
        "differences": [{"kind": each.kind.value, "path": each.key, "detail": each.detail} for each in found],
    }
    if options.json:
        print(json.dumps(said, indent=1))
    else:
        less = (
            f" {report.not_comparable:,} of them by size alone: no checksum is known." if report.not_comparable else ""
        )
        print(f"{report.same_files:,} files ({report.same_bytes:,} bytes) are what the manifest says.{less}")
    if report.is_same:
        return 0
    print(f"strongroom: {options.path} is not what the manifest says: {len(found):,} differences.", file=sys.stderr)
    return DIFFERENT


def _entries(config: Config, options: argparse.Namespace, kept: str, is_bag: bool) -> Iterable[Listed]:
    """The manifest that is meant; `kept` is where one of the agent is kept: it does not wait while files are read."""
    if options.manifest:
        try:
            open(options.manifest, "rb").close()  # noqa: PTH123  before anything else is done
        except OSError as problem:
            raise Trouble(f"{options.manifest} cannot be read: {problem.strerror}.", "", "usage", USAGE) from None
        return saved.read(options.manifest, is_of_bag=is_bag)
    path = mounts_kernel.real(options.path)
    mounted = [each.repository for each in mounts_kernel.mounted() if each.path == path] if not IS_WINDOWS else []
    named = options.dataset or (mounted[0] if mounted else "")
    if not named:
        raise Trouble(
            f"{options.path} is no mount of a data set.",
            "Say whose manifest: --dataset, or --manifest.",
            "usage",
            USAGE,
        )
    dataset = mounts_checks.granted(config, mounts_checks.status(config), named)
    return _saved(_manifest(config, dataset), kept)()


def _manifest(config: Config, dataset: dict[str, Any]) -> Iterator[bytes]:
    if IS_WINDOWS:
        raise Trouble("The agent hands out no manifests on Windows yet.", "Save it elsewhere, and say --manifest.")
    return control_socket.ask_long(config, "manifest", dataset_id=str(dataset["id"]))


def _saved(lines: Iterator[bytes], path: str) -> Callable[[], Iterable[Listed]]:
    """The manifest as a file of ours, for it is read more than once."""
    with open(path, "wb") as file:  # noqa: PTH123
        file.writelines(lines)

    def read() -> Iterator[Listed]:
        with open(path, "rb") as kept:  # noqa: PTH123
            yield from listed.read(kept)

    return read


@contextmanager
def _ends(made: Download, name: str) -> Iterator[None]:
    try:
        with moving_runs.ends(name, made.tally, "here"):
            yield
    except Full as problem:
        raise Trouble(f"There is not enough room: {problem}.", "Make room, or choose another folder.", "full") from None
    except Unwritable as problem:
        raise Trouble(f"{problem}.", "See to the folder and run it again: it goes on.", "file") from None


def _summary(made: Download, name: str, options: argparse.Namespace) -> int:
    tally = made.tally
    if options.json:
        said = {
            "files_received": tally.sent_files,
            "bytes_received": tally.sent_bytes,
            "files_kept": tally.kept_files,
            "files_removed": tally.deleted_files,
            "problems": tally.problems,
            "compared_by": {word or "size alone": count for word, count in made.compared.items()},
        }
        print(json.dumps(said, indent=1))
    else:
        by = ", ".join(f"{count:,} by {word or 'size alone'}" for word, count in sorted(made.compared.items()))
        kept = f"; {tally.kept_files:,} were here already" if tally.kept_files else ""
        proof = f", compared: {by}" if by else ""
        print(f"“{name}”: {tally.sent_files:,} files ({tally.sent_bytes:,} bytes) came{proof}{kept}.")
    if tally.problems:
        print(f"strongroom: {tally.problems:,} files are not here; each is named above.", file=sys.stderr)
        return NOT_ALL
    return 0
