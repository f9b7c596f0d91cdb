"""The figures of the console's pages as text: the server's share, the peer's, and what a browser makes of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.figures import table, verdict

MOST_MS, MOST_BYTES, MOST_SHIFT = 100, 100_000, 0.1


def section(found: Mapping[str, Any]) -> Iterator[str]:
    """Tables and what has to be said of them."""
    yield _HEAD
    yield table(
        (
            "page",
            "processor, ms",
            "aim met",
            "until the answer, ms",
            "kB",
            "aim met",
            "peer: processor, ms",
            "peer: kB",
        ),
        [
            (
                name,
                each["cpu"],
                verdict(each["cpu_median"] <= MOST_MS),
                each["time"],
                _kb(each),
                _small(each),
                *_peer(each),
            )
            for name, each in found["pages"].items()
        ],
    )
    yield _PEER


def painted(found: Mapping[str, Any]) -> Iterator[str]:
    """What the trace of a browser said."""
    yield _PAINTED
    yield table(
        ("page", "first contentful paint, ms", "largest, ms", "layout shift", "aim met", "kB that came"),
        [_painted(name, each) for name, each in found["pages"].items()],
    )


def _kb(each: Mapping[str, Any]) -> str:
    return f"{each['bytes'] / 1000:.0f}"


def _small(each: Mapping[str, Any]) -> str:
    return verdict(each["bytes"] <= MOST_BYTES)


def _peer(each: Mapping[str, Any]) -> tuple[str, str]:
    peer = each.get("peer")
    return (peer["cpu"], _kb(peer)) if peer else ("", "")


def _painted(name: str, each: Mapping[str, Any]) -> tuple[str, ...]:
    times = (f"{each['first']:.0f}", f"{each['largest']:.0f}")
    return (name, *times, f"{each['shift']:.3f}", verdict(each["shift"] <= MOST_SHIFT), _kb(each))


_HEAD = """\
One space with 10,000 data sets, 1,000 members, 200 servers and 1,000,000 ledger entries; the fullest page of each kind,
asked by an owner or by staff, in one process on SQLite. Aims: 100 ms and 100 kB. Such a page waits for nothing but its
own work, so that the time of the processor is what it takes where nobody else wants the core; until the answer it took
longer by what the neighbours had of the machine. Styles and scripts are sent once and kept by the browser.
"""

_PEER = """
The peer is the administration site of Django over the same rows, in the same process and asked in turn: read only, as
many rows a page, each list joined with the one table whose names it shows, and a data set with its attachments and keys
below it, a server with its grants. It draws what is in the tables; it decides nothing of what may be done next and says
no reason. Where nothing is written it has no such page. No program of the same kind was compared: those we know need
services that this bench does not start (InvenioRDM a search engine, Dataverse an application server), and none of them
could be given these rows.
"""

_PAINTED = """\
The same crowd. Read from the trace of Debian's Chromium: medians of three, and the worst of the shifts, from the start
of the navigation with an empty cache, so that styles, scripts and icon came along. Server and browser shared the cores
with whatever else ran. Aim: a layout shift of at most 0.1.
"""
