"""What `strongroom upload` and `sync` do on a server: files into a derivative that it may write to.

No transfer is opened, and no digest is recorded: the session is the server's own, and a derivative goes on changing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from strongroom.agent import mounts_table, moving, moving_runs
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.mounts_wrong import wrong
from strongroom.agent.moving_runs import NOT_ALL
from strongroom.agent.problems import USAGE, Trouble
from strongroom.movers import journals, sending, transfer_manifest, walk
from strongroom.movers.journal import InUse, Journal, Unwritable
from strongroom.movers.options import ONLY_UP
from strongroom.movers.patterns import Selection
from strongroom.movers.tally import Tally
from strongroom.movers.upload import Order, Planned, Told, Upload


def sync(config: Config, options: argparse.Namespace) -> int:
    """Make one side hold what the other one does. Raises: Trouble."""
    if not options.is_down:
        return upload(config, options)
    for name, option in {**ONLY_UP, "label": "--label"}.items():
        if getattr(options, name):
            raise Trouble(f"With --down, {option} has no meaning.", "Leave it out.", "usage", USAGE)
    options.prefix, options.overwrite, options.delete = options.into, True, options.is_deleting
    return moving.download(config, options)


def upload(config: Config, options: argparse.Namespace) -> int:
    """Bring the files. Raises: Trouble."""
    if not Path(options.folder).exists():
        raise Trouble(f"There is no folder {options.folder}.", "Say which is to be uploaded.", "usage", USAGE)
    if options.manifest:
        _check_manifest(options.manifest)
    dataset, repository = moving_runs.granted(config, options.dataset, options.patience)
    _check(dataset, options)
    tally = Tally()
    with _ends(dataset["name"], tally):
        journal = _journal(config, dataset, options)
        try:
            made = Upload(order(options), repository, journal, tally=tally)
            if options.is_abort:
                return _abort(made, is_json=options.json)
            return _rehearse(made, options) if options.is_dry_run else _run(made, dataset["name"], options)
        finally:
            journal.close()


@contextmanager
def _ends(name: str, tally: Tally) -> Iterator[None]:
    try:
        with moving_runs.ends(name, tally, "there"):
            yield
    except InUse as problem:
        raise wrong("in-use", str(problem), "Wait for it, or end it.") from None
    except Unwritable as problem:
        raise Trouble(str(problem), "Make room there, and run it again: it goes on from here.", "journal") from None


def _check(dataset: dict[str, Any], options: argparse.Namespace) -> None:
    """Whether files may be written and removed there. Raises: Trouble."""
    name = dataset["name"]
    if dataset["access"] != "write":
        raise wrong(
            "not-granted",
            f"“{name}” is an original: servers read it, and nobody changes it.",
            "Results go into a derivative: have one made (`strongroom dataset create … --kind derivative`), finalized "
            "and granted to this server.",
        )
    if options.is_deleting and Path(options.folder).is_file():
        way_out = "Name a folder, or leave --delete out."
        raise Trouble(f"{options.folder} is a file: with --delete, all else would go.", way_out, "usage", USAGE)
    if options.is_deleting and not options.is_dry_run and not options.is_abort and options.confirm != name:
        raise Trouble(
            f"--delete removes files of “{name}” that are not in {options.folder}, for good. Nothing was done.",
            f"Look with --dry-run first, then say --confirm '{name}'.",
            "confirm",
            USAGE,
        )


def _check_manifest(file: Path) -> None:
    try:
        transfer_manifest.check(file)
    except Unwritable as problem:
        raise Trouble(str(problem), "Name another file with --manifest, or leave it out.", "usage", USAGE) from None


def order(options: argparse.Namespace) -> Order:
    """What is wished, as it was typed."""
    return Order(
        options.folder,
        options.into,
        Selection(tuple(options.include), tuple(options.exclude)),
        options.links or walk.REPORT,
        trusts_times=not options.is_careful,
        deletes=options.is_deleting,
        threads=options.threads,
        bytes_per_second=options.limit,
    )


def _journal(config: Config, dataset: dict[str, Any], options: argparse.Namespace) -> Journal:
    """Whose it is depends on who asks: of root in the agent's state, else in the user's own."""
    return journals.opened(
        journals.state_folder(os.environ) if IS_WINDOWS else mounts_table.folder(config),
        folder=options.folder,
        prefix=options.into,
        place="server",
        dataset_id=str(dataset["id"]),
    )


def _run(made: Upload, name: str, options: argparse.Namespace) -> int:
    made.told = Told(moving_runs.told(options.json))
    try:
        with moving_runs.Shown(made.tally, options.json):
            made.run()
    except OSError as problem:
        where = problem.filename or options.folder
        raise Trouble(f"{where} cannot be read: {problem.strerror}.", "Run it again: it goes on.", "file") from None
    manifest = options.manifest or made.journal.file.with_suffix(".jsonl")
    sha256 = transfer_manifest.write(manifest, made.journal, label=options.label)
    told = {"manifest": str(manifest), "manifest_sha256": sha256, "label": options.label}
    return _summary(made.tally, name, told, is_json=options.json)


def _abort(made: Upload, *, is_json: bool) -> int:
    """Clean up what an upload began and will not go on with, and forget what is known of it."""
    sending.settle(made.repository, made.journal)
    count = sending.abort_left_over(made.repository, made.journal)
    made.journal.forget()
    said = f"{count:,} unfinished uploads aborted, and the journal is gone. Files that arrived stay."
    print(json.dumps({"aborted": count}) if is_json else said)
    return 0


def _rehearse(made: Upload, options: argparse.Namespace) -> int:
    counts: Counter[str] = Counter()

    def planned(each: Planned) -> None:
        counts[each.step] += 1
        if each.step != "keep" and not options.json:
            moving_runs.print_planned(each.step, each.key, each.size_bytes)

    made.told = Told(moving_runs.told(options.json), planned=planned)
    made.rehearse()
    if options.json:
        steps = {each: counts[each] for each in ("send", "compare", "keep", "delete")}
        print(json.dumps({"dry_run": True, **steps, "problems": made.tally.problems}, indent=1))
    return NOT_ALL if made.tally.problems else 0


def _summary(tally: Tally, name: str, manifest: dict[str, str], *, is_json: bool) -> int:
    if is_json:
        print(json.dumps({**tally.brought(), "problems": tally.problems, **manifest}, indent=1))
    else:
        print(f"{tally.done_files:,} files of “{name}” are proved in the storage: {', '.join(tally.deeds())}.")
        print(f"Transfer manifest: {manifest['manifest']}")
    if tally.problems:
        print(f"strongroom: not everything is there: {tally.problems:,} problems, named above.", file=sys.stderr)
        return NOT_ALL
    return 0
