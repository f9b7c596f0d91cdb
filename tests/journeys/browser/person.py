"""A person at a browser: clicks and types what the pages show by its words, and notes everything that went wrong."""

import base64
import re
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from strongroom.core.totp import DIGITS, STEP_SECONDS

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PASSWORD = "correct-horse-battery-staple"
CSP = "document.addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"
# What Chromium says of every page that was refused; whether a page may be refused is for the test to know.
_SAYS_STATUS = "Failed to load resource"
# What it says of every page that comes neither over HTTPS nor from this machine.
_SAYS_PLAIN = "Cross-Origin-Opener-Policy header has been ignored"


@dataclass
class Person:
    """`problems` is what a page of the console must never cause: errors of scripts, policy violations, lost files."""

    context: BrowserContext
    url: str
    email: str = ""
    name: str = ""
    secret: str = ""
    problems: list[str] = field(default_factory=list)
    last_step: int = -1

    def __post_init__(self) -> None:
        self.context.add_init_script(CSP)
        self.context.set_default_timeout(60_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._answered)
        self.page.on("requestfailed", self._failed)

    # Where one is

    def go(self, path: str) -> "Person":
        """Type an address."""
        self.page.goto(self.url + path)
        return self

    @property
    def path(self) -> str:
        """The address without the host."""
        return self.page.url.removeprefix(self.url)

    @property
    def id(self) -> str:
        """The last UUID of the address: the space, data set or server that is shown."""
        return re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", self.path)[-1]

    @property
    def text(self) -> str:
        """What the content says."""
        return self.page.locator("#content").inner_text()

    def sees(self, *words: str) -> "Person":
        """Wait until the content says all of it."""
        for each in words:
            self.page.locator("#content", has_text=each).wait_for()
        return self

    def is_told_one_thing(self) -> "Person":
        """Wait until the page says what is wrong: in one place."""
        self.page.locator("[role=alert]").first.wait_for()
        assert self.page.locator("[role=alert]").count() == 1, self.text
        return self

    def does_not_see(self, words: str) -> "Person":
        """It is nowhere on the page now."""
        assert words not in self.text, self.text
        return self

    # What one does

    def click(self, words: str, within: str = "#content") -> "Person":
        """A button or a link with exactly these words, or the fold that has them as its head."""
        self._deed(words, within).wait_for()
        self._deed(words, within).click()
        return self

    def may(self, words: str) -> bool:
        """Whether there is such a button, link or fold, and it can be pressed."""
        found = self._deed(words, "#content")
        return bool(found.count() and found.is_visible() and found.is_enabled())

    def fill(self, label: str, value: str) -> "Person":
        """A field, by what is written on it."""
        self._field(label).fill(value)
        return self

    def choose(self, label: str, words: str) -> "Person":
        """An entry of a list."""
        self._field(label).select_option(label=words)
        return self

    def pick(self, label: str) -> "Person":
        """A radio button or a box, by the words beside it."""
        words = re.compile(rf"^\s*{re.escape(label)}")
        self.page.locator("#content label").filter(has_text=words).first.click()
        assert self.page.locator("#content").get_by_label(label).first.is_checked(), f"{label} was not picked"
        return self

    def confirm(self, name: str, button: str) -> "Person":
        """Type the name that a page asks for; the button is open only then."""
        assert not self.may(button), "it can be pressed before the name was typed"
        self.page.locator("input[name=confirm_name]:visible").fill(name)
        return self.click(button)

    def fact(self, word: str) -> str:
        """What stands beside such a word in a table of facts, without the button that copies it."""
        shown = self.page.locator(f"#content dt:text-is('{word}') + dd")
        code = shown.locator("code")
        return (code.first if code.count() else shown.first).inner_text().strip()

    def printed(self, title: str = "") -> str:
        """The text that a page gives to copy: the only one, or the one below such a heading."""
        place = self.page.locator("#content")
        if title:
            place = place.locator("article", has=self.page.get_by_role("heading", name=title, exact=True))
        return place.locator("[data-copy]").first.get_attribute("data-copy") or ""

    # Who one is

    def enter(self, code: str, *, has_factor: bool = True) -> "Person":
        """Use an invitation: a password, and an app for codes."""
        self.go("/").click("Use an invitation code").fill("Invitation code", code).click("Continue")
        self.email = self.page.locator(".lead strong").inner_text()
        self.fill("New password", PASSWORD).fill("The same again", PASSWORD).click("Set password and sign in")
        return self.set_up_factor() if has_factor else self

    def set_up_factor(self) -> "Person":
        """An app that shows codes, from the secret on the page."""
        self.click("Set up an authenticator app")
        self.secret = self.printed()
        self.fill("Code", self.code()).click("Confirm")
        return self.sees("Keep your recovery codes").click("I have kept them")

    def sign_in(self) -> "Person":
        """Password, then a code."""
        self.go("/sign-in").fill("E-mail address", self.email).fill("Password", PASSWORD).click("Sign in")
        return self.fill("Code", self.code()).click("Continue")

    def code(self) -> str:
        """What the app shows now; each works once, so the next one where this one was used already."""
        step = max(int(time.time()) // STEP_SECONDS, self.last_step + 1)
        while step > int(time.time()) // STEP_SECONDS + 1:
            time.sleep(0.2)
        self.last_step = step
        app = TOTP(base64.b32decode(self.secret), DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)
        return app.generate(step * STEP_SECONDS).decode()

    def __enter__(self) -> "Person":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, _: TracebackType | None
    ) -> None:
        self.context.close()
        assert problem is not None or not self.problems, "\n".join(self.problems)

    # What went wrong

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(
            each in message.text for each in (_SAYS_STATUS, _SAYS_PLAIN)
        ):
            self.problems.append(f"{self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= (500 if is_page else 400):
            self.problems.append(f"{response.request.method} {response.url}: {response.status}")

    def _failed(self, request: Request) -> None:
        # What was under way when one went on to another page, and what became a download.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.method} {request.url}: {request.failure}")

    # How a page is read

    def _deed(self, words: str, within: str) -> Locator:
        place = self.page.locator(within)
        exact = re.compile(rf"^\s*{re.escape(words)}\s*$")
        named = place.get_by_role("button", name=words, exact=True)
        linked = place.get_by_role("link", name=words, exact=True)
        folded = place.locator("summary").filter(has_text=exact)
        pressed = named.or_(linked).locator("visible=true")
        return pressed.first if pressed.count() else pressed.or_(folded.locator("visible=true")).first

    def _field(self, label: str) -> Locator:
        words = re.compile(rf"^{re.escape(label)}( optional)?$")
        return self.page.locator("#content").get_by_label(words).locator("visible=true").first


def person(browser: Browser, url: str, **options: Any) -> Person:
    """Somebody with a browser of their own, at the console's address; not signed in."""
    context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", "timezone_id": "UTC", **options})
    return Person(context, url)
