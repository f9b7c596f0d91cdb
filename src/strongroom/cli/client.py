"""Speaks HTTP with one Strongroom server; turns every way it can fail into a `Problem`.

Source: RFC 9457 (problem details), RFC 6750 (bearer tokens), the server's OpenAPI document.
"""

import contextlib
import ssl
import uuid
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import urlsplit

import httpx

from strongroom import __version__
from strongroom.cli import exits, problems
from strongroom.cli.exits import Exit
from strongroom.cli.output import Json
from strongroom.cli.problems import Problem

API = "/api/v1"
PAGE = 500
_TIMEOUT = httpx.Timeout(
    10.0, read=120.0, write=120.0
)  # seconds; a key is proved against the engine before it is shown
PATIENT = httpx.Timeout(10.0, read=1800.0, write=120.0)  # what the server works on for long: a big file, a long ledger
_ATTEMPTS = 3


class Api:
    """The REST API of one server. `url` is what people type, e.g. `https://strongroom.example.org`."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"User-Agent": f"strongroom-cli/{__version__}", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT, follow_redirects=False)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, where: str, params: Mapping[str, object] | None = None, *, timeout: httpx.Timeout = _TIMEOUT) -> Json:
        """Read one thing."""
        return self._json("GET", where, params=_given(params), timeout=timeout)

    def post(self, where: str, body: Mapping[str, object] | None = None) -> Json:
        """Do something that is not repeated by itself when the connection breaks."""
        return self._json("POST", where, json=_given(body))

    def create(self, where: str, body: Mapping[str, object] | None = None) -> Json:
        """Make something; a repetition after a broken connection cannot make it twice."""
        return self._json("POST", where, json=_given(body), headers={"Idempotency-Key": str(uuid.uuid4())})

    def patch(self, where: str, body: Mapping[str, object]) -> Json:
        """Change fields of one thing; a value of None clears it."""
        return self._json("PATCH", where, json=dict(body))

    def delete(self, where: str, params: Mapping[str, object] | None = None) -> Json:
        """Take something away."""
        return self._json("DELETE", where, params=_given(params))

    def upload(self, where: str, fields: Mapping[str, str], filename: str, body: IO[bytes]) -> Json:
        """Send a file with its fields as multipart/form-data, read as it is sent."""
        once = {"Idempotency-Key": str(uuid.uuid4())}
        return self._json(
            "POST", where, data=_given(fields), files={"file": (filename, body)}, headers=once, timeout=PATIENT
        )

    def items(self, where: str, params: Mapping[str, object] | None = None, *, limit: int | None = None) -> list[Json]:
        """The items of all pages, or the first `limit`."""
        found: list[Json] = []
        for item in self.each(where, params, page=min(limit or PAGE, PAGE)):
            found.append(item)
            if limit and len(found) >= limit:
                break
        return found

    def each(self, where: str, params: Mapping[str, object] | None = None, *, page: int = PAGE) -> Iterator[Json]:
        """The items of all pages, read as they are asked for."""
        cursor: str | None = None
        while True:
            answer = self.get(where, {**(params or {}), "limit": page, "cursor": cursor})
            yield from answer.get("items", [])
            cursor = answer.get("next_cursor")
            if not cursor:
                return

    @contextlib.contextmanager
    def download(self, where: str, params: Mapping[str, object] | None = None) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer, as they come; what they come from may be proved first."""
        asked = self._http.stream("GET", self._address(where), params=_given(params), timeout=PATIENT)
        with self._speaking(), asked as answer:
            if not answer.is_success:
                answer.read()
                raise _refused(answer)
            yield answer.iter_bytes()

    def _address(self, where: str) -> str:
        return f"{self.url}{API}{where}"

    def _json(self, method: str, where: str, **how: Any) -> Json:  # Any: handed on to httpx as it is
        is_safe = method == "GET" or "Idempotency-Key" in how.get("headers", {})
        with self._speaking():
            answer = self._send(method, self._address(where), _ATTEMPTS if is_safe else 1, **how)
        if not answer.is_success:
            raise _refused(answer)
        if not answer.content:
            return {}
        return _parsed(answer)

    def _send(self, method: str, address: str, attempts: int, **how: Any) -> httpx.Response:
        for attempt in range(1, attempts + 1):
            try:
                return self._http.request(method, address, **how)
            except (httpx.RemoteProtocolError, httpx.ReadError):
                if attempt == attempts:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise problems.usage(f"{self.url!r} is not an address: {error}.", "Give one like https://host.") from error


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}


def _parsed(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _not_strongroom(answer)
    return found


def _refused(answer: httpx.Response) -> Problem:
    """What a status that is no success means. Source: RFC 9457."""
    if answer.is_redirect:
        target = answer.headers.get("location", "")
        return problems.unavailable(
            f"{_host(answer)} sends us on to {target or 'another address'}.",
            "Sign in at that address instead: a token is not carried to another place by itself.",
            code="redirected",
        )
    if "json" not in answer.headers.get("content-type", ""):
        return _not_strongroom(answer)
    said = _parsed(answer)
    if said.get("code") == "no-such-path" and (beyond := answer.request.url.path.partition(f"{API}/")[0]):
        return Problem(
            f"There is no Strongroom at {_host(answer)}{beyond}, but there is one at {_host(answer)}.",
            Exit.NOT_FOUND,
            f"Leave out the path: `strongroom login {_host(answer)}`.",
            code="no-such-path",
        )
    return Problem(
        detail=str(said.get("detail") or said.get("title") or f"The server answered {answer.status_code}."),
        exit=exits.of_status(answer.status_code),
        way_out=str(said.get("way_out") or ""),
        title=str(said.get("title") or ""),
        code=str(said.get("code") or answer.status_code),
        request_id=str(said.get("request_id") or answer.headers.get("x-request-id", "")),
        fields={str(name): str(reason) for name, reason in (said.get("fields") or {}).items()},
    )


def _not_strongroom(answer: httpx.Response) -> Problem:
    kind = answer.headers.get("content-type", "").split(";")[0] or "nothing readable"
    if answer.status_code in (502, 503, 504):
        return problems.unavailable(
            f"{_host(answer)} answered {answer.status_code}: a proxy is there, Strongroom behind it is not.",
            "Try again in a minute; if it stays, tell the people who run it.",
            code="proxy",
        )
    if answer.status_code >= 500:
        return Problem(
            f"{_host(answer)} failed while it answered ({answer.status_code}, {kind}).",
            Exit.UNEXPECTED,
            "Tell the people who run it; what was asked may be half done, so look before you repeat it.",
            code="server-failed",
        )
    return Problem(
        f"{_host(answer)} answered {answer.status_code} with {kind}, not as Strongroom's API does.",
        Exit.UNAVAILABLE if answer.is_success or answer.status_code == 404 else exits.of_status(answer.status_code),
        "Check the address: it is the one that `make up` printed as Strongroom, without a path.",
        code="not-strongroom",
    )


def _host(answer: httpx.Response) -> str:
    return f"{answer.request.url.scheme}://{answer.request.url.netloc.decode()}"


def _unreachable(url: str, error: httpx.TransportError) -> Problem:
    reason = _deepest(error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return problems.unavailable(
            f"The certificate of {url} cannot be trusted: {reason.verify_message}.",
            "If the server has a certificate of your own authority, name it in SSL_CERT_FILE.",
            code="certificate",
        )
    if isinstance(reason, ssl.SSLError) or "SSL" in str(error):
        return problems.unavailable(
            f"No secure connection with {url}: {error}.", "Does the server speak http instead?", code="tls"
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return problems.usage(f"{url!r} is not an address: {error}", "Give one like https://host.")
    if isinstance(error, httpx.ConnectTimeout):
        return problems.unavailable(f"{url} does not answer.", "Check the address and your network.", code="timeout")
    if isinstance(error, httpx.TimeoutException):
        return problems.unavailable(
            f"{url} took too long to answer.",
            "What was asked may still be done: look before you repeat it.",
            code="timeout",
        )
    if isinstance(error, httpx.ConnectError):
        return problems.unavailable(f"{url} cannot be reached: {_reason(reason)}.", _is_it_there(url))
    return problems.unavailable(
        f"{url} broke off the connection.",
        "What was asked may still be done: look before you repeat it.",
        code="broken",
    )


def _deepest(error: BaseException) -> BaseException:
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).rstrip(".").lower()


def _is_it_there(url: str) -> str:
    if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
        return "Is it running? Start it with `make up` in its folder."
    return "Check the address and your network."
