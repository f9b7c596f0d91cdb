"""People come in through a real identity provider on another site, in a real browser; groups let them in and out.

The console is at `localhost` and the provider at `127.0.0.1`: two sites, so that a form of one comes to the other
without cookies, as in life.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.identity.provider import CLIENT, PASSWORD, SECRET, Provider
from tests.journeys.api import Api
from tests.journeys.browser.looking import look
from tests.journeys.browser.person import Person, person
from tests.runtime.front_door import FrontDoor, front_door

GROUP = "/hospital/genomics/stewards"


@dataclass
class House:
    """A Strongroom, its provider, its administrator over the API, and browsers."""

    door: FrontDoor
    provider: Provider
    api: Api
    browser: Browser
    stack: ExitStack

    @property
    def url(self) -> str:
        return self.door.more["STRONGROOM_PUBLIC_URL"]

    def somebody(self) -> Person:
        """A browser that nobody signed in with, here or there."""
        return self.stack.enter_context(person(self.browser, self.url))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[House]:
    with front_door(tmp_path_factory.mktemp("house") / "home") as door, ExitStack() as stack:
        url = f"http://localhost:{door.first_port}"
        provider = Provider(tmp_path_factory.mktemp("provider"), url)
        stack.callback(provider.stop)
        provider.start()
        door.more |= {
            "STRONGROOM_PUBLIC_URL": url,
            "STRONGROOM_OIDC_ISSUER": provider.url,
            "STRONGROOM_OIDC_CLIENT_ID": CLIENT,
            "STRONGROOM_OIDC_CLIENT_SECRET": SECRET,
            "STRONGROOM_OIDC_NAME": "the university",
            "STRONGROOM_OIDC_EMAIL_DOMAINS": "example.org",
            "STRONGROOM_OIDC_MFA_ACR": "loa-2",
            "STRONGROOM_SAML_METADATA": f"{provider.url}/saml/metadata",
            "STRONGROOM_SAML_NAME": "the hospital",
            "STRONGROOM_SAML_EMAIL_DOMAINS": "example.org",
        }
        door.with_tables().start()
        nobody = Api(door.url)
        api = Api(door.url, nobody.post("/sign-in", code=door.code())["token"])
        stack.callback(api.close)
        nobody.close()
        yield House(door, provider, api, browser, stack)


def _through(somebody: Person, name: str, uid: str) -> Person:
    """Click the button, sign in there, and be back."""
    somebody.go("/sign-in").page.get_by_role("link", name=f"Continue with {name}").click()
    there = somebody.page
    there.locator("#userfield").fill(uid)
    there.locator("#passwordfield").fill(PASSWORD)
    there.get_by_role("button", name="Connect").click()
    there.wait_for_url(f"{somebody.url}/**", wait_until="commit")
    somebody.problems.clear()  # of the provider's own pages
    return somebody


def test_the_doors_are_readable(house: House) -> None:
    nobody = house.somebody().go("/sign-in")
    nobody.sees("Continue with the university", "Continue with the hospital", "or with a password of Strongroom")
    assert look(nobody.page) == []
    nobody.go("/sign-in/oidc/answer?code=x").sees("No sign-in that began in this browser")
    assert look(nobody.page) == []


def test_a_group_lets_somebody_in_with_a_second_factor_of_the_provider_and_out_again(house: House) -> None:
    space = house.api.post("/spaces", name="Genomics", risk_level="high")["id"]
    house.api.post("/mappings", group="/hospital/genomics", space_id=space, role="steward")
    house.provider.person("ada", name="Ada Lovelace", groups=[GROUP])
    ada = _through(house.somebody(), "the university", "ada")
    ada.go(f"/spaces/{space}").sees("Genomics").go(f"/spaces/{space}/people").sees("by the group /hospital/genomics")
    assert look(ada.page) == []
    house.provider.person("ada", name="Ada Lovelace")
    again = _through(house.somebody(), "the university", "ada").go(f"/spaces/{space}")
    again.sees("There is no space")
    ada.go(f"/spaces/{space}").sees("There is no space")


def test_a_form_of_another_site_lets_somebody_in_who_left_from_here(house: House) -> None:
    house.provider.person("grace", name="Grace Hopper", groups=["staff"])
    house.api.post("/mappings", provider="saml", group="staff", staff_role="support")
    grace = _through(house.somebody(), "the hospital", "grace")
    grace.page.wait_for_url(lambda url: "/sign-in/" not in url)
    grace.go("/account/").sees("Grace Hopper", "support")
    assert {each["sameSite"] for each in grace.context.cookies(house.url)} == {"Lax"}


def test_a_form_of_another_site_does_so_without_script_by_a_button(house: House) -> None:
    house.provider.person("edsger", name="Edsger", groups=["staff"])
    plain = house.stack.enter_context(person(house.browser, house.url, java_script_enabled=False))
    plain.go("/sign-in").page.get_by_role("link", name="Continue with the hospital").click()
    plain.page.locator("#userfield").fill("edsger")
    plain.page.locator("#passwordfield").fill(PASSWORD)
    plain.page.get_by_role("button", name="Connect").click()
    if urlsplit(plain.page.url).netloc != urlsplit(house.url).netloc:  # the provider's own button, for the same reason
        plain.page.locator("input[type=submit], button[type=submit]").first.click()
    plain.problems.clear()
    plain.sees("You come from your identity provider").click("Continue")
    plain.go("/account/").sees("Edsger")


def test_a_terminal_is_let_in_by_somebody_who_came_that_way(house: House) -> None:
    house.provider.person("ada", name="Ada Lovelace", groups=[GROUP])
    ada = _through(house.somebody(), "the university", "ada")
    api = Api(house.door.url)
    device = api.post("/device-logins", token_name="laptop")
    ada.go(urlsplit(device["verification_url"]).path + f"?code={device['user_code']}").sees("laptop")
    ada.click("Let it in").sees("is let in")
    claimed = api.post("/device-logins/claim", device_code=device["device_code"])
    assert claimed["person"]["email"] == "ada@example.org"
    api.close()


def test_groups_are_mapped_and_unmapped_by_clicks(house: House) -> None:
    code = house.door.operate("sign-in-code", "admin@localhost").stdout.split()[-1]
    admin = house.somebody().enter(code).click("Staff", within=".top").click("Groups", within=".tabs")
    admin.sees("/hospital/genomics", "steward of Genomics")
    assert look(admin.page) == []
    admin.fill("Group", "doctoral-students").choose("Makes people", "Nothing itself: it lies within another group")
    admin.fill("Lies within the group", "staff").click("Map group").sees("lies within staff")
    admin.fill("Group", "staff").choose("Makes people", "Nothing itself: it lies within another group")
    admin.fill("Lies within the group", "doctoral-students").click("Map group").sees("lies within staff already")
    assert look(admin.page) == []
    admin.go("/staff/groups").page.get_by_role("button", name="Remove the mapping of doctoral-students").click()
    admin.sees("The mapping is removed").does_not_see("lies within staff")
