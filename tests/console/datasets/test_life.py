"""The walk through the console, from creating a data set to provisioning a server."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from strongroom.actions import datasets, measuring, transfers
from strongroom.core.vocabulary import Kind, RiskLevel, Role
from strongroom.db.models import Dataset
from tests.console.datasets.shown import refused, root, seen, sent, text
from tests.console.signed_in import browser
from tests.world import World

TABS = ("", "/access", "/connect", "/attachments", "/contents", "/lineage", "/integrity", "/activity", "/edit")


def test_an_original_is_created_and_its_page_says_what_comes_next(world: World) -> None:
    space = world.space()
    client = browser(world.owner(space))
    path = f"/spaces/{space.id}/datasets/new"
    assert "Create dataset" in seen(client, path)
    page = sent(client, path, kind="original", name="MRI scans", data_classifications="PHI, HIPAA")
    made = Dataset.objects.get(name="MRI scans")
    assert made.data_classifications == ["HIPAA", "PHI"]
    for words in ("Pending", made.repository, "Get initial credentials", "Finalize", "No agreement"):
        assert words in page


def test_a_derivative_names_its_sources_and_is_warned_about_agreements(world: World) -> None:
    source = world.dataset(name="Raw")
    client = browser(world.owner(source.space))
    path = f"/spaces/{source.space_id}/datasets/new"
    assert "no agreement comes along" in seen(client, path)
    page = sent(client, path, kind="derivative", name="Cleaned", source_ids=str(source.id))
    assert "No agreement was copied" in page and "Raw" in page
    made = Dataset.objects.get(name="Cleaned")
    assert [link.source_id for link in made.source_links.all()] == [source.id]


def test_looking_for_a_source_keeps_what_was_written_and_picked(world: World) -> None:
    source = world.dataset(name="Raw")
    world.dataset(source.space, name="Other")
    form = {"find": "1", "search": "Oth", "kind": "derivative", "name": "Half <written>", "source_ids": str(source.id)}
    response = browser(world.owner(source.space)).post(f"/spaces/{source.space_id}/datasets/new", form)
    body = response.content.decode()
    assert f'type="hidden" name="source_ids" value="{source.id}"' in body
    assert "Other" in body and "Half &lt;written&gt;" in body
    assert not Dataset.objects.filter(name__startswith="Half").exists()


def test_wrong_forms_come_back_with_what_was_written(world: World) -> None:
    space = world.space()
    client, path = browser(world.owner(space)), f"/spaces/{space.id}/datasets/new"
    assert "choose one" in refused(client, path, 422, name="No kind")
    response = client.post(path, {"kind": "derivative", "name": "Lonely"})
    assert response.status_code == 422 and 'value="Lonely"' in response.content.decode()
    assert "Say where the external source is" in refused(
        client, path, 422, kind="derivative", name="A", is_external="on"
    )
    assert "not a date" in refused(client, path, 422, kind="original", name="A", needed_until="soon")


def test_finalizing_asks_for_the_name_and_spells_out_what_it_brings_about(world: World) -> None:
    dataset = world.dataset(name="Scans")
    world.uploaded(dataset)
    client = browser(world.owner(dataset.space))
    assert "No file can be added, changed or deleted any more" in seen(client, f"{root(dataset)}/finalize")
    assert "write the data set's name exactly" in refused(
        client, f"{root(dataset)}/finalize", 422, confirm_name="scans"
    )
    page = sent(client, f"{root(dataset)}/finalize", confirm_name="Scans")
    assert "Being finalized" in page
    world.settled(dataset)
    page = seen(client, root(dataset))
    assert "Finalized" in page and "Provision server access" in page
    assert "Get access key" not in seen(client, f"{root(dataset)}/access")


def test_finalizing_says_what_the_data_set_holds_and_which_transfers_it_ends(world: World) -> None:
    dataset = world.dataset(name="Scans")
    owner = world.owner(dataset.space)
    client, path = browser(owner), f"{root(dataset)}/finalize"
    assert "meant to be empty" in seen(client, path)
    world.uploaded(dataset, a=b"1" * 1500)
    measuring.run_due()
    transfers.open_(owner, dataset.id)
    page = seen(client, path)
    assert "It holds 1 object, 1.5 kB , counted" in page and "1 transfer runs now. It ends with this" in page
    assert "meant to be empty" not in page
    assert "Upload the files: 1 is there" in seen(client, root(dataset))


def test_an_empty_data_set_is_not_finalized_unless_it_is_said_to_be(world: World) -> None:
    dataset = world.dataset(name="Empty")
    client, path = browser(world.owner(dataset.space)), f"{root(dataset)}/finalize"
    assert "is empty" in refused(client, path, 409, confirm_name="Empty")
    assert "no upload succeeds any more" in sent(client, path, confirm_name="Empty", allow_empty="on")


def test_a_lock_is_taken_to_the_end_of_its_day(world: World) -> None:
    dataset = world.dataset(name="Locked")
    world.uploaded(dataset)
    client = browser(world.owner(dataset.space))
    sent(client, f"{root(dataset)}/finalize", confirm_name="Locked", locked_until="2099-12-31")
    locked = Dataset.objects.get(id=dataset.id).locked_until
    assert locked is not None and locked.isoformat() == "2099-12-31T23:59:59+00:00"


def test_a_derivative_is_promoted(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE, name="Results"))
    client = browser(world.owner(dataset.space))
    assert "Promote to original" in seen(client, root(dataset))
    sent(client, f"{root(dataset)}/promote", confirm_name="Results")
    world.settled(dataset)
    assert "promoted from a derivative" in seen(client, root(dataset))
    assert "You cannot promote" in refused(client, f"{root(dataset)}/promote", 409, confirm_name="Results")


def test_a_pending_data_set_is_deleted_at_once_and_its_record_remains(world: World) -> None:
    dataset = world.dataset(name="Mistake")
    client = browser(world.owner(dataset.space))
    refused(client, f"{root(dataset)}/delete", 422, confirm_name="")
    sent(client, f"{root(dataset)}/delete", confirm_name="Mistake", reason="Wrong space")
    world.settled(dataset)
    page = seen(client, root(dataset))
    assert "Deleted" in page and "Wrong space" in page
    for tab in ("/access", "/attachments", "/lineage", "/integrity", "/activity", "/edit"):
        seen(client, root(dataset) + tab)
    assert client.get(f"{root(dataset)}/contents").status_code == 409


def test_the_end_of_a_finalized_one_needs_two_people(world: World) -> None:
    dataset = world.finalized(world.dataset(name="Old"))
    owner, steward = browser(world.owner(dataset.space)), browser(world.member(dataset.space, Role.STEWARD))
    assert "Request deletion" in seen(owner, root(dataset))
    sent(owner, f"{root(dataset)}/request-deletion", reason="Agreement ended")
    page = seen(steward, root(dataset))
    assert "asked for this data set to be deleted" in page and "Agreement ended" in page
    assert "second person" in refused(owner, f"{root(dataset)}/confirm-deletion", 403, confirm_name="Old")
    sent(owner, f"{root(dataset)}/withdraw-deletion")
    assert "asked for this data set" not in seen(owner, root(dataset))
    sent(owner, f"{root(dataset)}/request-deletion", reason="Agreement ended")
    sent(steward, f"{root(dataset)}/confirm-deletion", confirm_name="Old")
    world.settled(dataset)
    assert "Agreement ended" in seen(owner, root(dataset))


@pytest.mark.parametrize("is_frozen", [True, False], ids=["finalized", "pending"])
def test_what_a_derivative_is_being_made_from_is_not_offered_for_deletion(world: World, is_frozen: bool) -> None:
    source = world.finalized(world.dataset(name="Source")) if is_frozen else world.dataset(name="Source")
    client, deed = browser(world.owner(source.space)), "request-deletion" if is_frozen else "delete"
    button = f'href="{root(source)}/{deed}"'
    assert button in client.get(root(source)).content.decode()
    made = world.dataset(source.space, kind=Kind.DERIVATIVE, name="Results", source_ids=[source.id])
    page, reason = client.get(root(source)), "Source is the source of Results, which is not finalized yet."
    assert button not in page.content.decode() and reason in text(page)
    assert reason in seen(client, f"{root(source)}/{deed}")
    datasets.delete(world.owner(source.space), made.id, confirm_name="Results")
    assert button in client.get(root(source)).content.decode()


def test_what_is_locked_is_not_offered_for_deletion_before_its_date(world: World) -> None:
    dataset = world.finalized(locked_until=timezone.now() + timedelta(days=30))
    page = browser(world.owner(dataset.space)).get(root(dataset))
    assert (
        "nobody can delete it before" in text(page) and f"{root(dataset)}/request-deletion" not in page.content.decode()
    )


def test_progress_is_a_fragment_that_asks_again_and_loads_the_page_when_it_is_over(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    actor = world.owner(dataset.space)
    datasets.finalize(actor, dataset.id, confirm_name=dataset.name)
    client = browser(actor)
    path = f"{root(dataset)}/progress"
    response = client.get(path, headers={"HX-Request": "true"})
    body = response.content.decode()
    assert 'hx-trigger="every 2s"' in body and "<html" not in body and "The manifest is written" in body
    assert "HX-Refresh" not in response.headers
    assert "<html" in client.get(path).content.decode()
    world.settled(dataset)
    assert client.get(path, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_failure_is_explained_and_can_be_retried_from_the_page(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    client = browser(world.owner(dataset.space))
    datasets.finalize(world.owner(dataset.space), dataset.id, confirm_name=dataset.name)
    Dataset.objects.filter(id=dataset.id).update(last_error="The gateway does not answer.", is_settled=False)
    page = seen(client, root(dataset))
    assert "The gateway does not answer." in page and "Try again now" in page
    assert "being tried again" in sent(client, f"{root(dataset)}/retry")
    Dataset.objects.filter(id=dataset.id).update(is_settled=True)
    assert "Nothing is left" in refused(client, f"{root(dataset)}/retry", 409)


@pytest.mark.parametrize("role", list(Role))
def test_every_member_can_open_every_page_and_sees_why_what_is_closed_is_closed(world: World, role: Role) -> None:
    dataset = world.finalized()
    member = world.member(dataset.space, role)
    client = browser(member)
    for tab in TABS:
        allowed = (200, 403) if tab == "/connect" and role is Role.AUDITOR else (200,)
        response = client.get(root(dataset) + tab)
        assert response.status_code in allowed, (tab, text(response)[:300])
    if role in (Role.RESEARCHER, Role.AUDITOR):
        assert "You may not" in seen(client, root(dataset))
        assert "You may not" in refused(client, f"{root(dataset)}/request-deletion", 403, reason="x")


def test_who_may_not_take_a_step_reads_it_and_is_offered_no_button_for_it(world: World) -> None:
    pending, frozen = world.dataset(), world.finalized()
    for dataset, step, button in (
        (pending, "Finalize: nothing can be uploaded", "/finalize"),
        (pending, "Upload the files", "/access"),
        (frozen, "Give servers of the space access", "/access"),
    ):
        for role, count in ((Role.OWNER, 2), (Role.AUDITOR, 0)):
            body = browser(world.member(dataset.space, role)).get(root(dataset)).content.decode()
            shown = len(re.findall(rf'class="button[^"]*" href="{root(dataset)}{button}"', body))
            is_beside = button == "/access" and dataset is frozen  # where everybody sees which servers have access
            assert step in body and shown == count + (is_beside and role is Role.AUDITOR), (role, button)


def test_a_stranger_finds_nothing_and_nobody_is_led_to_sign_in(world: World) -> None:
    dataset = world.dataset()
    stranger = browser(world.person())
    for tab in TABS:
        assert stranger.get(root(dataset) + tab).status_code == 404
        response = Client().get(root(dataset) + tab)
        assert response.status_code == 302 and response.headers["Location"].startswith("/sign-in")
    assert stranger.post(f"{root(dataset)}/access/key").status_code == 404


def test_an_external_source_that_was_written_is_kept(world: World) -> None:
    space = world.space()
    client = browser(world.owner(space))
    path = f"/spaces/{space.id}/datasets/new"
    assert "Census 2010" in sent(client, path, kind="derivative", name="From afar", external_source="Census 2010")
    sent(client, path, kind="original", name="Plain", external_source="Left over")
    assert Dataset.objects.get(name="Plain").external_source == ""


def test_a_low_risk_space_has_no_data_sets_and_says_so(world: World) -> None:
    space = world.space(risk_level=RiskLevel.LOW)
    client = browser(world.owner(space))
    path = f"/spaces/{space.id}/datasets/new"
    page = seen(client, path)
    assert "low-risk space" in page and "Create dataset" not in page
    assert "low-risk space" in refused(client, path, 409, kind="original", name="A")


def test_an_auditor_creates_nothing_and_a_researcher_no_original(world: World) -> None:
    space = world.space()
    path = f"/spaces/{space.id}/datasets/new"
    assert "You may not create" in seen(browser(world.member(space, Role.AUDITOR)), path)
    researcher = browser(world.member(space, Role.RESEARCHER))
    assert "Owners and stewards create originals" in seen(researcher, path)
    assert "a researcher creates derivatives" in refused(researcher, path, 403, kind="original", name="A")
