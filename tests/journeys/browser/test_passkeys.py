"""Passkeys in a real browser with an authenticator of its own: added, signed in with, proved, cloned, removed.

At the name `localhost`: browsers offer no passkeys at a bare address.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.journeys.browser.cast import Cast, cast, new_space
from tests.journeys.browser.looking import look
from tests.journeys.browser.person import PASSWORD, Person
from tests.journeys.system import running


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Cast]:
    """The people of a system of its own."""
    folder: Path = tmp_path_factory.mktemp("passkeys")
    with running(folder, public_url="http://localhost:{port}") as system, cast(system, browser) as people:
        yield people


@dataclass
class Authenticator:
    """What Chromium has in place of a phone. Source: Chrome DevTools Protocol, domain WebAuthn."""

    person: Person
    is_verifying: bool = True
    session: CDPSession = field(init=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.session = self.person.context.new_cdp_session(self.person.page)
        self.session.send("WebAuthn.enable")
        kind = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal"}
        can = {"hasResidentKey": True, "hasUserVerification": True, "automaticPresenceSimulation": True}
        options = {**kind, **can, "isUserVerified": self.is_verifying}
        self.id = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """Its passkeys, private keys too."""
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def learn(self, credential: dict[str, Any]) -> None:
        """Put a passkey into it."""
        self.session.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})


def _invited(people: Cast, email: str) -> str:
    made = people.system.administrator.post("/people", email=email, name="Grace Hopper", staff_role=None)
    return str(made["sign_in_code"])


def _add(person: Person, name: str) -> Person:
    return person.fill("What you call it", name).click("Add a passkey")


def test_a_passkey_is_the_only_factor_somebody_needs(people: Cast) -> None:
    grace = people.stranger().enter(_invited(people, "grace@example.org"), has_factor=False)
    device = Authenticator(grace)
    assert look(grace.page) == []
    _add(grace, "Work laptop").sees("Keep your recovery codes").click("I have kept them")
    assert [each["isResidentCredential"] for each in device.credentials()] == [True]
    new_space(grace, "Sleep study")
    grace.click("Sign out", within="header").sees("You are signed out")

    assert look(grace.page) == []
    grace.click("Sign in with a passkey").sees("Sleep study")
    grace.go("/account/mfa").sees("Work laptop", "10 of 10")
    assert look(grace.page) == []
    _count_goes_back(grace, device)


def _count_goes_back(grace: Person, device: Authenticator) -> None:
    """A copy of the key on another device is behind: it is refused, and the person told."""
    copied = {**device.credentials()[0], "signCount": 0}
    grace.click("Sign out", within="header")
    device.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device.id})
    copy = Authenticator(grace)
    copy.learn(copied)
    grace.click("Sign in with a passkey").sees("may have been copied")


def test_a_passkey_beside_an_app_is_the_second_step_and_the_proof(people: Cast) -> None:
    ada = people.somebody("ada@example.org", "Ada Lovelace")
    Authenticator(ada)
    _add(ada.go("/account/mfa"), "Phone").sees("The passkey “Phone” is added.")
    ada.click("Sign out", within="header")
    ada.go("/sign-in").fill("E-mail address", ada.email).fill("Password", PASSWORD).click("Sign in")
    ada.sees("One more step")
    assert look(ada.page) == []
    ada.click("Continue with a passkey").sees("Welcome, Ada")
    ada.go("/step-up?next=/account/").click("Prove it with a passkey").sees("Thank you")
    ada.go("/account/mfa").click("Remove Phone").sees("The passkey “Phone” is removed")


def test_who_is_not_verified_by_the_device_is_told_and_stays_outside(people: Cast) -> None:
    eve = people.stranger().enter(_invited(people, "eve@example.org"), has_factor=False)
    Authenticator(eve, is_verifying=False)
    _add(eve, "Stolen key").sees("No passkey was made")
    assert "Remove Stolen key" not in eve.text


def test_without_javascript_the_pages_offer_what_works(people: Cast, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{people.system.door.url}/sign-in")
    assert not page.get_by_role("button", name="Sign in with a passkey").is_visible()
    assert page.get_by_role("button", name="Sign in", exact=True).is_visible()
    context.close()
