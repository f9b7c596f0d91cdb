"""Every page of the console, as the people see it for whom it is: nothing that axe finds, nothing that fails.

The paths are those that Django knows: a page that is added is looked at without a word here, or fails for want of what
its path names.
"""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver
from playwright.sync_api import Browser

from strongroom.console.datasets.frame import TABS
from strongroom.console.urls import urlpatterns
from tests.journeys.browser.cast import cast
from tests.journeys.browser.looking import look
from tests.journeys.browser.person import PASSWORD, Person
from tests.journeys.browser.pictures import FOLDER, picture
from tests.journeys.browser.posing import PICTURES
from tests.journeys.browser.scene import Scene, set_scene
from tests.journeys.system import System

FOR_NOBODY = ("/sign-in", "/invitations/")
FOR_STAFF = ("/staff/",)
HALF_WAY = "/sign-in/code"
"""Between password and code, to which only the form before it leads."""
IN_EACH_STATE = {f"/datasets/<uuid:dataset_id>/{path}".rstrip("/") for path, _ in TABS}
NO_PAGE = {200, 302, 405}
"""A file or a part of a page, what leads on to a page, and what only a button leads to."""
REFUSED = {"/sign-in/oidc/answer": 401, "/sign-in/saml/answer": 401} | dict.fromkeys(
    ("/sign-in/<slug:kind>", "/sign-in/saml/metadata", "/step-up/<slug:kind>"), 404
)
"""What only a provider leads to, and this Strongroom has none: tests/identity goes there."""


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
        made = set_scene(people)
        made.beat()
        yield made


def _seers(scene: Scene, written: str) -> list[Person]:
    """For whom a page is, the likeliest first."""
    names = ("nobody",) if written.startswith(FOR_NOBODY) else ("ada", "admin", "support")
    if written.startswith(FOR_STAFF):
        names = ("admin", "support")
    return [scene.people[name] for name in names]


def _answer(person: Person, path: str) -> tuple[int, bool]:
    """The status that this path answers to this person, and whether it is a page, and not a part of one or a file."""
    answer = person.context.request.get(person.url + path, max_redirects=0)
    is_html = "text/html" in answer.headers.get("content-type", "")
    return answer.status, answer.status == 200 and is_html and "<!doctype html>" in answer.text()


def test_there_are_paths_of_every_area() -> None:
    areas = {path.split("/")[1] for path in PATHS}
    assert areas >= {"", "sign-in", "invitations", "account", "spaces", "datasets", "servers", "staff"}


@pytest.mark.parametrize("written", [each for each in PATHS if each != HALF_WAY])
def test_a_page_is_readable_in_both_colours_and_on_a_phone(scene: Scene, written: str) -> None:
    paths = scene.paths(written)
    assert paths, f"the scene has nothing that {written} names: add it to scene.py"
    statuses: list[int] = []
    is_seen = False
    for path in paths:
        is_seen = _is_good(scene, written, path, statuses) or is_seen
        if is_seen and written not in IN_EACH_STATE:
            break
    fits = {*NO_PAGE, REFUSED.get(written)}
    assert is_seen or fits & set(statuses), f"nobody of the scene sees {written}: {statuses}"


def _is_good(scene: Scene, written: str, path: str, statuses: list[int]) -> bool:
    """Whether the first of them to whom this path answers a page finds nothing wrong with it; False without a page."""
    for person in _seers(scene, written):
        status, is_page = _answer(person, path)
        statuses.append(status)
        if is_page:
            problems = _problems(person.go(path))
            assert problems == [], "\n".join(problems)
            return True
    return False


def _problems(person: Person) -> list[str]:
    """What is wrong with the page that is open, and what went wrong on the way."""
    found = look(person.page) + person.problems
    person.problems.clear()
    return found


def test_what_is_wrong_with_a_page_is_found(scene: Scene) -> None:
    page = scene.people["nobody"].go("/sign-in").page
    assert look(page) == []
    page.evaluate("() => { const label = document.querySelector('main label'); label.remove() }")
    assert any("light: label" in each for each in look(page))
    page.evaluate("() => { document.querySelector('main h1').style.width = '600px' }")
    assert any("phone: " in each for each in look(page))
    scene.people["nobody"].go("/sign-in")
    with page.expect_console_message(lambda told: "script-src" in told.text):
        page.evaluate(
            "() => { const made = document.createElement('script'); "
            "made.src = 'data:text/javascript,1'; document.body.append(made) }"
        )
    assert any("script-src" in each for each in _problems(scene.people["nobody"]))


@pytest.mark.parametrize("name", list(PICTURES))
def test_the_picture_in_the_guide_is_what_the_page_looks_like(scene: Scene, name: str) -> None:
    assert picture(PICTURES[name](scene).page, name) == []


def test_every_picture_is_one_of_a_page() -> None:
    assert {each.stem for each in FOLDER.glob("*")} == set(PICTURES)


def test_what_buttons_answer_with_is_readable_too(scene: Scene) -> None:
    ada, pending = scene.people["ada"], scene.studies["pending"].path
    ada.go("/account/").click("New token").fill("What it is for", "a try").click("Create token")
    problems = _problems(ada.sees("It is shown this one time"))
    ada.go(f"{pending}/access").click("Reset: the secret was lost").click("Reset the access key")
    problems += _problems(ada.sees("Save both now"))
    ada.go(f"/spaces/{scene.ids['space_id'][0]}/servers/enrol").fill("Name", "genomics-2").click("Get join command")
    problems += _problems(ada.sees("Join command of genomics-2"))
    ada.go(f"{pending}/attachments").click("Get link to Agreement with the registry")
    problems += _problems(ada.sees("Open agreement.pdf"))
    ada.go(f"{scene.studies['finalized'].path}/integrity").click("Read all of it now").sees(
        "what it finds is shown here"
    )
    problems += _problems(ada)
    ada.sees("Nothing is missing or altered")  # the page follows by itself
    assert problems == [], "\n".join(problems)


def test_the_way_in_is_readable_at_every_step(scene: Scene) -> None:
    admin = scene.people["admin"].go("/staff/people/new").fill("E-mail address", "eve@example.org").fill("Name", "Eve")
    admin.click("Add person")
    problems = _problems(admin.sees("Sign-in code of eve@example.org"))
    eve = scene.cast.stranger().enter(admin.printed(), has_factor=False)
    problems += _problems(eve.sees("Second factor"))
    eve.click("Set up an authenticator app")
    problems += _problems(eve.sees("Scan this picture with the app."))
    eve.secret = eve.printed()
    eve.fill("Code", "000000").click("Confirm")
    problems += _problems(eve.sees("This code is wrong"))
    eve.fill("Code", eve.code()).click("Confirm")
    problems += _problems(eve.sees("Keep your recovery codes"))
    again = scene.cast.stranger().go("/sign-in").fill("E-mail address", eve.email)
    again.fill("Password", "not the password").click("Sign in")
    problems += _problems(again.sees("The e-mail address or the password is wrong."))
    again.fill("Password", PASSWORD).click("Sign in")
    assert again.sees("One more step").path.startswith(HALF_WAY)
    problems += _problems(again)
    assert problems == [], "\n".join(problems)
