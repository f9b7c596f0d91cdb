"""Which web pages browsers let speak to the public gateway of the real engine: the console's, and no others."""

import http.client
from collections.abc import Iterator

import pytest
from tests.engine_fixture import CONSOLE, Running
from tests.engines.conftest import new_repository

# What a page wants to send with an upload, as a browser asks for it first.
WANTED = "authorization,content-md5,content-type,x-amz-content-sha256,x-amz-date,x-amz-security-token"
METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
OTHERS = (
    "http://evil.example",
    "null",
    "*",
    CONSOLE + ".evil.example",
    CONSOLE.replace("http:", "https:"),
    CONSOLE.replace(":8400", ""),
    CONSOLE.replace(":8400", ":8401"),
)


@pytest.fixture(scope="module")
def repository(embedded_engine: Running) -> Iterator[str]:
    """A new repository of the real engine."""
    name = new_repository()
    embedded_engine.engine.create_repository(name, tags={"space": "test"})
    yield name
    embedded_engine.engine.delete_repository(name)


def _asked(running: Running, method: str, path: str, **headers: str) -> dict[str, str]:
    """What the gateway says of origins; nothing where it hangs up, as it does on some preflights it refuses."""
    connection = http.client.HTTPConnection("127.0.0.1", running.settings.public_port, timeout=60)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
    except http.client.RemoteDisconnected:
        return {}
    finally:
        connection.close()
    return {name.lower(): value for name, value in answer.getheaders() if name.lower().startswith("access-control")}


def _preflight(running: Running, path: str, origin: str, method: str) -> dict[str, str]:
    told = {"Origin": origin, "Access_Control_Request_Method": method, "Access_Control_Request_Headers": WANTED}
    return _asked(running, "OPTIONS", path, **told)


@pytest.mark.parametrize("method", METHODS)
def test_the_console_may_send_all_that_an_upload_needs_and_read_the_etag(
    embedded_engine: Running, repository: str, method: str
) -> None:
    for path in (f"/{repository}/a%20folder/x.csv", f"/{repository}/x?uploads=", f"/{repository}/?list-type=2"):
        told = _preflight(embedded_engine, path, CONSOLE, method)
        assert told["access-control-allow-origin"] == CONSOLE, path
        assert method in told["access-control-allow-methods"].split(", "), path
        # By name: what a browser takes `*` for, `authorization` is not among.
        assert set(told["access-control-allow-headers"].split(", ")) == set(WANTED.split(",")), path
    told = _asked(embedded_engine, "GET", f"/{repository}/x", Origin=CONSOLE)
    assert told["access-control-allow-origin"] == CONSOLE
    assert "ETag" in told["access-control-expose-headers"]


@pytest.mark.parametrize("origin", OTHERS)
def test_no_other_page_may_send_or_read_anything_of_a_repository(
    embedded_engine: Running, repository: str, origin: str
) -> None:
    for path in (f"/{repository}/x", f"/{repository}/x?uploads=", f"/{repository}", f"/{new_repository()}/x", "/"):
        for method in METHODS:
            assert "access-control-allow-origin" not in _preflight(embedded_engine, path, origin, method), path
    for path in (f"/{repository}/x", f"/{repository}/", f"/{repository}?list-type=2", f"/{new_repository()}/x"):
        assert "access-control-allow-origin" not in _asked(embedded_engine, "GET", path, Origin=origin), path


def test_a_preflight_that_the_gateway_hangs_up_on_leaves_nothing_in_flight(
    embedded_engine: Running, repository: str
) -> None:
    for _ in range(20):
        assert _preflight(embedded_engine, f"/{repository}", "http://evil.example", "PUT") == {}
    assert embedded_engine.engine.is_drained(embedded_engine.engine.mark_writes())
