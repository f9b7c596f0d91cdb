"""A real browser, Debian's Chromium, for the tests of one file."""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with the file: while it is open, this thread counts as one with an event loop, and Django minds that."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=150_000
        )
        yield made
        made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what every open page says with a test that failed."""
    report = yield
    open_now = getattr(item, "funcargs", {}).get("browser")
    if report.failed and isinstance(open_now, Browser):
        for page in (page for context in open_now.contexts for page in context.pages):
            report.sections.append((page.url, page.locator("body").inner_text()))
    return report
