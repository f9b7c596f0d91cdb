"""Asking an identity provider something: in time, in bounds, and without being sent elsewhere."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
import structlog

from strongroom.core.errors import Unauthenticated, Unavailable
from strongroom.core.sentences import Sentence, say

log = structlog.get_logger()

_SECONDS = 10
_LONGEST_BYTES = 2_000_000


def refuse(name: str, what: Sentence, **facts: object) -> Unauthenticated:
    """The refusal of what a provider said; `what` goes on after “was not accepted: ”. The facts go to the log alone."""
    log.warning("sso.refused", provider=name, what=what, **facts)
    return Unauthenticated(
        say("What {name} said was not accepted: {what}.", name=name, what=what),
        code="sso-refused",
        way_out=say("Begin again on the sign-in page. If it happens again, tell whoever operates Strongroom."),
    )


def unavailable(name: str, problem: object) -> Unavailable:
    """What is said where a provider does not answer as it should."""
    log.warning("sso.unavailable", provider=name, problem=str(problem))
    return Unavailable(
        say("The identity provider ({name}) cannot be asked now.", name=name),
        code="sso-unavailable",
        way_out=say("Try again soon, or sign in with a password if you have one. The log says what went wrong."),
    )


def get(name: str, url: str, **headers: str) -> bytes:
    """What is at an address. Raises: Unavailable."""
    return _body(name, "GET", url, headers=headers)


def get_json(name: str, url: str, **headers: str) -> Mapping[str, Any]:
    """The JSON object at an address. Raises: Unavailable."""
    return _object(name, _body(name, "GET", url, headers={"Accept": "application/json", **headers}))


def post_form(
    name: str, url: str, form: Mapping[str, str], auth: tuple[str, str] | None
) -> tuple[int, Mapping[str, Any]]:
    """Status and JSON object that a form is answered with; a refusal (4xx) is no error here. Raises: Unavailable."""
    status, body = _ask(name, "POST", url, data=form, auth=auth, headers={"Accept": "application/json"})
    if status >= 500:
        raise unavailable(name, f"{url} answered {status}")
    return status, _object(name, body)


def _body(name: str, method: str, url: str, **options: Any) -> bytes:
    status, body = _ask(name, method, url, **options)
    if status != 200:
        raise unavailable(name, f"{url} answered {status}")
    return body


def _ask(name: str, method: str, url: str, **options: Any) -> tuple[int, bytes]:
    body = bytearray()
    try:
        with _client().stream(method, url, **options) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LONGEST_BYTES:
                    raise unavailable(name, f"{url} answers without end")
            return response.status_code, bytes(body)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise unavailable(name, f"{url}: {type(problem).__name__}: {problem}") from None


@cache
def _client() -> httpx.Client:
    """Made once, for reading the authorities takes long; no connection is kept, for it may have died meanwhile."""
    return httpx.Client(timeout=_SECONDS, limits=httpx.Limits(max_keepalive_connections=0))


def _object(name: str, body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise unavailable(name, "it answered no JSON object")
    return found
