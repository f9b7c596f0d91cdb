"""Which paths may be gone to after a form: those of this console, whatever a link says."""

from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

HOME = "/"


def local_path(wanted: str | None) -> str:
    """`wanted`, if it is a path on this host; else home."""
    is_path = bool(wanted) and str(wanted).startswith("/")
    return wanted if wanted and is_path and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else HOME


def with_next(to: str, request: HttpRequest, come_back: str = "") -> str:
    """The path `to`, told to lead to `come_back`, or else back to the page that the person is on now."""
    return f"{to}?{urlencode({'next': local_path(come_back) if come_back else here(request)})}"


def here(request: HttpRequest) -> str:
    """The page that the person is on: after a form was sent, the one that the form is on."""
    if request.method in ("GET", "HEAD"):
        return local_path(request.get_full_path())
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host():
        return HOME
    return local_path(came_from.path + (f"?{came_from.query}" if came_from.query else ""))
