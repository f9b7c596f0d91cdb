"""The pages of servers: what each shows to whom, what its buttons do, and what they refuse."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from strongroom.actions import grants, hosting, servers
from strongroom.actions.reporting import Mount
from strongroom.core.vocabulary import Kind, MountHealth, MountTool, Power, Role, ServerState
from strongroom.db.models import Grant, Server
from strongroom.hosts.memory import MemoryHost
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db
WANTED = {"name": "genomics-1", "offering": "linux-small", "description": "Second analysis", "agreed": "yes"}


def _text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def test_the_catalogue_shows_size_and_price_before_anything_is_made(world: World, host: MemoryHost) -> None:
    space = world.space()
    page = _text(browser(world.owner(space)), f"/spaces/{space.id}/servers/new")
    assert "linux-small" in page
    assert "2 GiB memory" in page
    assert "No charge" in page


def test_nothing_is_made_until_the_price_is_agreed_to(world: World, host: MemoryHost) -> None:
    space = world.space()
    owner = browser(world.owner(space))
    sent = {name: value for name, value in WANTED.items() if name != "agreed"}
    response = owner.post(f"/spaces/{space.id}/servers/new", sent)
    assert response.status_code == 422
    assert "price has not been agreed to" in response.content.decode()
    assert "Second analysis" in response.content.decode()
    assert not Server.objects.exists()


def test_a_server_is_made_and_its_page_follows_it(world: World, host: MemoryHost) -> None:
    space = world.space()
    owner = browser(world.owner(space))
    response = owner.post(f"/spaces/{space.id}/servers/new", WANTED)
    row = Server.objects.get()
    assert response.headers["Location"] == f"/servers/{row.id}"
    page = _text(owner, f"/servers/{row.id}")
    assert "Its machine is being made" in page
    assert 'hx-trigger="every 2s"' in page
    followed = re.search(r'hx-get="([^"]+)"', page)
    assert followed
    assert owner.get(followed[1]).status_code == 204
    hosting.settle(row.id)
    fragment = _text(owner, followed[1])
    assert "its agent joins next" in fragment
    assert 'id="control"' in fragment
    assert "<html" not in fragment


def test_a_host_that_fails_is_explained_and_can_be_tried_again_from_the_page(world: World, host: MemoryHost) -> None:
    space = world.space()
    owner = browser(world.owner(space))
    owner.post(f"/spaces/{space.id}/servers/new", WANTED)
    row = Server.objects.get()
    later = timezone.now() + timedelta(hours=1)
    Server.objects.update(last_error="no room on its disk", next_try_at=later)
    assert "no room on its disk" in _text(owner, f"/servers/{row.id}")
    assert "Its host does not obey yet" in _text(owner, "/")
    assert "Try again now" not in _text(browser(world.member(space, Role.RESEARCHER)), f"/servers/{row.id}")
    assert owner.post(f"/servers/{row.id}/retry").status_code == 302
    assert "is being tried again: genomics-1" in _text(owner, f"/servers/{row.id}")
    hosting.run_due()
    page = _text(owner, f"/servers/{row.id}")
    assert "its agent joins next" in page and "Try again now" not in page
    response = owner.post(f"/servers/{row.id}/retry")
    assert response.status_code == 409 and "Nothing is left to be done" in response.content.decode()


def test_a_taken_name_keeps_what_was_typed(world: World, host: MemoryHost) -> None:
    space = world.space()
    world.server(space, name="genomics-1")
    response = browser(world.owner(space)).post(f"/spaces/{space.id}/servers/new", WANTED)
    assert response.status_code == 409
    assert "There is a server genomics-1 in this space already." in response.content.decode()
    assert "Second analysis" in response.content.decode()


def test_an_owner_who_is_no_member_is_refused(world: World, host: MemoryHost) -> None:
    space, stranger = world.space(), world.person("stranger")
    response = browser(world.owner(space)).post(f"/spaces/{space.id}/servers/new", WANTED | {"owner": stranger.email})
    assert response.status_code == 422
    assert "is no member of this space" in response.content.decode()


def test_without_a_host_the_page_leads_to_enrolment(world: World) -> None:
    space = world.space()
    page = _text(browser(world.owner(space)), f"/spaces/{space.id}/servers/new")
    assert "No servers can be made here" in page
    assert f"/spaces/{space.id}/servers/enrol" in page


@pytest.mark.parametrize(("system", "marks"), [("linux", "| sudo sh -s --"), ("windows", "scriptblock")])
def test_a_join_command_is_shown_once_with_its_end(world: World, system: str, marks: str) -> None:
    space = world.space()
    owner = browser(world.owner(space))
    response = owner.post(f"/spaces/{space.id}/servers/enrol", {"name": "desk-9", "os": system})
    page = html.unescape(response.content.decode())
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert marks in page
    token = re.search(r"srj_[A-Za-z0-9_-]+", page)
    assert token
    assert "shown this once" in page
    assert token[0] not in _text(owner, f"/servers/{Server.objects.get().id}")


def test_a_new_join_command_ends_the_old_one(world: World) -> None:
    row = world.server(world.space())
    before = Server.objects.get(id=row.id).join_sha256
    response = browser(world.owner(row.space)).post(f"/servers/{row.id}/rejoin")
    assert "srj_" in response.content.decode()
    assert Server.objects.get(id=row.id).join_sha256 not in ("", before)


@pytest.mark.parametrize("path", ["new", "enrol"])
def test_who_works_with_data_alone_makes_no_servers(world: World, host: MemoryHost, path: str) -> None:
    space = world.space()
    researcher = browser(world.member(space, Role.RESEARCHER))
    assert researcher.get(f"/spaces/{space.id}/servers/{path}").status_code == 403
    assert researcher.post(f"/spaces/{space.id}/servers/{path}", WANTED).status_code == 403
    assert "Create a server" not in _text(researcher, f"/spaces/{space.id}/servers")


def test_the_page_shows_grants_mounts_and_what_to_do_about_a_failing_one(world: World) -> None:
    dataset = world.finalized(world.dataset(name="Sleep study"))
    machine = world.granted(dataset, reason="Second analysis")
    found = Mount(
        dataset.repository, "/mnt/s", MountTool.RCLONE, True, True, MountHealth.FAILING, "It hangs.", timezone.now()
    )
    machine.heartbeat(found)
    page = _text(browser(world.owner(dataset.space)), f"/servers/{machine.row.id}")
    for shown in ("Sleep study", dataset.repository, "Second analysis", "It hangs.", "Debian 12", "192.0.2.50"):
        assert shown in page
    assert f"strongroom umount /mnt/s && strongroom mount {dataset.repository} /mnt/s" in page


def test_the_ssh_line_is_shown_to_those_who_may_log_in(world: World) -> None:
    machine = world.machine(world.space())
    machine.heartbeat(ssh_host_key=machine.public_key, ssh_host="genomics.example.org")
    row = machine.row
    line = f"strongroom ssh {row.name}"
    assert line in _text(browser(world.member(row.space, Role.RESEARCHER)), f"/servers/{row.id}")
    assert f"{line}<" not in _text(browser(world.member(row.space, Role.AUDITOR)), f"/servers/{row.id}")


def test_a_data_set_is_provisioned_until_a_day_and_revoked(world: World) -> None:
    dataset = world.finalized()
    row = world.machine(dataset.space).row
    owner = browser(world.owner(dataset.space))
    assert dataset.name in _text(owner, f"/servers/{row.id}")
    day = (timezone.now() + timedelta(days=3)).date()
    sent = {"dataset_id": dataset.id, "until": day.isoformat(), "reason": "Why not"}
    assert owner.post(f"/servers/{row.id}/grants", sent).status_code == 302
    made = Grant.objects.get()
    assert made.reason == "Why not"
    assert made.expires_at is not None
    assert made.expires_at.date() == day + timedelta(days=1)
    assert owner.post(f"/servers/{row.id}/grants/{dataset.id}/revoke").status_code == 302
    assert Grant.objects.get().ended_at is not None
    assert "has no access to" in _text(owner, f"/servers/{row.id}")


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"until": "2001-01-01"}, "must lie in the future"),
        ({"until": "soon"}, "is not a day"),
        ({"dataset_id": ""}, "Which data set?"),
        ({"dataset_id": "x"}, "Choose one of those that are offered"),
    ],
)
def test_a_wrong_provision_says_why_on_the_same_page(world: World, sent: dict[str, str], says: str) -> None:
    dataset = world.finalized()
    row = world.machine(dataset.space).row
    owner = browser(world.owner(dataset.space))
    response = owner.post(f"/servers/{row.id}/grants", {"dataset_id": str(dataset.id)} | sent)
    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Grant.objects.exists()


def test_a_researcher_is_offered_what_they_created(world: World) -> None:
    space = world.space()
    researcher = world.member(space, Role.RESEARCHER)
    world.finalized(world.dataset(space, name="Of the owner"))
    mine = world.dataset(space, by=researcher, kind=Kind.DERIVATIVE, name="Of mine")
    world.finalized(mine)
    page = _text(browser(researcher), f"/servers/{world.machine(space).row.id}")
    assert "Of mine" in page
    assert "Of the owner" not in page


def test_staff_revoke_with_a_reason_only(world: World) -> None:
    dataset = world.finalized()
    row = world.granted(dataset).row
    root, path = browser(world.administrator), f"/servers/{row.id}/grants/{dataset.id}/revoke"
    assert root.post(path).status_code == 422
    assert Grant.objects.get().ended_at is None
    assert root.post(path, {"reason": "Asked by the registry"}).status_code == 302
    assert Grant.objects.get().end_reason == "Asked by the registry"


def test_disable_cuts_and_enable_gives_back(world: World) -> None:
    row = world.granted(world.finalized()).row
    owner = browser(world.owner(row.space))
    refused = owner.post(f"/servers/{row.id}/disable", {"reason": " "})
    assert refused.status_code == 422
    assert Server.objects.get(id=row.id).state == ServerState.ACTIVE
    owner.post(f"/servers/{row.id}/disable", {"reason": "The disk was copied"})
    page = _text(owner, f"/servers/{row.id}")
    assert "The disk was copied" in page
    assert "Suspended while the server is disabled" in page
    owner.post(f"/servers/{row.id}/enable")
    assert Server.objects.get(id=row.id).state == ServerState.ACTIVE


def test_delete_needs_the_name_and_a_reason(world: World) -> None:
    row = world.granted(world.finalized()).row
    owner, path = browser(world.owner(row.space)), f"/servers/{row.id}/delete"
    for sent in ({"confirm_name": "other", "reason": "Over"}, {"confirm_name": row.name, "reason": ""}):
        assert owner.post(path, sent).status_code == 422
        assert Server.objects.get(id=row.id).state == ServerState.ACTIVE
    assert owner.post(path, {"confirm_name": row.name, "reason": "Over"}).status_code == 302
    assert "Control panel" in _text(owner, f"/servers/{row.id}")
    assert row.name not in _text(owner, f"/spaces/{row.space_id}/servers").split("<table")[-1]
    assert row.name in _text(owner, f"/spaces/{row.space_id}/servers?state=deleted")


def test_start_and_stop_say_when_nothing_is_left_to_do(world: World, host: MemoryHost) -> None:
    space = world.space()
    row = servers.create(world.owner(space), space.id, name="made", offering="linux-small").server
    hosting.settle(row.id)
    researcher = browser(world.member(space, Role.RESEARCHER))
    assert researcher.post(f"/servers/{row.id}/stop").status_code == 302
    again = researcher.post(f"/servers/{row.id}/stop")
    assert again.status_code == 409
    assert "stopped already" in again.content.decode()
    hosting.settle(row.id)
    assert researcher.post(f"/servers/{row.id}/start").status_code == 302
    assert Server.objects.get(id=row.id).power == Power.RUNNING


def test_details_are_edited_and_a_wrong_name_is_explained(world: World) -> None:
    row = world.server(world.space())
    owner, path = browser(world.owner(row.space)), f"/servers/{row.id}/edit"
    assert owner.post(path, {"name": "No Good", "description": "x", "owner": ""}).status_code == 422
    helper = world.member(row.space, Role.STEWARD)
    sent = {"name": "better", "description": "For sleep", "owner": helper.email}
    assert owner.post(path, sent).status_code == 302
    found = Server.objects.get(id=row.id)
    assert (found.name, found.description, found.owner_id) == ("better", "For sleep", helper.person_id)


def test_stored_markup_is_shown_as_text(world: World) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    dataset = world.finalized(world.dataset(name=evil, description=evil))
    row = world.machine(dataset.space).row
    owner = world.owner(dataset.space)
    servers.edit(owner, row.id, changes={"description": evil})
    grants.create(owner, dataset.id, row.id, reason=evil)
    servers.disable(owner, row.id, reason=evil)
    Server.objects.filter(id=row.id).update(hostname=evil, os_version=evil, agent_version=evil, last_error=evil)
    client = browser(owner)
    for path in (
        f"/servers/{row.id}",
        f"/servers/{row.id}/live",
        f"/servers/{row.id}/edit",
        f"/spaces/{row.space_id}/servers",
    ):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_server_one_may_not_see_is_like_none(world: World) -> None:
    row = world.server(world.space())
    stranger = browser(world.person("stranger"))
    hidden, none = stranger.get(f"/servers/{row.id}"), stranger.get(f"/servers/{uuid4()}")
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert row.name not in hidden.content.decode()
