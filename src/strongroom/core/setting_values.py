"""How the text of a setting becomes a value. Each function raises ValueError that says what would be right."""

import ipaddress
import re
import shlex
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from strongroom.core.sentences import Sentence

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)


def setting(default: str, unit: str, doc: str, read: Callable[[str], object], *, is_secret: bool = False) -> Any:
    """A field that `read` makes from text; `read` raises ValueError with the way out. A secret one is never shown."""
    return field(
        repr=not is_secret,
        metadata={"default": default, "unit": unit, "doc": Sentence(doc, {}), "read": read, "is_secret": is_secret},
    )


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number in decimal digits, from `least` to `most`, both allowed."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f"it must be a whole number from {least} to {most}")
        return int(text)

    return read


port = whole(1, 65535)


def engine_port(count: int) -> Callable[[str], int]:
    """A port so low that `count` ports from it on, and those 10,000 above, exist."""
    return whole(1024, 65535 - 10_000 - count + 1)


def ports(text: str) -> range:
    """Ports in a row: the first and the last, with a hyphen between."""
    first, hyphen, last = text.partition("-")
    try:
        found = range(port(first.strip()), port(last.strip() if hyphen else first.strip()) + 1)
    except ValueError:
        found = range(0)
    if not 1 <= len(found) <= 1000:
        raise ValueError("it must be two ports with a hyphen between, at most 1000 of them, such as 9500-9599")
    return found


def command(text: str) -> tuple[str, ...]:
    """Words of a command line, quoted as in a shell."""
    try:
        return tuple(shlex.split(text))
    except ValueError as wrong:
        raise ValueError(f"{wrong}; write it as in a shell") from None


def text(text: str) -> str:
    """Anything on one line."""
    if not text.isprintable():
        raise ValueError("it must be one line")
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """One of a few words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"it must be one of {', '.join(words)}")
        return text

    return read


def org(text: str) -> str:
    """1 to 18 lower-case letters or digits, so that a bucket's name fits in 63 characters."""
    if not re.fullmatch(r"[a-z0-9]{1,18}", text):
        raise ValueError("it must be 1 to 18 lower-case letters or digits")
    return text


def word(text: str) -> str:
    """Letters, digits and hyphens."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", text):
        raise ValueError("it must be 1 to 40 letters, digits or hyphens")
    return text


def path(text: str) -> Path:
    """A path, absolute or relative to the folder Strongroom is started in."""
    if "\0" in text:
        raise ValueError("it must be a path")
    return Path(text)


def file(text: str) -> Path | None:
    """A path, or nothing."""
    return path(text) if text else None


def host(text: str) -> str:
    """An IP address or a host name, without brackets."""
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        if not _HOST.fullmatch(text):
            raise ValueError("it must be an IP address or a host name, without port") from None
        return text.lower()


def hosts(text: str) -> tuple[str, ...]:
    """Host names with a comma between; a leading dot stands for all names below it."""
    names = _listed(text)
    for name in names:
        if not _HOST.fullmatch(name.removeprefix(".")):
            raise ValueError(f"{name!r} is not a host name; write names with a comma between, without port")
    return tuple(name.lower() for name in names)


def networks(text: str) -> tuple[str, ...]:
    """IP addresses or networks with a comma between."""
    try:
        return tuple(str(ipaddress.ip_network(each)) for each in _listed(text))
    except ValueError as wrong:
        raise ValueError(f"{wrong}; write addresses or networks with a comma between") from None


def url(text: str) -> str:
    """An http or https URL without path, or nothing."""
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("it must look like https://strongroom.example.org, without a path")
    _ = parts.port  # raises ValueError when it is no port
    return text.rstrip("/")


def origins(text: str) -> tuple[str, ...]:
    """URLs without path and with a comma between, each as `origin` writes it."""
    return tuple(origin(url(each)) for each in _listed(text))


def origin(url: str) -> str:
    """Scheme, host and port as a browser writes them in `Origin`: small letters, and no port that goes without saying.

    Source: RFC 6454, section 6.2.
    """
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port not in (None, {"http": 80, "https": 443}[parts.scheme]) else ""
    return f"{parts.scheme}://{bracketed(parts.hostname or '')}{port}"


def issuer(text: str) -> str:
    """The address of an identity provider, exactly as it writes it itself, or nothing."""
    if text:
        parts = urlsplit(text)
        if not parts.hostname or parts.query or parts.fragment or not _is_private(parts.scheme, parts.hostname):
            raise ValueError("it must look like https://idp.example.org/realms/staff (http only on this machine)")
    return text


def metadata(text: str) -> str:
    """Where the metadata of a SAML identity provider is: a file or an address, or nothing."""
    if "://" in text:
        parts = urlsplit(text)
        if not parts.hostname or not _is_private(parts.scheme, parts.hostname):
            raise ValueError("it must be a file, or look like https://idp.example.org/metadata")
    return str(path(text)) if text and "://" not in text else text


def _is_private(scheme: str, host: str) -> bool:
    """Whether nobody on the way can read or change what is said there."""
    return scheme == "https" or (scheme == "http" and host in ("127.0.0.1", "::1", "localhost"))


def listed(text: str) -> tuple[str, ...]:
    """Texts with a comma between."""
    if not text.isprintable():
        raise ValueError("it must be one line")
    return tuple(_listed(text))


def database_url(text: str) -> str:
    """A PostgreSQL URL with a database name, or nothing."""
    if text:
        parts = urlsplit(text)
        if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
            raise ValueError("it must look like postgresql://user:password@host:5432/name, or be empty for SQLite")
    return text


def smtp_url(text: str) -> str:
    """Where letters go out, or nothing."""
    if text:
        parts = urlsplit(text)
        if parts.scheme not in ("smtp", "smtps", "smtp+plain") or not parts.hostname:
            raise ValueError(
                "it must look like smtp://user:password@host:587 (STARTTLS), smtps://host:465, or smtp+plain://host:25 "
                "for a relay without encryption, or be empty"
            )
    return text


def email(text: str) -> str:
    """An address, in lower case."""
    if not re.fullmatch(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,180}", text):
        raise ValueError("it must be an e-mail address")
    return text.lower()


def reachable(listening: str) -> str:
    """Where a program on this machine reaches a server that listens on this address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listening, listening)  # noqa: S104 compared, never bound


def bracketed(address: str) -> str:
    """The address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
