"""What the console's own files say beside their content."""

from wsgiref.headers import Headers

MODULES = ("/static/console/upload/", "/static/console/vendor/")
"""Scripts that load one another by their plain names, which do not change with their content."""
_ALONE = "default-src 'none'; script-src 'self'"


def add(headers: Headers, path: str, url: str) -> None:
    """Browsers ask anew for a module before they use it, and a worker made of one speaks to nobody."""
    if url.startswith(MODULES):
        headers["Cache-Control"] = "no-cache"
        headers["Content-Security-Policy"] = _ALONE
