"""What may stand in a client's settings: the values that name one bucket on one endpoint."""

import re
from urllib.parse import urlsplit

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

# What each value may consist of. The formats below escape as well; but an INI file has no escape for a line break.
_SHAPES = {
    "repository": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "endpoint": re.compile(r"https?://[A-Za-z0-9._~:/\[\]-]+"),
    "region": re.compile(r"[A-Za-z0-9-]{1,64}"),
    "access_key_id": re.compile(r"[A-Za-z0-9_+=,.@/-]{1,128}"),
    "profile": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
}


def checked_values(*, endpoint: str, **values: str) -> str:
    """The endpoint without a slash at its end, once every value can stand in a client's settings. Raises: Invalid."""
    for field, value in {**values, "endpoint": endpoint}.items():
        if not _SHAPES[field].fullmatch(value):
            raise Invalid(
                say("{field} {value!r} cannot stand in a client's settings.", field=field, value=value),
                fields={field: say("is malformed")},
            )
    return _checked_url(endpoint)


def is_encrypted(endpoint: str) -> bool:
    """Whether clients speak TLS to it."""
    return endpoint.startswith("https:")


def is_amazon(endpoint: str) -> bool:
    """Whether it is AWS itself."""
    return (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


def place(endpoint: str) -> str:
    """Host and port, as clients take them that want no URL."""
    return urlsplit(endpoint).netloc


def _checked_url(endpoint: str) -> str:
    url = endpoint.rstrip("/")
    try:
        parts = urlsplit(url)
        is_plain = bool(parts.hostname) and parts.path == "" and (parts.port is None or parts.port > 0)
    except ValueError:
        is_plain = False
    if not is_plain:
        raise Invalid(
            say("{endpoint!r} is not the URL of an endpoint.", endpoint=endpoint),
            fields={"endpoint": say("is not a URL without path")},
        )
    return url
