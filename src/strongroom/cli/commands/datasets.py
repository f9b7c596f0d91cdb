"""`strongroom dataset …`: data sets, from creation to the manifest's counts."""

from datetime import datetime

import click

from strongroom.cli import find, words
from strongroom.cli.commands import grants
from strongroom.cli.deeds import Noun, command_name, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Kind, State, Verb

COLUMNS = (
    Column("ID", lambda item: words.short_id(item["id"])),
    Column("NAME", lambda item: item["name"], shrinks=True),
    Column("KIND", lambda item: item["kind"]),
    Column("STATE", lambda item: item["state"]),
    Column("OBJECTS", lambda item: words.number(item.get("object_count")), is_right=True),
    Column("SIZE", lambda item: words.size(item.get("size_bytes")), is_right=True),
)
KINDS = [kind.value for kind in Kind]
_GRANTS_SHOWN = 8
DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.group(cls=Noun)
def dataset() -> None:
    """Data sets: create, fill, finalize, promote, delete.

    DATASET is an id, the beginning of one (4 characters or more), a repository or an exact name.
    """


@deed(
    dataset,
    Verb.DATASET_CREATE,
    examples=[
        "strongroom dataset create 'Heart study' 'Cohort 2024' --kind original",
        "strongroom dataset create 'Heart study' 'Means' --kind derivative --source 'Cohort 2024'",
    ],
)
@click.argument("space")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="Original: frozen once finalized.")
@click.option("--description", help="What it is.")
@click.option("--classification", "data_classifications", multiple=True, help="E.g. PHI; repeat for several.")
@click.option("--format", "data_format", help="E.g. CSV, DICOM.")
@click.option("--owner-contact", help="Whom to ask about the data.")
@click.option("--needed-until", type=DATE, metavar="YYYY-MM-DD", help="The day after which it is no longer needed.")
@click.option("--source", "sources", multiple=True, metavar="DATASET", help="Where a derivative comes from; repeat.")
@click.option("--external-source", help="Where a derivative comes from, if not from this space.")
def create(
    session: Session, space: str, name: str, needed_until: datetime | None, sources: tuple[str, ...], **fields: object
) -> None:
    """Create a data set.

    It gets an empty repository of its own, open to nobody yet.
    """
    body = {
        "space_id": find.space(session.api, space)["id"],
        "name": name,
        "needed_until": _day(needed_until),
        "source_ids": [find.dataset(session.api, source)["id"] for source in sources],
        **{field: list(value) if isinstance(value, tuple) else value for field, value in fields.items()},
    }
    made = session.api.create("/datasets", body)
    session.out.done(
        made,
        f"{made['name']} is there, pending, with the repository {made['repository']}.",
        f"strongroom attachment add {words.short_id(made['id'])} agreement.pdf --title 'Data use agreement'",
        f"strongroom upload FOLDER {words.short_id(made['id'])}",
        f"strongroom key issue {words.short_id(made['id'])}",
    )


@deed(
    dataset,
    Verb.DATASET_LIST,
    examples=["strongroom dataset list --space 'Heart study'", "strongroom dataset list --state pending --json"],
)
@click.option("--space", help="Only of this space.")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only in this state.")
@click.option("--search", help="Part of the name.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(
    session: Session, space: str | None, kind: str | None, state: str | None, search: str | None, limit: int | None
) -> None:
    """List the data sets you may see."""
    space_id = find.space(session.api, space)["id"] if space else None
    filters = {"space_id": space_id, "kind": kind, "state": state, "search": search}
    found = session.api.items("/datasets", filters, limit=limit)
    session.out.rows(found, COLUMNS, empty="No data sets. Create one with `strongroom dataset create SPACE NAME`.")


@deed(
    dataset, Verb.DATASET_SHOW, examples=["strongroom dataset show 'Cohort 2024'", "strongroom dataset show 9ec7c0b6"]
)
@click.argument("dataset")
def show(session: Session, dataset: str) -> None:
    """Show one data set.

    Its catalogue entry, its state, and what you may do now.
    """
    found = session.api.get(path("datasets", find.dataset(session.api, dataset)["id"]))
    is_page = not (session.out.is_json or session.out.is_quiet)
    session.out.record(found, _facts(found, _granted(session, found) if is_page else []))


@deed(dataset, Verb.DATASET_EDIT, examples=["strongroom dataset edit 'Cohort 2024' --description 'Second wave'"])
@click.argument("dataset")
@click.option("--name", help="A new name.")
@click.option("--description", help="What it is.")
@click.option("--classification", "data_classifications", multiple=True, help="All of them; repeat for several.")
@click.option("--format", "data_format", help="E.g. CSV, DICOM.")
@click.option("--owner-contact", help="Whom to ask about the data.")
@click.option("--needed-until", type=DATE, metavar="YYYY-MM-DD", help="The day after which it is no longer needed.")
@click.option("--source", "sources", multiple=True, metavar="DATASET", help="All sources of a derivative; repeat.")
@click.option("--external-source", help="Where a derivative comes from, if not from this space.")
def edit(
    session: Session, dataset: str, needed_until: datetime | None, sources: tuple[str, ...], **options: object
) -> None:
    """Change the catalogue entry.

    Once the data set is finalized, only description and contact can be changed.
    """
    changes: Json = {name: value for name, value in options.items() if value not in (None, ())}
    if needed_until:
        changes["needed_until"] = _day(needed_until)
    if sources:
        changes["source_ids"] = [find.dataset(session.api, source)["id"] for source in sources]
    if not changes:
        raise usage("Nothing to change was given.", "See `strongroom dataset edit --help`.")
    found = find.dataset(session.api, dataset)
    changed = session.api.patch(path("datasets", found["id"]), changes)
    session.out.done(changed, f"{changed['name']} is changed.")


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


def _granted(session: Session, found: Json) -> list[str]:
    """The servers that may touch it, the newest grants first."""
    if not found.get("live_grants"):
        return []
    params = {"dataset_id": found["id"], "is_live": "true"}
    shown = session.api.items("/grants", params, limit=_GRANTS_SHOWN)
    more = found["live_grants"] - len(shown)
    rest = [f"and {more} more: strongroom grant list --dataset {words.short_id(found['id'])}"] if more > 0 else []
    return [*(f"{item['server_name']} ({grants.sentence(item)})" for item in shown), *rest]


def _facts(found: Json, granted: list[str]) -> list[tuple[str, object]]:
    return [
        ("name", found["name"]),
        ("space", f"{found['space_name']} ({words.short_id(found['space_id'])})"),
        ("kind", found["kind"] + (" (promoted)" if found["kind"] == "original" and found.get("derivative") else "")),
        ("state", _state(found)),
        ("description", found.get("description")),
        ("classifications", found.get("data_classifications")),
        ("format", found.get("data_format")),
        ("sources", [f"{source['name']} ({words.short_id(source['id'])})" for source in found.get("sources") or []]),
        ("external source", found.get("external_source")),
        ("owner contact", found.get("owner_contact")),
        ("needed until", found.get("needed_until")),
        ("content", _content(found)),
        ("late objects", found.get("late_objects") or None),
        ("damaged", _damage(found)),
        ("fixity", _fixity(found)),
        ("manifest", found.get("manifest_sha256")),
        ("locked until", words.moment(found.get("locked_until"))),
        ("access key", _key(found.get("key"))),
        ("granted to", granted),
        ("deletion", _deletion(found.get("deletion") or {})),
        ("created", _when(found, "created")),
        ("modified", _when(found, "modified")),
        ("finalized", _when(found, "finalized")),
        ("deleted", words.moment(found.get("deleted_at"))),
        ("repository", found["repository"]),
        ("id", found["id"]),
        ("you may", [" ".join(command_name(Verb(verb))).removeprefix("dataset ") for verb in found.get("may") or []]),
    ]


def _damage(found: Json) -> str:
    if not found.get("damaged_objects"):
        return ""
    said = words.counted(found["damaged_objects"], "object")
    return f"✗ {said} missing, altered or unreadable: strongroom fixity show {words.short_id(found['id'])}"


def _fixity(found: Json) -> str:
    check = found.get("last_check")
    if not check:
        return ""
    if check["ended_at"]:
        is_of_digests = check["completes_digests"] and check["state"] == "passed"
        what = "digests completed" if is_of_digests else f"last check {check['state']}"
        due = f", next {words.moment(found['fixity_due_at'])}" if found.get("fixity_due_at") else ""
        return f"{what} {words.moment(check['ended_at'])}{due}"
    doing = "digests are being completed" if check["completes_digests"] else "being checked"
    return (
        f"{doing}, {words.number(check['objects_done'])} of {words.counted(found.get('object_count') or 0, 'object')}"
    )


def _state(found: Json) -> str:
    parts = [str(found["state"]), str(found.get("step") or "").replace("_", " ")]
    if not found.get("is_settled", True):
        parts.append(
            f"the storage engine has yet to follow{': ' + found['last_error'] if found.get('last_error') else ''}"
        )
    return ", ".join(part for part in parts if part)


def _content(found: Json) -> str:
    if found.get("object_count") is None:
        return ""
    return f"{words.counted(found['object_count'], 'object')}, {words.size(found.get('size_bytes'))}"


def _deletion(deletion: Json) -> str:
    asked = f"requested by {deletion['requested_by']}" if deletion.get("requested_by") else ""
    confirmed = f"confirmed by {deletion['confirmed_by']}" if deletion.get("confirmed_by") else ""
    reason = f"reason: {deletion['reason']}" if deletion.get("reason") else ""
    return ", ".join(part for part in (asked, confirmed, reason) if part)


def _key(key: Json | None) -> str:
    if not key:
        return ""
    return f"{key.get('access_key_id') or ''} {key['status']}, expires {words.moment(key.get('expires_at'))}".strip()


def _when(found: Json, deed: str) -> str:
    at, who = words.moment(found.get(f"{deed}_at")), found.get(f"{deed}_by")
    return f"{at} by {who}" if at and who else at
