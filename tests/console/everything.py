"""One of everything that a page of the console can show or offer, and somebody for every page; needs no engine."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from django.test import Client

from strongroom.actions import attachments, datasets, devices, mappings, people, servers, tokens, transfers
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import AttachmentKind, IdentityKind, Kind, Role, Scope, StaffRole
from strongroom.db.models import Dataset, Server, Space
from tests.browsers import PASSWORD, in_browser, session_of, signed_in, with_password
from tests.console.test_sweep import IDS
from tests.keyrings import kept_for
from tests.phones import enrolled
from tests.world import World

DOOR = ("/sign-in", "/invitations/", "/step-up", "/account")


@dataclass
class Everything:
    """`ids` are what the placeholders of paths stand for, `more` pages that only a query leads to, `answers` what only
    a form answers with.
    """

    inside: list[Client]
    at_the_door: list[Client]
    ids: dict[str, list[str]]
    more: list[str]
    answers: list[tuple[Client, str]]

    def who(self, written: str) -> list[Client]:
        """For whom a page may be: not everything is asked by those who are not in yet."""
        return [*self.inside, *(self.at_the_door if written.startswith(DOOR) else [])]

    def paths(self, written: str) -> Iterator[str]:
        """Every path that such a pattern stands for."""
        for chosen in product(*(self.ids[name] for name in IDS.findall(written))):
            path = written
            for each in chosen:
                path = IDS.sub(each, path, count=1)
            yield path


def made(world: World) -> Everything:
    """All of it. Needs a host in memory, and a public address for passkeys."""
    space = world.space(name="Sleep study")
    owner, steward, new = world.owner(space), world.member(space, Role.STEWARD), world.person("new")
    administrator = world.person("admin", staff_role=StaffRole.ADMINISTRATOR)
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    data = _datasets(world, space)
    enrolled(steward)
    kept_for(steward)
    for each in (steward, new):
        with_password(world.administrator, each)
    begun = devices.begin(name="laptop", address="192.0.2.9")
    found = {
        "space_id": [space.id],
        "dataset_id": [each.id for each in data],
        "server_id": _servers(world, data[0]),
        "attachment_id": [attachments.list_(owner, each.id)[0].id for each in data[:2]],
        "transfer_id": [transfers.open_(owner, data[1].id).transfer.id],
        "person_id": [steward.person_id, _disabled(world)],
        "session_id": [session_of(owner).id],
        "token_id": [tokens.create(in_browser(owner), name="nightly", scopes=[Scope.READ], days=7).token.id],
        "mapping_id": [_mapping(world, space)],
        "passkey_id": [kept_for(owner).id],
        "device_id": [devices.find(owner, begun.user_code).id],
        "kind": ["oidc"],
        "code": [people.create(world.administrator, email="grace@example.org", name="Grace").code],
    }
    alone = signed_in(new, has_accepted=False, is_proved=False)
    inside = [signed_in(each) for each in (owner, steward, administrator, support)]
    door = [alone, Client(), _half(steward)]
    ids = {name: [str(each) for each in some] for name, some in found.items()}
    return Everything(inside, door, ids, [f"/account/device?code={begun.user_code}"], [(alone, "/account/mfa/enrol")])


def _datasets(world: World, space: Space) -> list[Dataset]:
    """Finalized, pending with a key, being ended, a derivative, without a key, one that nothing is made from.

    Two of them with a document.
    """
    owner = world.owner(space)
    original = world.dataset(space, name="Cohort 2024")
    pending = world.dataset(space, name="Cohort 2025")
    for each in (original, pending):
        attachments.add(owner, each.id, filename="a.txt", title="A", kind=AttachmentKind.OTHER, body=io.BytesIO(b"a"))
    original, ending = world.finalized(original), world.finalized(world.dataset(space, name="Cohort 2019"))
    datasets.request_deletion(owner, ending.id, reason="over")
    world.key(pending)
    derivative = world.dataset(space, kind=Kind.DERIVATIVE, name="Scores", source_ids=[original.id])
    Dataset.objects.filter(id=derivative.id).update(is_settled=False, last_error="the engine does not answer")
    alone = world.finalized(world.dataset(space, name="Cohort 2018"))
    return [original, pending, ending, derivative, world.dataset(space, name="Cohort 2026"), alone]


def _servers(world: World, dataset: Dataset) -> list[UUID]:
    """One with access, one that has not joined, one that is disabled, and two that were made here."""
    owner, space = world.owner(dataset.space), dataset.space
    disabled = world.machine(space, address="192.0.2.51").row
    servers.disable(owner, disabled.id, reason="lost")
    ours = [servers.create(owner, space.id, name=name, offering="linux-small").server for name in ("runs", "stands")]
    Server.objects.filter(id__in=[each.id for each in ours]).update(state="active")
    Server.objects.filter(id=ours[0].id).update(last_error="the host does not answer")
    servers.stop(owner, ours[1].id)
    return [world.granted(dataset).row.id, world.server(space).id, disabled.id, *(each.id for each in ours)]


def _disabled(world: World) -> UUID:
    return people.disable(world.administrator, world.person("old").person_id, reason="left").id


def _mapping(world: World, space: Space) -> UUID:
    oidc, role = IdentityKind.OIDC, Role.RESEARCHER
    return mappings.add(world.administrator, provider=oidc, group="/sleep", space_id=space.id, role=role).id


def _half(actor: Actor) -> Client:
    """A browser between the password and the code."""
    client = Client()
    client.post("/sign-in", {"email": actor.email, "password": PASSWORD})
    return client
