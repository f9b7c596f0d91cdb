"""When something is to end, as people say it: a day, or for how long from now."""

import re
from datetime import UTC, datetime, timedelta

import click

from strongroom.cli.deeds import Handler
from strongroom.cli.problems import usage

_SPAN = re.compile(r"([1-9][0-9]{0,4})(h|d|w)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAY = click.DateTime(formats=["%Y-%m-%d"])


def choosable(handler: Handler) -> Handler:
    """The options `--until` and `--for`."""
    handler = click.option(
        "--for", "span", metavar="SPAN", help="How long from now: 12h, 30d or 6w (hours, days, weeks)."
    )(handler)
    return click.option(
        "--until", type=_DAY, metavar="YYYY-MM-DD", help="It ends by itself when this day has ended (UTC)."
    )(handler)


def chosen(until: datetime | None, span: str | None, now: datetime | None = None) -> str | None:
    """The moment, in ISO 8601; None where neither was said. Raises Problem for both, and for a span that is none."""
    if until and span:
        raise usage("--until and --for say the same thing twice.", "Say one of them.")
    if span:
        found = _SPAN.fullmatch(span.strip().lower())
        if not found:
            raise usage(f"{span!r} is not a span of time.", "Say for example --for 30d; h, d and w are known.")
        return ((now or datetime.now(UTC)) + int(found[1]) * _UNITS[found[2]]).isoformat(timespec="seconds")
    # The first moment after the day: until the 31st covers the 31st.
    return (until.replace(tzinfo=UTC) + timedelta(days=1)).isoformat() if until else None
