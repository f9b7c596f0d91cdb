"""Every page of the console, as the people see it for whom it is: nothing that axe finds, nothing that fails.

The paths are those that Django knows: a page that is added is looked at without a word here, or fails for want of what
its path names.
"""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver
from playwright.sync_api import Browser

from strongroom.console.urls import urlpatterns
from tests.journeys.browser.cast import cast
from tests.journeys.browser.looking import look
from tests.journeys.browser.person import Person
from tests.journeys.browser.scene import Scene, set_scene
from tests.journeys.system import System

FOR_NOBODY = ("/sign-in", "/invitations/")
FOR_STAFF = ("/staff/", "/step-up", "/account/device")
HALF_WAY = "/sign-in/code"
NO_PAGE = (405, 302)
"""A button leads there, or it leads on to a page of its own."""


def _paths(patterns: "list[URLPattern | URLResolver]", prefix: str = "/") -> Iterator[str]:
    for each in patterns:
        written = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _paths(each.url_patterns, written)
        else:
            yield written


PATHS = sorted(set(_paths(urlpatterns)))


@pytest.fixture(scope="module")
def scene(strongroom: System, browser: Browser) -> Iterator[Scene]:
    """One of everything, and a browser for everybody."""
    with cast(strongroom, browser) as people:
        yield set_scene(people)


def _seers(scene: Scene, written: str) -> list[Person]:
    """For whom a page is, the likeliest first."""
    if written.startswith(FOR_NOBODY):
        return [scene.people["nobody"]]
    names = ("admin", "support") if written.startswith(FOR_STAFF) else ("ada", "admin")
    return [scene.people[name] for name in names]


def _status(person: Person, path: str) -> tuple[int, bool]:
    """What this path answers to this person, and whether it is a page."""
    answer = person.context.request.get(person.url + path, max_redirects=0)
    return answer.status, answer.status == 200 and "text/html" in answer.headers.get("content-type", "")


def test_there_are_paths_of_every_area() -> None:
    areas = {path.split("/")[1] for path in PATHS}
    assert areas >= {"", "sign-in", "invitations", "account", "spaces", "datasets", "servers", "staff"}


@pytest.mark.parametrize("written", [each for each in PATHS if each != HALF_WAY])
def test_a_page_is_readable_in_both_colours_and_on_a_phone(scene: Scene, written: str) -> None:
    paths = scene.paths(written)
    assert paths, f"the scene has nothing that {written} names: add it to scene.py"
    for path in paths:
        answers = [(seer, *_status(seer, path)) for seer in _seers(scene, written)]
        seers = [seer for seer, _, is_page in answers if is_page]
        if not seers:
            _is_no_page(path, [status for _, status, _ in answers])
            continue
        problems = look(seers[0].go(path).page) + seers[0].problems
        seers[0].problems.clear()
        assert problems == [], "\n".join(problems)


def _is_no_page(path: str, statuses: list[int]) -> None:
    """A button's own path, a file, or a page that nobody of the scene can see."""
    assert (
        any(status in NO_PAGE or status == 200 for status in statuses)
        or path.endswith(CLOSED)
        or path.startswith(PROVIDERS)
    ), (path, statuses)


# No identity provider is set up here: test_single_sign_on.py looks at what stands there.
PROVIDERS = ("/sign-in/oidc", "/sign-in/saml", "/step-up/")
CLOSED = ("/retry",)


def test_what_buttons_answer_with_is_readable_too(scene: Scene) -> None:
    ada, pages = scene.people["ada"], []
    ada.go("/account/").click("New token").fill("What it is for", "a try").click("Create token").sees(
        "It is shown this"
    )
    pages += look(ada.page)
    ada.go(f"{scene.studies['pending'].path}/access").click("Reset: the secret was lost")
    ada.click("Reset the access key").sees("Save both now")
    pages += look(ada.page)
    ada.go(f"/spaces/{scene.ids['space_id'][0]}/servers/enrol").fill("Name", "genomics-2").click("Get join command")
    pages += look(ada.page)
    ada.go(f"{scene.studies['pending'].path}/attachments").click("Get link to Agreement with the registry")
    pages += look(ada.page)
    admin = scene.people["admin"].go("/staff/people/new").fill("E-mail address", "eve@example.org").fill("Name", "Eve")
    code = admin.click("Add person").sees("Sign-in code of eve@example.org").printed()
    pages += look(admin.page)
    eve = scene.cast.stranger().enter(code, has_factor=False)
    pages += look(eve.page)
    eve.click("Set up an authenticator app")
    pages += look(eve.page)
    eve.secret = eve.printed()
    eve.fill("Code", "000000").click("Confirm").sees("wrong" if "wrong" in eve.text else "Code")
    pages += look(eve.page)
    eve.fill("Code", eve.code()).click("Confirm").sees("Keep your recovery codes")
    pages += look(eve.page)
    again = scene.cast.stranger().go("/sign-in").fill("E-mail address", "eve@example.org")
    again.fill("Password", "not the password").click("Sign in")
    pages += look(again.page)
    assert pages == [], "\n".join(pages)
