"""How templates say a time, a size and a file of our own."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from lucide.templatetags.lucide import lucide as draw

from strongroom.console import script_words, wayout, words

register = template.Library()
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@register.simple_tag
def when(moment: datetime | None, none: str = "") -> SafeString | str:
    """A time. Without script it says UTC; the script says it in the reader's zone and keeps UTC in the title."""
    if moment is None:
        return none or gettext("never")
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{utc:%Y-%m-%d %H:%M} UTC",
    )


@register.filter
def at_a_browser(sentence: str) -> str:
    """A way out by the button instead of the command."""
    return wayout.at_a_browser(sentence)


@register.filter
def translated(said: str) -> str:
    """A sentence that another part of Strongroom says, such as a refusal."""
    return words.translated(said)


@register.filter
def unit(of_setting: str) -> str:
    """The unit of a setting."""
    return words.unit(of_setting)


@register.filter
def word(stored: str | None) -> str | None:
    """A word as a row holds it, such as a state or a role."""
    return words.word(stored) if stored else stored


@register.filter
def worded(stored: Iterable[str]) -> list[str]:
    """Each of several stored words."""
    return [words.word(each) for each in stored]


@register.filter
def risk(level: str) -> str:
    """How a space's risk level is named beside its name."""
    return words.risk(level)


@register.filter
def ticked(sentence: str) -> SafeString:
    """What stands between backticks as code."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:
        return format_html("{}", sentence)
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", each) if at % 2 else each,) for at, each in enumerate(parts))
    )


@register.filter
def size(count: int | None) -> str:
    """Bytes in decimal units as storage is sold: 1500 is `1.5 kB`."""
    if count is None:
        return gettext("unknown")
    value, unit = float(count), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return ngettext("{count} byte", "{count} bytes", count).format(count=count)
    return f"{value:.1f} {_UNITS[unit]}"


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file, which changes with its content, so that browsers may keep it for good."""
    return f"{static(path)}?v={_digest(path)}"


@register.simple_tag
def words_of_scripts() -> str:
    """The address of what scripts say, in the language of the page."""
    return script_words.address()


@register.simple_tag
@cache
def lucide(name: str, *, size: int = 24) -> str:
    """An icon, drawn once and kept: a page shows the same few dozens of times."""
    return draw(name, size=size)


@cache
def _digest(path: str) -> str:
    found = finders.find(path)
    if not isinstance(found, str):
        raise FileNotFoundError(path)
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12]
