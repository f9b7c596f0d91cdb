"""The life of a data set over HTTP."""

import json
import uuid
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from strongroom.core import ledger
from strongroom.core.vocabulary import Kind, Role
from strongroom.db.models import Dataset
from tests.api.callers import Caller, calling
from tests.api.test_problems import problem
from tests.world import World

FIELDS = {
    "id", "space_id", "space_name", "kind", "name", "description", "repository", "state", "step", "progress_objects",
    "is_settled",
    "data_classifications", "data_format", "derivative", "source_ids", "sources", "external_source", "owner_contact",
    "needed_until", "created_at", "created_by", "modified_at", "modified_by", "finalized_at", "finalized_by",
    "locked_until", "object_count", "size_bytes", "manifest_sha256", "late_objects", "live_grants", "deletion",
    "deleted_at", "last_error", "key", "role", "may", "blocked", "digests_sha256", "last_check", "damaged_objects",
    "fixity_due_at",
}  # fmt: skip


def load(answer: object) -> dict[str, object]:
    assert answer.status_code < 300, answer.content  # type: ignore[attr-defined]
    found: dict[str, object] = json.loads(answer.content)  # type: ignore[attr-defined]
    return found


def test_a_data_set_is_made_shown_listed_and_edited(world: World) -> None:
    space = world.space()
    owner = calling(world.owner(space))
    body = {
        "space_id": str(space.id), "kind": "original", "name": "MRI scans", "data_classifications": ["PHI"],
        "data_format": "DICOM", "needed_until": "2031-12-31", "owner_contact": "x@example.org",
    }  # fmt: skip
    made = load(owner("POST", "/datasets", body))
    assert set(made) == FIELDS
    assert (made["state"], made["derivative"], made["key"], made["role"]) == ("pending", False, None, "owner")
    assert str(made["created_at"]).endswith("Z")
    assert load(owner("GET", f"/datasets/{made['id']}")) == made
    assert [each["id"] for each in load(owner("GET", "/datasets?search=mri"))["items"]] == [made["id"]]  # type: ignore[attr-defined]
    edited = load(owner("PATCH", f"/datasets/{made['id']}", {"description": "T1", "needed_until": None}))
    assert (edited["description"], edited["needed_until"], edited["name"]) == ("T1", None, "MRI scans")


def test_a_derivative_shows_its_sources(world: World) -> None:
    space = world.space()
    source = world.dataset(space)
    body = {"space_id": str(space.id), "kind": "derivative", "name": "Means", "source_ids": [str(source.id)]}
    made = load(calling(world.owner(space))("POST", "/datasets", body))
    assert made["source_ids"] == [str(source.id)]
    assert made["sources"] == [{"id": str(source.id), "name": source.name, "kind": "original", "state": "pending"}]
    assert made["derivative"] is True


def test_from_upload_to_receipt(world: World) -> None:
    dataset = world.dataset()
    owner, path = calling(world.owner(dataset.space)), f"/datasets/{dataset.id}"
    world.uploaded(dataset)
    assert [each["key"] for each in load(owner("GET", f"{path}/contents"))["items"]] == ["first.csv"]  # type: ignore[attr-defined]
    problem(owner("POST", f"{path}/finalize", {"confirm_name": "wrong"}), 422, "not-confirmed")
    answer = owner("POST", f"{path}/finalize", {"confirm_name": dataset.name})
    assert (answer.status_code, load(answer)["state"]) == (202, "finalizing")
    world.settled(dataset)
    shown = load(owner("GET", path))
    assert (shown["state"], shown["object_count"]) == ("finalized", 1)
    manifest = load(owner("GET", f"{path}/manifest"))
    assert manifest["root_sha256"] == shown["manifest_sha256"]
    download = owner("GET", f"{path}/manifest/download")
    assert download.headers["Content-Type"] == "application/jsonl"
    lines = b"".join(download.streaming_content)  # type: ignore[attr-defined]
    assert json.loads(lines)["key"] == "first.csv"
    assert download.headers["Content-Length"] == f"{len(lines)}", "what is cut off on its way is seen to be"
    assert download.headers["Content-Disposition"] == f'attachment; filename="manifest-{dataset.id}.jsonl"'
    receipt = load(owner("GET", f"{path}/receipt"))
    assert receipt["public_key"] == load(Caller()("GET", "/receipt-key"))["public_key"]
    problem(owner("POST", f"{path}/keys"), 409, "state")


def test_a_key_is_issued_listed_renewed_reset_and_revoked(world: World) -> None:
    dataset = world.dataset()
    owner, path = calling(world.owner(dataset.space)), f"/datasets/{dataset.id}/keys"
    issued = load(owner("POST", path))
    assert set(issued) == {"key", "secret", "repository", "endpoint", "region", "note"}
    connect = load(owner("GET", f"/datasets/{dataset.id}/connect"))
    assert issued["secret"] not in json.dumps(connect)
    assert "rclone" in {each["client"] for each in connect["snippets"]}  # type: ignore[attr-defined]
    renewed = load(owner("POST", f"{path}/renew", {"days": 3}))
    assert renewed["expires_at"] != issued["key"]["expires_at"]  # type: ignore[index]
    again = load(owner("POST", f"{path}/reset", {}))
    assert again["secret"] != issued["secret"]
    assert load(owner("DELETE", f"{path}/current"))["status"] == "revoked"
    assert [each["status"] for each in load(owner("GET", path))["items"]] == ["revoked", "revoked"]  # type: ignore[attr-defined]


def test_a_pending_data_set_is_deleted_with_its_name(world: World) -> None:
    dataset = world.dataset()
    owner, path = calling(world.owner(dataset.space)), f"/datasets/{dataset.id}"
    problem(owner("DELETE", path), 422, "invalid")
    assert owner("DELETE", f"{path}?confirm_name={dataset.name}&reason=test").status_code == 202
    world.settled(dataset)
    assert load(owner("GET", path))["state"] == "deleted"


def test_a_finalized_data_set_goes_when_a_second_person_confirms(world: World) -> None:
    dataset = world.finalized()
    owner, path = calling(world.owner(dataset.space)), f"/datasets/{dataset.id}"
    steward = calling(world.member(dataset.space, Role.STEWARD))
    assert load(owner("POST", f"{path}/request-deletion", {"reason": "over"}))["deletion"]["reason"] == "over"  # type: ignore[index]
    assert load(owner("POST", f"{path}/withdraw-deletion"))["deletion"] is None
    owner("POST", f"{path}/request-deletion", {"reason": "over"})
    problem(owner("POST", f"{path}/confirm-deletion", {"confirm_name": dataset.name}), 403, "same-person")
    assert steward("POST", f"{path}/confirm-deletion", {"confirm_name": dataset.name}).status_code == 202
    world.settled(dataset)
    gone = load(owner("GET", path))
    assert gone["state"] == "deleted"
    assert gone["manifest_sha256"]


def test_a_derivative_is_promoted(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    owner = calling(world.owner(dataset.space))
    assert owner("POST", f"/datasets/{dataset.id}/promote", {"confirm_name": dataset.name}).status_code == 202
    assert world.settled(dataset).kind == "original"


def test_a_document_is_attached_linked_superseded_and_removed(world: World) -> None:
    dataset = world.dataset()
    owner, path = calling(world.owner(dataset.space)), f"/datasets/{dataset.id}/attachments"
    made = load(owner("POST", path, form=_form("agreement.pdf", b"%PDF")))
    assert (made["filename"], made["size_bytes"], made["superseded_by"]) == ("agreement.pdf", 4, None)
    assert str(load(owner("POST", f"{path}/{made['id']}/link"))["url"]).startswith("http")
    second = load(owner("POST", path, form=_form("second.pdf", b"%PDF")))
    assert owner("DELETE", f"{path}/{second['id']}?reason=wrong+file").status_code == 204
    dataset = world.finalized(dataset)
    form = {**_form("next.pdf", b"%PDF2"), "reason": "renewed"}
    newer = load(owner("POST", f"{path}/{made['id']}/supersede", form=form))
    listed = load(owner("GET", path))["items"]
    assert [(each["id"], each["superseded_by"]) for each in listed] == [(made["id"], newer["id"]), (newer["id"], None)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("leave_out", ["title", "kind", "file"])
def test_a_form_that_lacks_something_says_what(world: World, leave_out: str) -> None:
    dataset = world.dataset()
    form = {name: value for name, value in _form("a.pdf", b"x").items() if name != leave_out}
    answer = calling(world.owner(dataset.space))("POST", f"/datasets/{dataset.id}/attachments", form=form)
    assert leave_out in str(problem(answer, 422, "invalid")["fields"])


@pytest.mark.parametrize("size_bytes", [1001, 200_000])
def test_a_document_over_the_limit_is_refused_while_it_is_read(world: World, settings: object, size_bytes: int) -> None:
    dataset = world.dataset()
    with override_settings(STRONGROOM=replace(settings.STRONGROOM, attachment_max_bytes=1000)):  # type: ignore[attr-defined]
        form = _form("a.pdf", b"x" * size_bytes)
        answer = calling(world.owner(dataset.space))("POST", f"/datasets/{dataset.id}/attachments", form=form)
    problem(answer, 413, "too-large")


def test_who_may_not_attach_is_refused_before_the_document_is_read(world: World, settings: object) -> None:
    dataset = world.dataset()
    stranger = calling(world.person("stranger"))
    with override_settings(STRONGROOM=replace(settings.STRONGROOM, attachment_max_bytes=1000)):  # type: ignore[attr-defined]
        # Too large as well: had it been read, that is what would be said.
        answer = stranger("POST", f"/datasets/{dataset.id}/attachments", form=_form("a.pdf", b"x" * 200_000))
        problem(answer, 404, "not-found")
        auditor = calling(world.member(dataset.space, Role.AUDITOR))
        answer = auditor("POST", f"/datasets/{dataset.id}/attachments", form=_form("a.pdf", b"x" * 200_000))
        problem(answer, 403, "role")


def test_the_ledger_is_listed_exported_and_verified(world: World) -> None:
    space = world.space()
    root, owner = calling(world.administrator), calling(world.owner(space))
    items = load(root("GET", "/audit?limit=2"))["items"]
    assert [each["sequence"] for each in items] == sorted((each["sequence"] for each in items), reverse=True)  # type: ignore[attr-defined]
    report = load(root("GET", "/audit/verify"))
    assert (report["is_intact"], report["is_partial"], report["faults"]) == (True, False, [])
    assert load(owner("GET", f"/audit/verify?space_id={space.id}"))["is_partial"] is True
    export = root("GET", "/audit/export")
    lines = b"".join(export.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert ledger.verify_export(lines).is_whole
    problem(owner("GET", "/audit"), 403, "role")
    status = load(root("GET", "/system/status"))
    assert status["ledger_sequence"] == ledger.verify_export(lines).head[0]


def test_a_list_takes_as_many_queries_for_ten_thousand_data_sets_as_for_one(
    world: World, django_assert_max_num_queries: object
) -> None:
    space = world.space()
    one, owner = world.dataset(space), calling(world.owner(space))
    columns = {field.attname: getattr(one, field.attname) for field in Dataset._meta.fields}
    _make_many(columns)
    owner("GET", "/datasets")  # notes the use of the token
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        page = load(owner("GET", "/datasets?limit=100"))
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        load(owner("GET", f"/datasets?limit=100&cursor={page['next_cursor']}"))
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        load(owner("GET", f"/datasets/{one.id}"))


def _make_many(columns: dict[str, object]) -> None:
    rows = (
        Dataset(**{**columns, "id": uuid.uuid4(), "name": f"Bulk {number:05}", "repository": f"bulk-{number}"})
        for number in range(10_000)
    )
    Dataset.objects.bulk_create(rows, batch_size=500)


def _form(filename: str, content: bytes) -> dict[str, object]:
    return {"title": "Agreement", "kind": "data-use-agreement", "file": SimpleUploadedFile(filename, content)}
