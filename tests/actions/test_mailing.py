"""Letters through a real mail server: invitations arrive, and a server that refuses keeps nobody from being invited."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import override_settings

from strongroom.actions import browsing, checking, fixity, mailing, people
from strongroom.actions.configuration import settings
from strongroom.core.vocabulary import Role
from tests.browsers import ADDRESS, PASSWORD, come
from tests.ports import free_ports
from tests.world import World


@dataclass
class Box:
    """What a mail server was given, and whom it turns away."""

    letters: list[Envelope] = field(default_factory=list)
    turned_away: str = "nobody@example.org"

    async def handle_RCPT(  # noqa: N802 aiosmtpd's own name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.turned_away:
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(envelope)
        return "250 taken"


@pytest.fixture
def box() -> Iterator[Box]:
    box = Box()
    port = free_ports()
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    url = f"smtp+plain://127.0.0.1:{port}"
    changed = replace(settings(), smtp_url=url, mail_from="strongroom@example.org")
    with override_settings(STRONGROOM=changed):
        yield box
    controller.stop()


def _text(letter: Envelope) -> str:
    parsed = email.message_from_bytes(bytes(letter.content or b""), policy=email.policy.default)
    return str(parsed.get_content())


def test_an_invitation_arrives_and_its_address_sets_the_password(world: World, box: Box) -> None:
    made = people.create(world.administrator, email="grace@example.org", name="Grâce Hopper")
    assert made.is_mailed
    (letter,) = box.letters
    assert letter.rcpt_tos == ["grace@example.org"]
    found = re.search(r"/invitations/(\S+)", _text(letter))
    assert found is not None
    assert "Grâce Hopper" in _text(letter)
    assert (
        come(browsing.accept(found.group(1), PASSWORD, address=ADDRESS, request_id="test")).email == made.person.email
    )


def test_a_new_invitation_is_a_new_letter(world: World, box: Box) -> None:
    made = people.create(world.administrator, email="grace@example.org", name="Grace")
    assert people.invite(world.administrator, made.person.id).is_mailed
    assert len(box.letters) == 2
    assert made.code not in _text(box.letters[1])


def test_a_server_that_refuses_keeps_nobody_from_being_invited(world: World, box: Box) -> None:
    box.turned_away = "grace@example.org"
    made = people.create(world.administrator, email="grace@example.org", name="Grace")
    assert not made.is_mailed
    assert come(browsing.accept(made.code, PASSWORD, address=ADDRESS, request_id="test"))


def test_a_server_that_offers_no_encryption_is_given_nothing(world: World, box: Box) -> None:
    url = settings().smtp_url.replace("smtp+plain://", "smtp://")
    with override_settings(STRONGROOM=replace(settings(), smtp_url=url)):
        assert not mailing.send(to="grace@example.org", subject="S", text="T")
    assert box.letters == []


def test_without_a_mail_server_nothing_is_sent(world: World) -> None:
    assert not people.create(world.administrator, email="grace@example.org", name="Grace").is_mailed


def test_those_who_keep_a_data_set_are_told_of_damage_once_and_without_the_names_of_files(
    world: World, box: Box
) -> None:
    dataset = world.finalized()
    checking.run_due()
    world.member(dataset.space, Role.RESEARCHER)
    steward = world.member(dataset.space, Role.STEWARD)
    box.letters.clear()  # their invitations
    world.engine.delete_object(dataset.repository, "first.csv")
    for _ in range(2):
        fixity.start(steward, dataset.id)
        while checking.run_due():
            pass
    owner = world.owner(dataset.space)
    told = sorted(address for letter in box.letters for address in letter.rcpt_tos)
    assert told == sorted([owner.email, steward.email] * 2), "each check tells once"
    text = _text(box.letters[0])
    assert f"/datasets/{dataset.id}/integrity" in text and "first.csv" not in text
