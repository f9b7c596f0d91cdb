"""Every path of the console, asked by everybody: never a mistake, nothing for strangers, no form without its token.

The paths are those that Django knows, so that a page which is added is asked here without a word in this file.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver

from strongroom.actions import attachments, servers
from strongroom.console.urls import urlpatterns
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import AttachmentKind, Kind, Role, StaffRole
from strongroom.hosts.memory import MemoryHost
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db


def _paths(patterns: "list[URLPattern | URLResolver]", prefix: str = "") -> Iterator[str]:
    for each in patterns:
        written = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _paths(each.url_patterns, written)
        else:
            yield written


PATHS = sorted({f"/{each}" for each in _paths(urlpatterns)})
NOBODY = str(uuid4())  # for what no part of the scene has
NO_TOKEN = "This form is too old, or did not come from this site."
OPEN = (
    "/theme",
    "/words.js",
    "/sign-in",
    "/sign-out",
    "/invitations/",
    "/step-up",
    "/device",
)  # for people who are not signed in
# What another site sends here; tests/identity/test_saml.py says what guards it instead of a token.
ANSWERED = "/sign-in/saml/answer"
IDS = re.compile(r"<(?:\w+:)?(\w+)>")
NAMED = [path for path in PATHS if IDS.search(path) and not path.startswith(OPEN)]
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
)


@dataclass
class Scene:
    """Somebody of every kind, and what each placeholder of a path stands for; nobody is one who does not exist."""

    actors: dict[str, Actor]
    ids: dict[str, str]

    def path(self, written: str) -> str:
        """With the ids of things that are there."""
        return IDS.sub(lambda found: self.ids.get(found[1], NOBODY), written)

    def unknown(self, written: str) -> str:
        """With ids of things that are not."""
        return IDS.sub(
            lambda found: str(uuid4()) if found[1].endswith("_id") else self.ids.get(found[1], NOBODY), written
        )


@pytest.fixture
def scene(world: World, host: MemoryHost) -> Scene:
    space = world.space(name="A space nobody else knows")
    owner = world.owner(space)
    dataset = world.finalized(world.dataset(space, kind=Kind.DERIVATIVE, name="A data set nobody else knows"))
    machine = world.granted(dataset)
    servers.edit(owner, machine.row.id, changes={"description": "A server nobody else knows"})

    attached = attachments.add(
        owner, dataset.id, filename="a.txt", title="A", kind=AttachmentKind.OTHER, body=io.BytesIO(b"a")
    )
    actors = {role.value: world.member(space, role) for role in Role}
    actors |= {"stranger": world.person("stranger")}
    actors |= {"administrator": world.person("admin", staff_role=StaffRole.ADMINISTRATOR)}
    actors |= {"support": world.person("support", staff_role=StaffRole.SUPPORT)}
    ids = {
        "space_id": space.id,
        "dataset_id": dataset.id,
        "server_id": machine.row.id,
        "attachment_id": attached.id,
        "person_id": actors["researcher"].person_id,
        "session_id": uuid4(),
        "token_id": uuid4(),
        "mapping_id": uuid4(),
        "transfer_id": uuid4(),
        "passkey_id": uuid4(),
        "kind": "oidc",
    }
    return Scene(actors, {name: str(value) for name, value in ids.items()})


def _content(response: HttpResponse) -> str:
    parts = response.streaming_content if response.streaming else [response.content]  # type: ignore[attr-defined]
    return b"".join(parts).decode(errors="replace")


@pytest.mark.parametrize("who", ["owner", "steward", "researcher", "auditor", "stranger", "administrator", "support"])
def test_no_path_is_a_mistake_for_anybody(scene: Scene, who: str) -> None:
    asked = 0
    for written in PATHS:
        for method in ("get", "post"):
            with transaction.atomic():
                client = browser(scene.actors[who])
                response = getattr(client, method)(scene.path(written))
                assert response.status_code < 500 or response.status_code == 503, (method, written)
                _content(response)
                transaction.set_rollback(True)
            asked += 1
    assert asked == 2 * len(PATHS) > 100


def test_who_is_not_signed_in_is_led_to_the_door_and_told_nothing(scene: Scene) -> None:
    for written in PATHS:
        if written.startswith(OPEN):
            continue
        for method in ("get", "post"):
            response = getattr(Client(), method)(scene.path(written))
            if response.status_code == 405:
                continue
            assert response.status_code == 302, (method, written, response.status_code)
            assert response.headers["Location"].startswith("/sign-in?next="), (method, written)
            assert "nobody else knows" not in _content(response)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_one_answer_for_what_is_hidden_and_what_is_not_there(scene: Scene, method: str) -> None:
    for written in NAMED:
        client = browser(scene.actors["stranger"])
        found = getattr(client, method)(scene.path(written))
        missing = getattr(client, method)(scene.unknown(written))
        assert found.status_code == missing.status_code, (written, found.status_code, missing.status_code)
        assert found.status_code in (302, 403, 404, 405), written
        assert _plain(found) == _plain(missing), written
        assert "nobody else knows" not in _content(found)


def _plain(response: HttpResponse) -> str:
    """What an answer says, but for the ids that were asked for and what differs with each answer."""
    text = re.sub(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", "ID", _content(response))
    text = re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken": )[=" ]*"[A-Za-z0-9]+"', "", text)
    return re.sub(r"ID", "", text) + re.sub(r"[0-9a-f-]{36}", "", response.headers.get("Location", ""))


def test_no_form_is_taken_without_its_token(scene: Scene) -> None:
    for who in ("owner", "administrator"):
        client = browser(scene.actors[who], enforce_csrf_checks=True)
        for written in PATHS:
            if written == ANSWERED:
                continue
            response = client.post(scene.path(written))
            assert response.status_code == 403, (written, response.status_code)
            # Uploads ask first whether this person may: only then is what they sent read, and with it the token.
            assert NO_TOKEN in _content(response) or (who == "administrator" and "attachments" in written), written


@pytest.mark.parametrize("to", ELSEWHERE)
def test_the_doors_lead_nobody_elsewhere(scene: Scene, to: str) -> None:
    _sweep_with_next(scene, [path for path in PATHS if path.startswith(OPEN)], to)


def test_no_page_leads_anybody_elsewhere(scene: Scene) -> None:
    _sweep_with_next(scene, PATHS, ELSEWHERE[1])


def _sweep_with_next(scene: Scene, paths: list[str], to: str) -> None:
    assert paths
    for written in paths:
        with transaction.atomic():
            client = browser(scene.actors["owner"])
            told = {"next": to, "theme": "dark"}
            for response in (client.get(scene.path(written), {"next": to}), client.post(scene.path(written), told)):
                _stays(response, written)
            transaction.set_rollback(True)


def _stays(response: HttpResponse, written: str) -> None:
    location = response.headers.get("Location", "")
    if location:
        where = urlsplit(location)
        assert (where.scheme, where.netloc) == ("", ""), (written, location)
        assert not location.startswith(("//", "/\\", "\\")), (written, location)
    page = "" if response.streaming else _content(response)
    assert not re.search(r'(href|action)="(https?:)?//evil|(href|action)="javascript:', page), written


def test_every_answer_forbids_frames_and_anything_inline(scene: Scene) -> None:
    for written in PATHS:
        response = browser(scene.actors["owner"]).get(scene.path(written))
        policy = response.headers.get("Content-Security-Policy", "")
        assert "frame-ancestors 'none'" in policy, written
        assert "unsafe" not in policy, written
        page = _content(response)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", page), written
