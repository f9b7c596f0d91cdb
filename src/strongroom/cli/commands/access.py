"""`strongroom dataset contents`, `history` and `connect`: what is in it, how its record changed, how to reach it."""

from pathlib import Path

import click

from strongroom.cli import aws_profile, files, find, words
from strongroom.cli.commands.datasets import dataset
from strongroom.cli.deeds import deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import not_found
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

COLUMNS = (
    Column("MODIFIED", lambda item: words.moment(item.get("modified_at"))),
    Column("SIZE", lambda item: words.size(item["size_bytes"]), is_right=True),
    Column("KEY", lambda item: item["key"], shrinks=True),
)


CHANGES = (
    Column("WHEN (UTC)", lambda item: words.moment(item["changed_at"])),
    Column("WHO", lambda item: item["changed_by"]),
    Column("FIELD", lambda item: item["field"]),
    Column("BEFORE", lambda item: _value(item["before"]), shrinks=True),
    Column("AFTER", lambda item: _value(item["after"]), shrinks=True),
)


@deed(dataset, Verb.DATASET_HISTORY, examples=["strongroom dataset history 'Cohort 2024'"])
@click.argument("dataset")
def history(session: Session, dataset: str) -> None:
    """Show how the record of a data set was edited, newest first."""
    found = find.dataset(session.api, dataset)
    changes = session.api.get(path("datasets", found["id"], "history"))["items"]
    session.out.rows(changes, CHANGES, empty=f"The record of {found['name']} was never edited.")


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@deed(dataset, Verb.DATASET_CONTENTS, examples=["strongroom dataset contents 'Cohort 2024' --prefix scans/"])
@click.argument("dataset")
@click.option("--prefix", help="Only keys that begin so.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many objects.")
def contents(session: Session, dataset: str, prefix: str | None, limit: int) -> None:
    """List the objects in a data set."""
    found = find.dataset(session.api, dataset)
    objects, has_more = _objects(session, found["id"], prefix, limit)
    if session.out.is_quiet:
        session.out.text("\n".join(words.plain(item["key"]) for item in objects))
        return
    session.out.rows(objects, COLUMNS, empty=f"There is nothing in {found['name']}.")
    if has_more:
        session.out.note(f"These are the first {limit:,}; there are more. See --limit and --prefix.")


def _objects(session: Session, dataset_id: str, prefix: str | None, limit: int) -> tuple[list[Json], bool]:
    found: list[Json] = []
    after: str | None = None
    while True:
        params = {"prefix": prefix, "after": after, "limit": min(500, limit - len(found))}
        page = session.api.get(path("datasets", dataset_id, "contents"), params)
        found += page["items"]
        after = page.get("next_after")
        if not after or len(found) >= limit:
            return found[:limit], bool(after)


@deed(
    dataset,
    Verb.DATASET_CONNECT,
    examples=[
        "strongroom dataset connect 'Cohort 2024' --client rclone",
        "strongroom dataset connect 'Cohort 2024' --save ./settings",
    ],
)
@click.argument("dataset")
@click.option("--client", help="Only for this client, e.g. aws, rclone, s5cmd, cyberduck, s3fs.")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the files there.")
@click.option("--overwrite", is_flag=True, help="Also over files that are there.")
def connect(session: Session, dataset: str, client: str | None, save: Path | None, overwrite: bool) -> None:
    """Show settings for S3 clients.

    Ready-made, for exactly this repository; never with the secret. AWS tools are told the profile in which
    `strongroom key issue --save` put the key, if it is on this machine.
    """
    found = find.dataset(session.api, dataset)
    settings = session.api.get(path("datasets", found["id"], "connect"), {"profile": _kept_as(session, found)})
    settings["snippets"] = _chosen(settings["snippets"], client)
    written = _saved(settings["snippets"], save, overwrite) if save else []
    if session.out.is_json:
        session.out.json(settings)
    elif save:
        for file in written:
            session.out.text(str(file))
    elif not session.out.is_quiet:
        _show(session, settings)


def _kept_as(session: Session, found: Json) -> str | None:
    """The AWS profile on this machine that holds the data set's present key."""
    key = session.api.get(path("datasets", found["id"])).get("key") or {}
    return aws_profile.holding(key["access_key_id"], session.environ) if key.get("access_key_id") else None


def _chosen(snippets: list[Json], client: str | None) -> list[Json]:
    if not client:
        return snippets
    chosen = [snippet for snippet in snippets if str(snippet["client"]).lower() == client.lower()]
    if not chosen:
        known = ", ".join(sorted({str(snippet["client"]) for snippet in snippets}))
        raise not_found(f"There are no settings for {client!r}.", f"There are for: {known}.")
    return chosen


def _saved(snippets: list[Json], folder: Path, overwrite: bool) -> list[Path]:
    texts = {files.inside(folder, _plain_name(snippet)): snippet["text"] for snippet in snippets if snippet["filename"]}
    texts[folder / "README.txt"] = "\n".join(map(_described, snippets))
    if not overwrite:
        files.refuse_overwrite(texts, option="--overwrite")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file, text in texts.items():
        files.write_private(file, text)
    return list(texts)


def _plain_name(snippet: Json) -> str:
    """`~/.aws/config`, where the client looks for it, is `aws-config` in the folder asked for."""
    place, client = str(snippet["filename"]), str(snippet["client"])
    if not place.startswith("~/"):
        return place
    last = place.rsplit("/", 1)[-1].lstrip(".")
    return last if client in last else f"{client}-{last}"


def _described(snippet: Json) -> str:
    belongs = f"Belongs in: {snippet['filename']}\n" if snippet["filename"] else ""
    return f"{_titled(snippet)}\n{belongs}{snippet['note']}\n\n{snippet['text'].rstrip()}\n\n"


def _titled(snippet: Json) -> str:
    return f"{snippet['title']}\n{'-' * len(snippet['title'])}"


def _show(session: Session, settings: Json) -> None:
    pairs = [(name, settings[name]) for name in ("repository", "endpoint", "region")]
    session.out.record(settings, pairs)
    for snippet in settings["snippets"]:
        session.out.heading(snippet["title"] + (f" ({snippet['filename']})" if snippet.get("filename") else ""))
        session.out.text(snippet["text"].rstrip("\n"))
        if snippet.get("note"):
            session.out.note(snippet["note"])
