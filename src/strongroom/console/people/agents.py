"""What people call the browser that a long `User-Agent` stands for; refuses to be sure: a browser may say anything."""

from django.utils.translation import gettext, gettext_noop

# The first that is found names it: most browsers also name those that they want to be taken for.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", gettext_noop("an iPhone")),
    ("iPad", gettext_noop("an iPad")),
    ("Mac OS", gettext_noop("a Mac")),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def named(agent: str) -> str:
    """`Firefox on Linux`; what is unknown stays as it was said."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if not browser:
        return agent[:60] or gettext("a browser")
    return gettext("{browser} on {system}").format(browser=browser, system=gettext(system)) if system else browser
