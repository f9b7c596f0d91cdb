"""When a browser shows a page, and how far things jump on it: read from the browser's own trace.

Debian's Chromium, a fresh profile for each page, so that styles and scripts come over the wire as well.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from socketserver import ThreadingMixIn
from statistics import median
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from playwright.sync_api import Browser, sync_playwright

from bench import console
from bench.inside import control_plane

CHROMIUM = "/usr/bin/chromium"
ROUNDS = 3
SETTLE_MS = 500
_HAS_PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
_CATEGORIES = ["loading", "rail", "devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]


PAGES = ("home", "space", "people and roles", "activity of a space", "data set", "contents", "server")


def measure() -> dict[str, object]:
    """Milliseconds, the score of layout shifts, and bytes that came, by page."""
    with control_plane(has_engine=False) as place:
        crowd, clients = console.gathered(place)
        session = str(clients[False].cookies["strongroom_session"].value)
        paths = {name: crowd.path(console.PAGES[name]) for name in PAGES}
        with _served() as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            found = {name: _seen(browser, url, path, session) for name, path in paths.items()}
            browser.close()
        return {"pages": found}


def _seen(browser: Browser, url: str, path: str, session: str) -> dict[str, float]:
    """Medians, but the worst of the shifts."""
    tried = (_once(browser, url, path, session) for _ in range(3 * ROUNDS))
    found = list(islice((each for each in tried if each), ROUNDS))
    both = {name: median(each[name] for each in found) for name in found[0]}
    return both | {"shift": max(each["shift"] for each in found)}


def _once(browser: Browser, url: str, path: str, session: str) -> dict[str, float] | None:
    """None where the trace ended before the browser had told of everything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "strongroom_session", "value": session, "url": url}])
    page = context.new_page()
    browser.start_tracing(page=page, categories=_CATEGORIES)
    answer = page.goto(url + path, wait_until="networkidle")
    assert answer and answer.status == 200, (path, answer and answer.status)
    page.wait_for_function(_HAS_PAINTED)
    page.wait_for_timeout(SETTLE_MS)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    context.close()
    return read(events, url)


def read(events: list[dict[str, Any]], url: str) -> dict[str, float] | None:
    """What a trace says of the last page that was opened below this address.

    Source: web.dev, "Largest Contentful Paint" and "Cumulative Layout Shift"; Chromium, `loading` trace events.
    """
    began = max(
        each["ts"]
        for each in events
        if each["name"] == "navigationStart" and each["args"]["data"].get("documentLoaderURL", "").startswith(url)
    )
    since = [each for each in events if each.get("ts", 0) >= began]

    first, largest = (
        [each["ts"] for each in since if each["name"] == name]
        for name in ("firstContentfulPaint", "largestContentfulPaint::Candidate")
    )
    if not first or not largest:
        return None
    shifts = _data(since, "LayoutShift")
    asked = _data(since, "ResourceSendRequest")
    ours = {each["requestId"] for each in asked if each["url"].startswith(url)}  # the browser asks elsewhere, too
    came = [each["encodedDataLength"] for each in _data(since, "ResourceFinish") if each["requestId"] in ours]
    return {
        "first": (first[-1] - began) / 1000,
        "largest": (largest[-1] - began) / 1000,
        "shift": sum(each["score"] for each in shifts if not each["had_recent_input"]),
        "bytes": sum(came),
    }


def _data(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [each["args"]["data"] for each in events if each["name"] == name]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: what is printed is the figures."""


@contextmanager
def _served() -> Iterator[str]:
    """This process's pages on a free port."""
    from django.core.wsgi import get_wsgi_application

    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    print(json.dumps(measure()))
