"""What every request carries: an id, the peer's true address, and one line in the log when it is done."""

import ipaddress
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

log = structlog.get_logger("strongroom.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_INVITATION = re.compile(r"^(/invitations/).+")
_QUIET = ("/healthz", "/readyz")


def request_facts(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Django middleware. Sets `REMOTE_ADDR` and `STRONGROOM_REQUEST_ID` in `request.META`, and `X-Request-Id`."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        believe_proxies(request.META, settings.STRONGROOM.trusted_proxies)
        offered = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = offered if _REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex
        request.META["STRONGROOM_REQUEST_ID"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = get_response(request)
            response.headers["X-Request-Id"] = request_id
            if request.path not in _QUIET:
                _tell(request, response.status_code, time.perf_counter() - began)
        return response

    return respond


def _tell(request: HttpRequest, status: int, seconds: float) -> None:
    log.info(
        "request",
        verb=request.META.get("STRONGROOM_VERB"),
        actor=request.META.get("STRONGROOM_ACTOR"),
        method=request.method,
        path=_without_secret(request.path),
        status=status,
        address=request.META.get("REMOTE_ADDR", ""),
        milliseconds=round(seconds * 1000, 1),
    )


def _without_secret(path: str) -> str:
    """The path, without the code of an invitation."""
    return _INVITATION.sub(r"\1…", path)


def believe_proxies(meta: dict[str, str], trusted: tuple[str, ...]) -> None:
    """Replace `REMOTE_ADDR` by the nearest address that is no trusted proxy, and note HTTPS that a proxy ended.

    Read from the right: an address further left was written by somebody nobody vouches for.
    """
    networks = [ipaddress.ip_network(each) for each in trusted]
    if not _is_in(meta.get("REMOTE_ADDR", ""), networks):
        meta.pop("HTTP_X_FORWARDED_PROTO", None)
        return
    if meta.get("HTTP_X_FORWARDED_PROTO") == "https":
        meta["wsgi.url_scheme"] = "https"
    hops = [each.strip() for each in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
    for hop in reversed(hops):
        if not _is_address(hop):
            return
        meta["REMOTE_ADDR"] = hop
        if not _is_in(hop, networks):
            return


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(address: str, networks: "list[ipaddress.IPv4Network | ipaddress.IPv6Network]") -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in each for each in networks)
