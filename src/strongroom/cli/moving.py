"""One run of a mover for a person or a program: transfer, journal, progress, summary, and what every end means."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from strongroom.cli import words
from strongroom.cli.exits import Exit
from strongroom.cli.lease import Lease
from strongroom.cli.output import Json
from strongroom.cli.problems import Problem, usage
from strongroom.cli.progress import Progress
from strongroom.cli.session import Session
from strongroom.movers import errors, journals, sending, transfer_manifest
from strongroom.movers.journal import InUse, Journal, Unwritable
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Repository
from strongroom.movers.tally import Tally
from strongroom.movers.upload import Order, Planned, Told, Upload

_AGAIN = "What is there stays. The same command goes on from here."


@dataclass(frozen=True)
class Wish:
    """What one command asks for. `patience_seconds`: how long a store or a server may be away."""

    order: Order
    label: str
    patience_seconds: float
    manifest: Path | None = None


def upload(session: Session, dataset: Json, wish: Wish) -> None:
    """Bring a folder into a data set. Raises Problem for every end but a full success."""
    if wish.manifest:
        _check(wish.manifest)
    journal = _journal(session, dataset, wish.order)
    with ends(), journal_closed(journal):
        tally = Tally()
        progress = Progress(session, tally)
        lease = Lease(session.api, dataset, label=wish.label)
        told = Told(progress.tell, lease.digests)
        mover = Upload(wish.order, _repository(lease, wish), journal, told, tally=tally)
        file = wish.manifest or journal.file.with_suffix(".jsonl")
        try:
            with progress:
                mover.run()
            sha256 = transfer_manifest.write(file, journal)
        except BaseException:
            close_quietly(lease, tally)
            raise
        Patience(wish.patience_seconds).of(lambda _: lease.close(_facts(tally, sha256)))
        _summary(session, dataset, tally, file, sha256)


def _check(manifest: Path) -> None:
    try:
        transfer_manifest.check(manifest)
    except Unwritable as problem:
        raise usage(str(problem), "Name another file with --manifest, or leave it out.") from None


def rehearse(session: Session, dataset: Json, wish: Wish) -> None:
    """Say what an upload would do. The listing needs a transfer, which is closed at once."""
    journal = _journal(session, dataset, wish.order)
    with ends(), journal_closed(journal):
        lease = Lease(session.api, dataset, label=f"{wish.label}, dry run".lstrip(", "))
        try:
            mover = Upload(wish.order, _repository(lease, wish), journal)
            counts: Counter[str] = Counter()
            sizes: Counter[str] = Counter()

            def planned(each: Planned) -> None:
                counts[each.step] += 1
                sizes[each.step] += each.size_bytes
                if each.step != "keep" and not session.out.is_quiet and not session.out.is_json:
                    print(f"{each.step:8}{words.size(each.size_bytes):>10}  {words.plain(each.key)}")

            mover.told = Told(Progress(session, mover.tally).tell, planned=planned)
            mover.rehearse()
        finally:
            close_quietly(lease, mover.tally)
    found = {"dry_run": True, **{each: counts[each] for each in ("send", "compare", "keep", "delete")}}
    found |= {"send_bytes": sizes["send"], "problems": mover.tally.problems, "remarks": mover.tally.remarks}
    sentence = f"Nothing was done. {words.counted(counts['send'], 'file')} ({words.size(sizes['send'])}) would be sent"
    sentence += f", {counts['compare']:,} compared, {counts['keep']:,} left as they are, {counts['delete']:,} deleted."
    session.out.done(found, sentence)
    _complain(mover.tally, "")


def abort(session: Session, dataset: Json, wish: Wish) -> None:
    """Clean up what an upload began and will not go on with, and forget what is known of it."""
    journal = _journal(session, dataset, wish.order)
    with ends(), journal_closed(journal):
        lease = Lease(session.api, dataset, label=f"{wish.label}, abort".lstrip(", "))
        try:
            repository = _repository(lease, wish)
            sending.settle(repository, journal)
            count = sending.abort_left_over(repository, journal)
        finally:
            close_quietly(lease, Tally())
        journal.forget()
    told = words.counted(count, "unfinished upload")
    session.out.done({"aborted": count}, f"{told} aborted, and the journal is gone. Files that arrived stay.")


@contextmanager
def journal_closed(journal: Journal) -> Iterator[None]:
    """Close it at the end, whatever the end."""
    try:
        yield
    finally:
        journal.close()


def _journal(session: Session, dataset: Json, order: Order) -> Journal:
    if not Path(order.folder).exists():
        raise usage(f"There is no folder {order.folder}.", "Give the folder (or a file) that is to be uploaded.")
    with ends():
        return journals.opened(
            journals.state_folder(session.environ),
            folder=order.folder,
            prefix=order.prefix,
            place=session.signed_in.url,
            dataset_id=dataset["id"],
        )


def _repository(lease: Lease, wish: Wish) -> Repository:
    return lease.repository(Patience(wish.patience_seconds))


def _facts(tally: Tally, manifest_sha256: str) -> Json:
    return {
        "file_count": tally.done_files,
        "size_bytes": tally.sent_bytes + tally.kept_bytes,
        "problem_count": tally.problems,
        "manifest_sha256": manifest_sha256,
    }


def close_quietly(lease: Lease, tally: Tally) -> None:
    """End the transfer where something else is told: what does not succeed ends by itself when it expires."""
    try:
        lease.close(_facts(tally, ""))
    except (Problem, errors.Problem):
        return


def _summary(session: Session, dataset: Json, tally: Tally, manifest: Path, sha256: str) -> None:
    seconds = time.monotonic() - tally.began
    facts = {**_facts(tally, sha256), **tally.brought(), "seconds": round(seconds, 1), "manifest": str(manifest)}
    size = words.size(tally.sent_bytes + tally.kept_bytes)
    rate = words.size(round(tally.moved_bytes / max(seconds, 0.001)))
    sentence = f"{words.counted(tally.done_files, 'file')} ({size}) of {dataset['name']} proved in the store: "
    sentence += f"{', '.join(tally.deeds())}; {words.elapsed(seconds)}, {rate}/s."
    if tally.problems:
        if session.out.is_json:
            session.out.json(facts)
        else:
            session.out.note(sentence)
    else:
        session.out.done(facts, sentence)
    session.out.note(f"Transfer manifest: {manifest}")
    _complain(tally, str(manifest))
    session.out.steps(f"strongroom dataset finalize {words.short_id(dataset['id'])}")


def _complain(tally: Tally, manifest: str) -> None:
    """Raises Problem where something was not as it should be."""
    if tally.problems:
        where = f"above and in {manifest}" if manifest else "above"
        verb = "problem is" if tally.problems == 1 else "problems are"
        raise Problem(
            f"Not everything is in the data set: {tally.problems:,} {verb} named {where}.",
            Exit.INCOMPLETE,
            "Mend what is named and run the same command again: it sends only what is missing.",
            code="incomplete",
        )


@contextmanager
def ends() -> Iterator[None]:
    """What ends a mover early, as a Problem that says how to go on."""
    try:
        yield
    except errors.Unreachable as problem:
        raise Problem(f"{_sentence(problem)}.", Exit.UNAVAILABLE, _AGAIN, code="unreachable") from problem
    except InUse as problem:
        raise Problem(str(problem), Exit.CONFLICT, "Wait for it, or end it.", code="in-use") from problem
    except Unwritable as problem:
        raise Problem(str(problem), Exit.UNEXPECTED, f"Make room there. {_AGAIN}", code="journal") from problem
    except errors.Refused as refusal:
        raise Problem(f"The store refuses it: {refusal}.", Exit.FORBIDDEN, _AGAIN, code="refused") from refusal
    except errors.Problem as problem:
        raise Problem(f"{_sentence(problem)}.", Exit.UNEXPECTED, _AGAIN, code="mover") from problem
    except KeyboardInterrupt:
        print(f"\nInterrupted. {_AGAIN}", file=sys.stderr, flush=True)
        raise


def _sentence(problem: Exception) -> str:
    text = str(problem).rstrip(".")
    return text[:1].upper() + text[1:]


Deed = Callable[[Session, Json, Wish], None]
