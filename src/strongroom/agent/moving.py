"""`strongroom download` and `verify` on a server: data sets it was granted, proved against their manifest."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from strongroom.agent import control_socket, local, mounts_checks, mounts_kernel
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.control import seconds_of
from strongroom.agent.mounts_wrong import EXITS, wrong
from strongroom.agent.problems import USAGE, Trouble
from strongroom.movers import listed, verify
from strongroom.movers.download import Download, Full, Order
from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.listed import Listed
from strongroom.movers.patterns import Selection
from strongroom.movers.s3 import Credentials, Repository
from strongroom.movers.tally import Event, Tally
from strongroom.movers.verify import Difference
from strongroom.movers.walk import Trouble as FileTrouble

NOT_ALL = 1
DIFFERENT = 9
_FRESH_SECONDS = 60.0
_LINE_SECONDS = 30.0
_EXITS = (
    "Exit code: 0 done, 1 some files did not come, 2 wrong options, 3 not joined, 4 the agent does not run, "
    f"9 it is not what the manifest says, {EXITS['revoked']} access ended, {EXITS['gateway']} the storage is away."
)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `download` and `verify`."""
    _add_download(subparsers)
    _add_verify(subparsers)


def _add_download(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "download",
        help="bring a granted data set into a folder",
        description="Every file is compared with the manifest. What broke off is gone on with: run it again.",
        epilog=_EXITS,
    )
    parser.add_argument("dataset", metavar="DATA-SET", help="its name, its id or its repository")
    parser.add_argument("folder", metavar="FOLDER", help="made where it is not there")
    parser.add_argument("--prefix", default="", help="only what begins with this, such as images/")
    parser.add_argument("--include", action="append", default=[], metavar="PATTERN", help="only these; may be repeated")
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="not these; may be repeated")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there and are other ones")
    parser.add_argument("--delete", action="store_true", help="remove what the data set does not have; overwrites, too")
    parser.add_argument("--limit", type=_rate, metavar="RATE", help="at most so many bytes a second, such as 20M")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=download)


def _add_verify(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "verify",
        help="compare a folder or a mount with the manifest of its data set",
        description="Reads every file. A mount says by itself which data set it is.",
        epilog=_EXITS,
    )
    parser.add_argument("path", metavar="PATH", help="a folder, or where a data set is mounted")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--dataset", metavar="DATA-SET", help="whose manifest: its name, its id or its repository")
    which.add_argument("--manifest", metavar="FILE", help="a manifest that was saved")
    parser.add_argument("--allow-extra", action="store_true", help="files that the manifest does not know are fine")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=check)


def download(config: Config, options: argparse.Namespace) -> int:
    """Bring the files. Raises: Trouble."""
    dataset, repository = _granted(config, options.dataset)
    order = Order(
        options.folder,
        options.prefix,
        Selection(tuple(options.include), tuple(options.exclude)),
        overwrites=options.overwrite or options.delete,
        deletes=options.delete,
        bytes_per_second=options.limit,
    )
    with tempfile.TemporaryDirectory(prefix="strongroom-") as folder:
        manifest = _saved(_manifest(config, dataset), f"{folder}/manifest.jsonl")
        made = Download(order, repository, manifest, _told(options.json))
        if options.dry_run:
            for each in made.rehearse():
                print(f"{each.step:<8} {each.size_bytes:>14,}  {each.key}")
            return 0
        with _Shown(made.tally, options.json):
            _run(made, dataset["name"])
    return _summary(made, dataset["name"], options)


def check(config: Config, options: argparse.Namespace) -> int:
    """Compare. Raises: Trouble."""
    found: list[Difference] = []

    def tell(difference: Difference) -> None:
        found.append(difference)
        if not options.json:
            print(f"{difference.kind.value:<10} {difference.key}: {difference.detail}")

    try:
        report = verify.check_folder(
            options.path, listed.read(_lines(config, options)), found=tell, allows_extra=options.allow_extra
        )
    except listed.Unreadable as problem:
        raise Trouble(f"This is no manifest: {problem}.", "", "usage", USAGE) from None
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


def _lines(config: Config, options: argparse.Namespace) -> Iterable[bytes]:
    """The manifest that is meant."""
    if options.manifest:
        try:
            return open(options.manifest, "rb")  # noqa: PTH123  read to its end, then the program ends
        except OSError as problem:
            raise Trouble(f"{options.manifest} cannot be read: {problem.strerror}.", "", "usage", USAGE) from None
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
    return _manifest(config, dataset)


def _granted(config: Config, name: str) -> tuple[dict[str, Any], Repository]:
    told = local.status(config) if IS_WINDOWS else mounts_checks.status(config)
    dataset = mounts_checks.granted(config, told, name)
    if not told.get("endpoint"):
        raise wrong("gateway", "The agent was not told yet where the storage is.", "Try again in a minute.")
    session = _Session(config)
    return dataset, Repository(
        *(told["endpoint"], told["region"], dataset["repository"], session.current), ca_file=config.ca_file
    )


class _Session:
    """The session of this server, asked of the agent again when it is about to end."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._held: Credentials | None = None
        self._until = 0.0

    def current(self) -> Credentials:
        """Raises: Trouble."""
        with self._lock:
            if self._held is None or time.time() > self._until - _FRESH_SECONDS:
                told = local.credentials(self._config)
                self._until = seconds_of(told["Expiration"])
                self._held = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])
            return self._held


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


def _run(made: Download, name: str) -> None:
    try:
        made.run()
    except Refused as refusal:
        if not refusal.is_access:
            raise wrong("gateway", f"The storage refuses: {refusal}.") from None
        raise wrong(
            "revoked",
            f"Access to “{name}” ended in the middle ({refusal.code}): {made.tally.done_files:,} of "
            f"{made.tally.found_files:,} files are here.",
            "Ask a steward of the space; where access is given again, the same command goes on from here.",
        ) from None
    except Unreachable as problem:
        raise wrong("gateway", f"The storage is away: {problem}.", "Run it again: it goes on from here.") from None
    except Full as problem:
        raise Trouble(f"There is not enough room: {problem}.", "Make room, or choose another folder.", "full") from None
    except OSError as problem:
        where = problem.filename or made.order.folder
        raise Trouble(f"{where} cannot be written: {problem.strerror}.", "Run it again: it goes on.", "file") from None


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


def _told(is_json: bool) -> Callable[[Event], object]:
    def tell(event: Event) -> None:
        if isinstance(event, FileTrouble):
            line = (
                json.dumps({"problem": event.reason, "key": event.key}) if is_json else f"{event.key}: {event.reason}"
            )
            print(line, file=sys.stderr)

    return tell


class _Shown:
    """A line of progress now and then: each second on a terminal."""

    def __init__(self, tally: Tally, is_json: bool) -> None:
        self._tally = tally
        self._is_terminal = sys.stderr.isatty() and not is_json
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr)

    def _show(self) -> None:
        began = datetime.now().astimezone()
        while not self._over.wait(1.0 if self._is_terminal else _LINE_SECONDS):
            tally = self._tally
            seconds = (datetime.now().astimezone() - began).total_seconds()
            line = (
                f"{tally.done_files:,} of {tally.found_files:,} files, {tally.done_bytes:,} of {tally.found_bytes:,} "
                f"bytes, {tally.moved_bytes / seconds / 1e6:.0f} MB/s {tally.outage}"
            )
            print(
                f"\r\033[K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n", file=sys.stderr
            )


def _rate(text: str) -> float:
    """Raises: ArgumentTypeError."""
    factor = {"K": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:].upper(), 1.0)
    number = text if factor == 1.0 else text[:-1]
    if not number.replace(".", "", 1).isdigit() or not float(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 500K, 20M or 1G")
    return float(number) * factor
