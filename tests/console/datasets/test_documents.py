"""Attachments, contents, lineage, integrity, activity and the record; and what people stored is never markup."""

import gzip
import html
import io
import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from strongroom.actions import attachments, checking, datasets, inventory, rechecking
from strongroom.core.vocabulary import AttachmentKind, CheckState, Kind, Role
from strongroom.db.models import Attachment, Dataset, Event, FixityCheck, Manifest
from tests.actions.checks import spoil
from tests.console.datasets.shown import refused, root, seen, sent, text
from tests.console.signed_in import browser
from tests.world import World

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def _file(name: str = "agreement.pdf", content: bytes = b"signed") -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def _token(client: Client, path: str) -> str:
    page = client.get(path).content.decode()
    return page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def test_a_document_is_attached_opened_by_a_link_and_removed(world: World) -> None:
    dataset = world.dataset()
    client, path = browser(world.owner(dataset.space)), f"{root(dataset)}/attachments"
    page = sent(client, path, kind="data-use-agreement", title="The agreement", file=_file())
    assert "was attached" in page and "Data use agreement" in page and "agreement.pdf" in page
    row = Attachment.objects.get()
    linked = client.post(f"{path}/{row.id}/link")
    assert linked.status_code == 200 and "works until" in text(linked)
    assert linked.headers["Cache-Control"] == "no-store"
    assert "works until" not in seen(client, path)
    sent(client, f"{path}/{row.id}/remove")
    assert "Nothing is attached" in seen(client, path)
    assert client.post(f"{path}/{row.id}/link").status_code == 404


def test_a_document_of_a_finalized_data_set_is_superseded_not_removed(world: World) -> None:
    dataset = world.dataset()
    owner = world.owner(dataset.space)
    kind = AttachmentKind.APPROVAL
    row = attachments.add(owner, dataset.id, filename="a.pdf", title="Approval", kind=kind, body=io.BytesIO(b"1"))
    world.finalized(dataset)
    client, path = browser(owner), f"{root(dataset)}/attachments"
    assert "Supersede the attachment" in refused(client, f"{path}/{row.id}/remove", 409)
    refused(client, f"{path}/{row.id}/supersede", 422, kind="approval", title="New", file=_file(), reason="")
    page = sent(client, f"{path}/{row.id}/supersede", kind="approval", title="New", file=_file(), reason="Renewed")
    assert "took the old document" in page and "superseded: Renewed" in page


def test_uploads_without_a_file_a_kind_or_a_good_name_are_refused(world: World) -> None:
    dataset = world.dataset()
    client, path = browser(world.owner(dataset.space)), f"{root(dataset)}/attachments"
    assert "Choose the file" in refused(client, path, 422, kind="other")
    assert "What is the document" in refused(client, path, 422, kind="secret", file=_file())
    refused(client, path, 422, kind="other", file=_file("CON.pdf"))
    assert not Attachment.objects.exists()


def test_an_upload_needs_the_token_of_the_form_and_the_right_to_attach(world: World) -> None:
    dataset = world.dataset()
    path = f"{root(dataset)}/attachments"
    client = browser(world.owner(dataset.space), enforce_csrf_checks=True)
    assert client.post(path, {"kind": "other", "file": _file()}).status_code == 403
    assert not Attachment.objects.exists()
    form = {"kind": "other", "file": _file(), "csrfmiddlewaretoken": _token(client, path)}
    assert client.post(path, form).status_code == 302
    auditor = browser(world.member(dataset.space, Role.AUDITOR))
    assert "You may not" in refused(auditor, path, 403, kind="other", file=_file())
    assert browser(world.person()).post(path, {"kind": "other", "file": _file()}).status_code == 404


def test_every_other_form_needs_its_token(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space), enforce_csrf_checks=True)
    for deed in ("finalize", "delete", "access/key", "access/servers", "edit", "retry"):
        assert client.post(f"{root(dataset)}/{deed}", {"confirm_name": dataset.name}).status_code == 403
    assert Dataset.objects.get(id=dataset.id).state == "pending"


def test_a_file_that_is_too_large_is_refused_while_it_comes_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STRONGROOM", replace(settings.STRONGROOM, attachment_max_bytes=1000))
    dataset = world.dataset()
    client, path = browser(world.owner(dataset.space)), f"{root(dataset)}/attachments"
    page = refused(client, path, 422, kind="other", file=_file(content=b"x" * 200_000))
    assert "at most 1000 bytes" in page
    assert not Attachment.objects.exists()


def test_contents_are_browsed_by_folder(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, **{"a/b/c.csv": b"123", "a/d.csv": b"1", "odd & <i>/x?y#z.csv": b"12", "top.csv": b""})
    client = browser(world.owner(dataset.space))
    page = seen(client, f"{root(dataset)}/contents")
    assert "a/" in page and "4 bytes" in page and "top.csv" in page and "d.csv" not in page
    below = client.get(f"{root(dataset)}/contents", {"prefix": "odd & <i>/"})
    assert "x?y#z.csv" in text(below) and b"<i>/" not in below.content
    assert client.get(f"{root(dataset)}/contents?prefix=a").status_code == 422


def test_lineage_is_drawn_and_told(world: World) -> None:
    source = world.dataset(name="Raw")
    middle = world.dataset(
        source.space, kind=Kind.DERIVATIVE, name="Middle", source_ids=[source.id], external_source="A register"
    )
    last = world.dataset(source.space, kind=Kind.DERIVATIVE, name="Last", source_ids=[middle.id])
    body = browser(world.owner(source.space)).get(f"{root(middle)}/lineage").content.decode()
    assert body.count("<rect ") == 4 + body.count('class="mark-door"') and body.count('class="ds-line"') == 3
    for words in (f"/datasets/{source.id}", f"/datasets/{last.id}", "A register", "Made from it"):
        assert words in body


def test_what_came_late_is_listed_by_the_page_and_is_never_markup(world: World) -> None:
    dataset = world.finalized()
    client = browser(world.owner(dataset.space))
    assert "none were found" in seen(client, f"{root(dataset)}/integrity")
    for number in range(51):
        world.engine._store(dataset.repository, f"{number:02}<i>.csv", b"too late")
    Dataset.objects.update(recheck_at=timezone.now())
    rechecking.run_due()
    first = client.get(f"{root(dataset)}/integrity").content.decode()
    assert "<i>.csv" not in first and first.count("&lt;i&gt;.csv") == 50
    further = re.search(r'href="(\?cursor=[^"]+)"', first)
    assert further is not None
    second = client.get(f"{root(dataset)}/integrity{html.unescape(further[1])}").content.decode()
    assert second.count("&lt;i&gt;.csv") == 1 and "First page" in second


def test_manifest_and_receipt_are_downloaded(world: World) -> None:
    dataset = world.finalized()
    client = browser(world.owner(dataset.space))
    assert "Download the manifest" in seen(client, f"{root(dataset)}/integrity")
    answer = client.get(f"{root(dataset)}/integrity/manifest")
    manifest = b"".join(answer.streaming_content)
    assert b"first.csv" in manifest
    assert answer.headers["Content-Length"] == f"{len(manifest)}", "what is cut off on its way is seen to be"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="manifest-{dataset.id}.jsonl"'
    assert client.head(f"{root(dataset)}/integrity/manifest").status_code == 405
    assert Event.objects.filter(verb="manifest.download").count() == 1, "who asks for the head has read nothing"
    receipt = client.get(f"{root(dataset)}/integrity/receipt")
    assert dataset.repository.encode() in receipt.content and "attachment" in receipt.headers["Content-Disposition"]
    assert b"BEGIN SSH SIGNATURE" in client.get(f"{root(dataset)}/integrity/signature").content
    assert b"ssh-ed25519" in client.get(f"{root(dataset)}/integrity/signers").content
    pending = world.dataset(dataset.space)
    assert "no manifest yet" in seen(client, f"{root(pending)}/integrity")
    assert client.get(f"{root(pending)}/integrity/receipt").status_code == 409


def test_digests_come_later_and_damage_is_shown_where_people_look(world: World) -> None:
    dataset = world.finalized()
    client, page = browser(world.owner(dataset.space)), f"{root(dataset)}/integrity"
    assert "wait until it is their turn" in seen(client, page)
    assert client.get(f"{page}/digests").status_code == 404
    assert "shown here" in sent(client, f"{page}/check")
    FixityCheck.objects.update(state=CheckState.READING)
    assert "without a digest are being read" in seen(client, page)
    asked = client.get(page, headers={"HX-Request": "true"})
    assert 'hx-trigger="every 3s"' in asked.content.decode() and "HX-Refresh" not in asked.headers
    assert "being read: 0 of 1 object" in text(asked) and "Read all of it now" not in text(asked)
    checking.run_due()
    asked = client.get(page, headers={"HX-Request": "true"})
    assert "hx-trigger" not in asked.content.decode() and asked.headers["HX-Refresh"] == "true"
    assert "Nothing is missing or altered" in text(asked)
    assert "second receipt" in seen(client, page)
    assert b"strongroom-digests/1" in client.get(f"{page}/digests").content
    assert b"BEGIN SSH SIGNATURE" in client.get(f"{page}/digests-signature").content
    assert b"  data/first.csv" in b"".join(client.get(f"{page}/manifest?form=bagit").streaming_content)
    assert b"ro/crate" in client.get(f"{page}/crate").content
    world.engine.delete_object(dataset.repository, "first.csv")
    sent(client, f"{page}/check")
    checking.run_due()
    shown = seen(client, page)
    assert "1 object missing, altered or unreadable" in shown and "first.csv" in shown
    assert "1 object missing" in seen(client, root(dataset)) and "Damaged" in seen(client, "/")


def test_digests_that_wait_for_a_damaged_object_hide_no_check_of_the_others(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, **{"a.csv": b"1", "b.csv": b"2"})
    world.finalized(dataset)
    client, page = browser(world.owner(dataset.space)), f"{root(dataset)}/integrity"
    spoil(world, dataset, "a.csv", b"3")
    checking.run_due()
    asked = client.get(page, headers={"HX-Request": "true"})
    assert "hx-trigger" not in asked.content.decode() and asked.headers["HX-Refresh"] == "true"
    said = text(asked)
    assert "all digests are known but that of 1 damaged object" in said and "Read all of it now" in said
    assert "being read: " not in said and "follows by itself" not in said
    assert "known but those of damaged objects" in said and "are being read" not in said
    sent(client, f"{page}/check")
    said = seen(client, page)
    assert "being read: 0 of 2 objects" in said and "known but those of damaged objects" in said
    FixityCheck.objects.filter(completes_digests=True).update(objects_done=0, last_error="")  # an upgrade did that once
    assert "without a digest are being read" in seen(client, page)


def test_digests_that_wait_for_the_storage_engine_say_so(world: World) -> None:
    dataset = world.finalized()
    client, page = browser(world.owner(dataset.space)), f"{root(dataset)}/integrity"
    sent(client, f"{page}/check")
    recorded = Manifest.objects.get()
    lines = b"".join(inventory.read(recorded))
    world.engine.put_object(inventory.records(), recorded.object_key, io.BytesIO(gzip.compress(b"")))
    checking.run_due()
    said = seen(client, page)
    assert "wait to be read until this is over, and are tried again by themselves: The list of objects" in said
    assert "waiting, 0 of 1 object done: The list of objects" in said and "being read" not in said
    world.engine.put_object(inventory.records(), recorded.object_key, io.BytesIO(gzip.compress(lines)))
    FixityCheck.objects.update(next_at=timezone.now())
    checking.run_due()
    assert "second receipt" in seen(client, page)


def test_digests_that_were_never_completed_of_a_deleted_data_set_are_not_waited_for(world: World) -> None:
    dataset = world.finalized()
    owner, steward = world.owner(dataset.space), world.member(dataset.space, Role.STEWARD)
    client, page = browser(owner), f"{root(dataset)}/integrity"
    sent(client, f"{page}/check")
    datasets.request_deletion(owner, dataset.id, reason="It is over.")
    datasets.confirm_deletion(steward, dataset.id, confirm_name=dataset.name)
    checking.run_due()
    said = seen(client, page)
    assert "Not all of them were known when it was deleted" in said and "being read" not in said
    assert "not read to its end" in said and "digests completed" not in said


def test_activity_is_for_owners_and_auditors_and_edits_are_for_all(world: World) -> None:
    dataset = world.dataset()
    owner = world.owner(dataset.space)
    datasets.edit(owner, dataset.id, changes={"description": "New words"})
    client = browser(owner)
    shown = seen(client, f"{root(dataset)}/activity")
    assert "dataset.edit" in shown and "Edit the data set" in shown
    assert "Nothing of this kind" in seen(client, f"{root(dataset)}/activity?verb=key.issue")
    seen(client, f"{root(dataset)}/activity?verb=nonsense")
    researcher = seen(browser(world.member(dataset.space, Role.RESEARCHER)), f"{root(dataset)}/activity")
    assert "You may not list audit events" in researcher and "New words" in researcher


def test_the_record_is_edited_and_what_is_closed_cannot_be(world: World) -> None:
    dataset = world.dataset(name="Before")
    client = browser(world.owner(dataset.space))
    form = {"name": "After", "description": "D", "data_classifications": "PHI", "needed_until": "2031-12-31"}
    assert "The record was changed" in sent(client, f"{root(dataset)}/edit", **form)
    assert Dataset.objects.get(id=dataset.id).name == "After"
    assert "Some fields cannot be taken: name" in refused(client, f"{root(dataset)}/edit", 422, name="")
    done = world.finalized(Dataset.objects.get(id=dataset.id))
    assert "only description and contact" in seen(client, f"{root(done)}/edit")
    assert "cannot be changed" in refused(client, f"{root(done)}/edit", 409, name="Other")
    sent(client, f"{root(done)}/edit", description="Still open")


def test_sources_of_a_derivative_are_changed(world: World) -> None:
    one = world.dataset(name="One")
    two = world.dataset(one.space, name="Two")
    made = world.dataset(one.space, kind=Kind.DERIVATIVE, source_ids=[one.id])
    client, path = browser(world.owner(one.space)), f"{root(made)}/edit"
    sent(client, path, name=made.name, has_sources="1", source_ids=str(two.id), external_source="")
    assert [link.source_id for link in made.source_links.all()] == [two.id]
    none = {"has_sources": "1", "was_source_ids": str(two.id), "external_source": ""}
    assert "must say what it is made from" in refused(client, path, 422, **none)


def test_what_people_stored_is_text_on_every_page(world: World) -> None:
    space = world.space(name=f"Space {EVIL}"[:100])
    fields = {"description": EVIL, "data_classifications": [EVIL], "data_format": EVIL, "owner_contact": EVIL}
    source = world.dataset(space, name=f"Source {EVIL}", **fields)
    dataset = world.dataset(
        space, kind=Kind.DERIVATIVE, name=f"Evil {EVIL}", source_ids=[source.id], external_source=EVIL, **fields
    )
    owner = world.owner(space)
    world.uploaded(dataset, **{f"{EVIL}/x": b"1", f"file {EVIL}": b"2"})
    kind = AttachmentKind.OTHER
    attachments.add(owner, dataset.id, filename="a.pdf", title=EVIL, kind=kind, body=io.BytesIO(b"1"))
    datasets.edit(owner, dataset.id, changes={"data_format": f"More {EVIL}"})
    world.finalized(dataset)
    world.granted(dataset, reason=EVIL)
    datasets.request_deletion(owner, dataset.id, reason=EVIL)
    Dataset.objects.filter(id=dataset.id).update(last_error=EVIL)
    client = browser(owner)
    tabs = ("", "/access", "/connect", "/attachments", "/contents", "/lineage", "/integrity", "/activity", "/edit")
    paths = [root(dataset) + tab for tab in (*tabs, "/confirm-deletion", "/promote", "/progress")]
    for path in [*paths, root(source), f"{root(source)}/finalize", f"/spaces/{space.id}/datasets/new"]:
        body = client.get(path).content
        assert b"<script>alert" not in body and b"<img" not in body and b"&lt;script&gt;" in body, path


def test_an_upload_with_a_text_that_cannot_be_stored_is_refused(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    refused(client, f"{root(dataset)}/attachments", 422, kind="other", title="a\0b", file=_file())


def test_many_documents_come_in_parts_and_a_link_is_shown_where_its_document_is(world: World) -> None:
    dataset = world.dataset()
    owner = world.owner(dataset.space)
    added = [
        attachments.add(
            owner, dataset.id, filename="a.pdf", title=f"No {n}.", kind=AttachmentKind.OTHER, body=io.BytesIO(b"1")
        )
        for n in range(30)
    ]
    client, path = browser(owner), f"{root(dataset)}/attachments"
    first = client.get(path).content.decode()
    assert "No 24." in first
    assert "No 25." not in first
    assert 'href="?cursor=25"' in first
    rest = client.get(f"{path}?cursor=25").content.decode()
    assert "No 29." in rest
    assert "Next page" not in rest
    assert "Open a.pdf" in client.post(f"{path}/{added[-1].id}/link").content.decode()
    assert "No 0." in client.get(f"{path}?cursor=x").content.decode()
