"""`strongroom audit …`: the ledger of everything that was done or refused, and its check."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from strongroom.cli import files, find, words
from strongroom.cli.client import PATIENT
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.problems import not_verified, unavailable, usage
from strongroom.cli.session import Session
from strongroom.core import ledger
from strongroom.core.vocabulary import Outcome, Verb

COLUMNS = (
    Column("#", lambda item: item["sequence"], is_right=True),
    Column("WHEN (UTC)", lambda item: words.moment(item["at"]).removesuffix(" UTC")),
    Column("DEED", lambda item: item["verb"]),
    Column("WHO", lambda item: item.get("actor_email") or "strongroom", shrinks=True),
    Column("WHAT", lambda item: item.get("subject") or "", shrinks=True),
    Column("", lambda item: "refused" if item["outcome"] == Outcome.REFUSED else ""),
)


class _Time(click.ParamType[str]):
    """A day or a time; UTC where no zone is given."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            given = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; say 2026-01-31 or 2026-01-31T12:00Z.", param, ctx)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).isoformat()


TIME = _Time()


@click.group(cls=Noun)
def audit() -> None:
    """The ledger of everything that was done or refused."""


@deed(
    audit,
    Verb.AUDIT_LIST,
    examples=["strongroom audit list --dataset 'Cohort 2024'", "strongroom audit list --space Heart --outcome refused"],
)
@click.option("--space", help="Only of this space.")
@click.option("--dataset", help="Only of this data set.")
@click.option("--verb", type=str, metavar="VERB", help="Only this deed, e.g. dataset.finalize.")
@click.option("--actor", metavar="PERSON", help="Only by this person (e-mail or id).")
@click.option(
    "--outcome", type=click.Choice([outcome.value for outcome in Outcome]), help="Only done, or only refused."
)
@click.option("--since", type=TIME, metavar="TIME", help="From this time on, e.g. 2026-01-31 or 2026-01-31T12:00Z.")
@click.option("--until", type=TIME, metavar="TIME", help="Before this time.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
def list_(session: Session, space: str | None, dataset: str | None, limit: int, **filters: object) -> None:
    """List what happened, the newest first."""
    where = _where(session, space, dataset)
    events = session.api.items("/audit", {**filters, **where}, limit=limit)
    session.out.rows(events, COLUMNS, empty="Nothing of the kind happened.")


@deed(
    audit,
    Verb.AUDIT_EXPORT,
    examples=[
        "strongroom audit export -o ledger.jsonl",
        "strongroom audit export --space 'Heart study' -o heart.jsonl",
    ],
)
@click.option("--space", help="Only of this space; such a part cannot prove that nothing is missing.")
@click.option("--since", type=TIME, metavar="TIME", help="From this time on.")
@click.option("--until", type=TIME, metavar="TIME", help="Before this time.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default="-",
    help="The file; - is standard output.",
)
@click.option("--overwrite", is_flag=True, help="Also over a file that is there.")
def export(
    session: Session, space: str | None, since: str | None, until: str | None, output: Path, overwrite: bool
) -> None:
    """Write the ledger as JSON lines.

    The oldest come first. Exporting is itself recorded.
    """
    if session.out.is_json:
        raise usage("An export is JSON lines already.", "Leave --json out.")
    if str(output) != "-" and not overwrite:
        files.refuse_overwrite([output], option="--overwrite")
    params = {"since": since, "until": until, **_where(session, space, None)}
    with session.api.download("/audit/export", params) as sent:
        chunks = _whole(sent)
        if str(output) == "-":
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        size_bytes = files.write_stream(output, chunks)
    session.out.done(
        {"file": str(output)}, f"{output}: {words.size(size_bytes)}.", f"strongroom audit verify --file {output}"
    )


def _whole(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of an export. Raises Problem after the last where fewer entries came than the first line says."""
    first, lines = b"", 0
    for chunk in chunks:
        first += b"" if lines else chunk
        lines += chunk.count(b"\n")
        yield chunk
    announced = ledger.announced(first.partition(b"\n")[0].decode(errors="replace"))
    came = max(lines - 1, 0)
    if not lines or (announced is not None and came < announced):
        raise unavailable(
            f"The export broke off: {words.number(announced)} entries were to come, and {came:,} came."
            if announced is not None
            else "The export broke off in its first line.",
            "Try again. If it stays so, whoever operates Strongroom finds the reason in the log of the web server.",
            code="broken-off",
        )


@deed(audit, Verb.AUDIT_VERIFY, examples=["strongroom audit verify", "strongroom audit verify --file ledger.jsonl"])
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Check an export, offline.")
@click.option("--space", help="Only of this space.")
def verify(session: Session, file: Path | None, space: str | None) -> None:
    """Check the ledger.

    Finds every entry that was changed, removed, inserted or moved. Of one space alone it is partial, and says so.
    """
    if file and space:
        raise usage("An export is checked as it is.", "Leave --space out; `audit export --space` makes such a file.")
    report = _offline(file) if file else session.api.get("/audit/verify", _where(session, space, None), timeout=PATIENT)
    session.out.record(report, _facts(report))
    if not report["is_intact"]:
        raise not_verified(
            f"The ledger does not hold: {words.counted(len(report['faults']), 'fault')}.",
            "Keep what you have and tell the people who answer for this installation.",
        )


def _offline(file: Path) -> Json:
    # newline="\n": a text in an entry may hold other line ends.
    with file.open(encoding="utf-8", newline="\n") as lines:
        report = ledger.verify_export(lines)
    sequence, head_hash = report.head
    return {
        "is_intact": report.is_whole,
        "count": report.count,
        "head": {"sequence": sequence, "hash": head_hash},
        "faults": report.faults,
        "notes": report.notes,
        "is_partial": report.is_partial,
    }


def _facts(report: Json) -> list[tuple[str, object]]:
    head = report.get("head") or {}
    told = f"entry {head['sequence']:,}, {head['hash']}" if isinstance(head, dict) and "hash" in head else head
    return [
        ("ledger", "✓ holds" if report["is_intact"] else "✗ does not hold"),
        ("entries", words.number(report["count"])),
        ("head", told),
        *(("fault", fault) for fault in report.get("faults") or []),
        *(("note", note) for note in report.get("notes") or []),
    ]


def _where(session: Session, space: str | None, dataset: str | None) -> dict[str, object]:
    return {
        "space_id": find.space(session.api, space)["id"] if space else None,
        "dataset_id": find.dataset(session.api, dataset)["id"] if dataset else None,
    }
