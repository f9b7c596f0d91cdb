"""The people of the browser tests: who they are in the API as well, so that a scene is set without a click."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from secrets import token_hex
from typing import Any

from playwright.sync_api import Browser

from tests.journeys.api import Study
from tests.journeys.browser.person import Person, person
from tests.journeys.system import System


@dataclass
class Cast:
    """Everybody has a browser of their own, with password and second factor."""

    system: System
    browser: Browser
    stack: ExitStack

    @cached_property
    def admin(self) -> Person:
        """An administrator of the platform; another one in each file, for a system may be that of several."""
        return self.somebody(f"administrator-{token_hex(3)}@example.org", "Administrator", "administrator")

    def somebody(self, email: str, name: str, staff_role: str | None = None) -> Person:
        """A new person, invited by the administrator over the API."""
        made = self.system.administrator.post("/people", email=email, name=name, staff_role=staff_role)
        return self.come_in(made["sign_in_code"], email)

    def come_in(self, code: str, email: str) -> Person:
        """A browser in which this code was used."""
        entered = self.stranger().enter(code)
        assert entered.email == email
        return entered

    def stranger(self) -> Person:
        """A browser in which nobody is signed in."""
        return self.stack.enter_context(person(self.browser, self.system.door.url))

    def without_script(self, known: Person) -> Person:
        """The same person at another browser, one that runs no scripts; signed in there as well."""
        other = self.stack.enter_context(person(self.browser, self.system.door.url, java_script_enabled=False))
        other.email, other.secret, other.last_step = known.email, known.secret, known.last_step
        return other.sign_in()

    def beside(self, known: Person, **options: Any) -> Person:
        """A window of another kind, in which the same person is signed in already."""
        other = self.stack.enter_context(person(self.browser, self.system.door.url, **options))
        other.context.add_cookies([dict(each) for each in known.context.cookies()])  # type: ignore[misc]  # they are such
        return other

    def with_dataset(self, owner: Person, space_id: str, name: str, files: int = 2) -> Study:
        """A pending data set that its owner made, got a key for and filled; all but the upload by clicks."""
        owner.go(f"/spaces/{space_id}/datasets/new").pick("Original").fill("Name", name).click("Create dataset")
        owner.sees(f"“{name}” was created")
        study = Study(self.system.administrator, owner.id, name, owner.fact("Repository"), self.system.gateway)
        owner.click("Get initial credentials", within=".ds-side").click("Get access key").sees("Save both now")
        study.access_key_id, study.secret = owner.fact("Access key"), owner.fact("Secret")
        for number in range(files):
            self.system.s3(study).put_object(Bucket=study.repository, Key=f"first/{number}.csv", Body=b"row\n")
        return study


@contextmanager
def cast(system: System, browser: Browser) -> Iterator[Cast]:
    """Nobody yet. At the end every browser is asked what went wrong in it."""
    with ExitStack() as stack:
        yield Cast(system, browser, stack)


def new_space(owner: Person, name: str) -> str:
    """Make a high-risk space by clicks; its id."""
    owner.go("/spaces/new").fill("Name", name).pick("High").click("Create space")
    either = re.compile("Terms for sensitive data|No data sets yet")
    owner.page.locator("#content", has_text=either).wait_for()
    if "Terms for sensitive data" in owner.text:
        owner.click("I have read and accept them").sees("You accepted the terms.").click("Create space")
    return owner.sees(name).id
