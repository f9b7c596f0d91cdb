"""Attachments: safe names, whole bytes, and a history that stays readable to those who answer for it."""

import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from typing import BinaryIO, cast

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from strongroom.actions import attachments, datasets
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from strongroom.core.vocabulary import AttachmentKind, Role, Verb
from strongroom.db.models import Attachment, Dataset, Event
from tests.actions.attempts import attach, failing, refused, supersede
from tests.actions.rules import assert_proved
from tests.world import World, actor_of


def stored_keys(world: World, dataset: Dataset) -> list[str]:
    """What lies in the bucket."""
    return [each.key for each in world.engine.list_objects(dataset.repository)]


def test_a_document_is_kept_with_its_hash_under_a_key_made_from_its_id(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    body = b"%PDF-1.7" * 100_000
    added = attach(owner, dataset, "Zustimmung Ärztekammer.pdf", body)
    assert added.object_key == f"_attachments/{added.id}.pdf"
    assert b"".join(world.engine.read_object(dataset.repository, added.object_key)) == body
    [listed] = attachments.list_(owner, dataset.id)
    assert (listed.filename, listed.size_bytes, listed.added_by.email) == (
        "Zustimmung Ärztekammer.pdf",
        len(body),
        owner.email,
    )
    assert listed.sha256 == hashlib.sha256(body).hexdigest() == Event.objects.get(verb="attachment.add").after["sha256"]


def test_documents_are_not_among_the_contents_and_not_in_the_manifest(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.uploaded(dataset)
    attach(owner, dataset)
    assert [each.key for each in datasets.contents(owner, dataset.id).items] == ["first.csv"]
    assert assert_proved(world.finalized(dataset)).object_count == 1


@pytest.mark.parametrize(
    "filename",
    [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\secret.pdf",
        "a\0.pdf",
        "a\n.pdf",
        "dua\u202efdp.exe",
        "a\u2044b.pdf",
        "..%2f..%2fx.pdf",
        "%252e%252e%252fx.pdf",
        "x" * 252 + ".pdf",
        "ä" * 126 + ".pdf",
        "CON.pdf",
        "a.pdf ",
    ],
)
def test_a_name_that_could_mean_something_else_is_refused_before_a_byte_is_read(filename: str, world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    body = io.BytesIO(b"never read")
    with pytest.raises(Invalid) as refusal:
        attachments.add(
            owner, dataset.id, filename=filename, title="", kind=AttachmentKind.OTHER, body=cast("BinaryIO", body)
        )
    assert "filename" in refusal.value.fields
    assert body.tell() == 0
    assert not Attachment.objects.exists()
    newest = Event.objects.order_by("-sequence")[0]
    assert (newest.verb, newest.outcome, newest.actor_id) == ("attachment.add", "refused", owner.person_id)


def test_a_document_that_is_too_large_leaves_neither_row_nor_object(world: World, settings: Settings) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, attachment_max_bytes=100)
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    assert attach(owner, dataset, body=b"x" * 100).size_bytes == 100
    with refused(Verb.ATTACHMENT_ADD, owner, Invalid, "too-large"):
        attach(owner, dataset, body=b"x" * 101)
    assert Attachment.objects.count() == len(stored_keys(world, dataset)) == 1


def test_a_document_that_the_engine_does_not_take_leaves_no_row(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.engine.is_down = True
    with refused(Verb.ATTACHMENT_ADD, owner, Unavailable, "unavailable"):
        attach(owner, dataset)
    assert not Attachment.objects.exists()


def test_nothing_is_attached_while_the_bucket_is_being_closed(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.uploaded(dataset)
    datasets.finalize(owner, dataset.id, confirm_name=dataset.name)
    with refused(Verb.ATTACHMENT_ADD, owner, Conflict, "closing"):
        attach(owner, dataset)
    world.settled(dataset)
    assert attach(owner, dataset).size_bytes


def test_a_link_is_written_down_before_it_exists_and_lives_five_minutes(world: World) -> None:
    dataset = world.dataset()
    added = attach(actor_of(dataset.created_by), dataset)
    auditor = world.member(dataset.space, Role.AUDITOR)
    world.engine.on_call = lambda name: seen.append(Event.objects.filter(verb="attachment.link").count())
    seen: list[int] = []
    link = attachments.link(auditor, dataset.id, added.id)
    assert seen == [1]
    assert link.url.endswith(f"/{dataset.repository}/{added.object_key}?expires=300")
    assert timedelta(seconds=290) < link.expires_at - timezone.now() <= timedelta(seconds=300)
    assert Event.objects.get(verb="attachment.link").actor_email == auditor.email


def test_a_removed_document_is_gone_and_cannot_be_opened_removed_or_superseded(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    added = attach(owner, dataset)
    attachments.remove(owner, dataset.id, added.id, reason="the wrong file")
    event = Event.objects.get(verb="attachment.remove")
    assert (event.before["sha256"], event.reason) == (added.sha256, "the wrong file")
    assert stored_keys(world, dataset) == [] == attachments.list_(owner, dataset.id)
    with refused(Verb.ATTACHMENT_REMOVE, owner, NotFound, "not-found"):
        attachments.remove(owner, dataset.id, added.id)
    with refused(Verb.ATTACHMENT_LINK, owner, NotFound, "not-found", is_recorded=False):
        attachments.link(owner, dataset.id, added.id)
    world.finalized(dataset)
    with refused(Verb.ATTACHMENT_SUPERSEDE, owner, NotFound, "not-found"):
        supersede(owner, dataset, added)


def test_a_document_of_another_data_set_is_not_found_here(world: World) -> None:
    space = world.space()
    mine, other = world.dataset(space), world.dataset(space)
    owner = world.owner(space)
    added = attach(owner, other)
    with refused(Verb.ATTACHMENT_REMOVE, owner, NotFound, "not-found"):
        attachments.remove(owner, mine.id, added.id)


def test_what_was_removed_while_the_engine_was_away_is_removed_later(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    added = attach(owner, dataset)
    world.engine.on_call = failing("delete_object")
    with pytest.raises(Unavailable):
        attachments.remove(owner, dataset.id, added.id)
    assert attachments.list_(owner, dataset.id) == []
    world.engine.on_call = lambda _: None
    Attachment.objects.update(removed_at=timezone.now() - timedelta(minutes=2))
    assert (attachments.forget_abandoned(), attachments.forget_abandoned()) == (1, 0)
    assert stored_keys(world, dataset) == []
    assert Attachment.objects.get(id=added.id).removed_by_id == owner.person_id


def test_what_was_begun_and_never_ended_is_forgotten_after_a_day(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    kept, begun = attach(owner, dataset), attach(owner, dataset)
    Attachment.objects.filter(id=begun.id).update(is_stored=False)
    assert attachments.forget_abandoned() == 0
    Attachment.objects.update(added_at=timezone.now() - timedelta(hours=25))
    assert attachments.forget_abandoned() == 1
    assert stored_keys(world, dataset) == [kept.object_key]
    assert [each.id for each in Attachment.objects.all()] == [kept.id]


def test_a_superseded_document_stays_readable_to_those_who_answer_for_it(world: World) -> None:
    space = world.space()
    dataset = world.dataset(space)
    owner = world.owner(space)
    old = attach(owner, dataset)
    world.finalized(dataset)
    new = supersede(owner, dataset, old, reason="signed by both")
    for role in (Role.OWNER, Role.STEWARD, Role.AUDITOR):
        member = world.member(space, role)
        assert [each.id for each in attachments.list_(member, dataset.id)] == [old.id, new.id]
        assert attachments.link(member, dataset.id, old.id).url
    researcher = world.member(space, Role.RESEARCHER)
    assert [each.id for each in attachments.list_(researcher, dataset.id)] == [new.id]
    assert attachments.link(researcher, dataset.id, new.id).url
    with refused(Verb.ATTACHMENT_LINK, researcher, Forbidden, "role", is_recorded=False):
        attachments.link(researcher, dataset.id, old.id)
    event = Event.objects.get(verb="attachment.supersede")
    assert (event.before["attachment"], event.after["attachment"]) == (str(old.id), str(new.id))
    assert event.reason == Attachment.objects.get(id=old.id).superseded_reason == "signed by both"


def test_a_document_is_superseded_once_and_with_a_reason(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    old = attach(owner, dataset)
    world.finalized(dataset)
    with refused(Verb.ATTACHMENT_SUPERSEDE, owner, Invalid, "invalid"):
        supersede(owner, dataset, old, reason=" ")
    new = supersede(owner, dataset, old)
    with refused(Verb.ATTACHMENT_SUPERSEDE, owner, Conflict, "superseded"):
        supersede(owner, dataset, old)
    assert supersede(owner, dataset, new).id
