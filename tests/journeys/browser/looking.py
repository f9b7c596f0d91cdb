"""What every page must be: readable by everybody in both colours, and no wider than a phone."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.browser.person import DESKTOP, PHONE

_AXE = Axe()
_EVERYTHING = {"resultTypes": ["violations"]}
# The other theme has the same page in other colours.
_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
_SAYS_THEME = "theme => { document.documentElement.dataset.theme = theme }"
_TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide <= 0) return [];
  const out = [...document.querySelectorAll('main *, header *')].filter(
    e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
  return [`${wide} px too wide`, ...out.slice(0, 5).map(e => e.tagName + '.' + e.className)];
}"""

_FADED = """() => Promise.all(document.getAnimations()
  .filter(each => each.effect.getComputedTiming().iterations !== Infinity)
  .map(each => each.finished.catch(() => 0)))"""


def look(page: Page) -> list[str]:
    """What is wrong with the page that is open; the page is as before afterwards, in light colours."""
    page.evaluate(_SAYS_THEME, "light")
    found = [f"light: {each}" for each in _violations(page, _EVERYTHING)]
    page.evaluate(_SAYS_THEME, "dark")
    found += [f"dark: {each}" for each in _violations(page, _COLOURS)]
    page.evaluate(_SAYS_THEME, "light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += [f"phone: {each}" for each in page.evaluate(_TOO_WIDE)]
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    return [f"{page.url}: {each}" for each in found]


def _violations(page: Page, options: dict[str, object]) -> list[str]:
    """Source: axe-core, "Results Object"."""
    _settle(page)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.axe_script)
    violations = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in violations for node in each["nodes"]]


def _settle(page: Page) -> None:
    """Colours that fade from one theme to the other are done; what turns without end is not waited for."""
    page.evaluate(_FADED)
