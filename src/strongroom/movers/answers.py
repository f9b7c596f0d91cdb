"""What S3 answers, read: listings, parts, uploads, refusals. Keys come as in a URL: XML cannot hold them all.

Source: Amazon S3 API Reference.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import unquote_plus
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from strongroom.movers.errors import Altered, Busy, Problem, Refused, Unreachable

_BUSY = frozenset((408, 429, 500, 502, 503, 504))
_BUSY_CODES = frozenset(("RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted"))
_ALTERED_CODES = frozenset(("BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest"))


@dataclass(frozen=True)
class Stored:
    """An object as S3 tells it. `etag` is without quotes; `metadata` only where the object itself was asked for."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Part:
    """A part of an upload that is there."""

    number: int
    size_bytes: int
    etag: str


@dataclass(frozen=True)
class Upload:
    """An upload that was begun and not completed."""

    key: str
    upload_id: str
    begun_at: datetime


@dataclass(frozen=True)
class Page:
    """Some objects, and what to ask for to get the next; empty at the end."""

    found: list[Stored]
    next: str


def stored_of(key: str, headers: Mapping[str, str]) -> Stored:
    """What the headers of an answer say of an object."""
    meta = {name[11:]: value for name, value in headers.items() if name.startswith("x-amz-meta-")}
    said = headers.get("last-modified")
    modified = email.utils.parsedate_to_datetime(said) if said else datetime.fromtimestamp(0, timezone.utc)
    return Stored(key, int(headers.get("content-length", 0)), etag_of(headers), modified, meta)


def etag_of(headers: Mapping[str, str]) -> str:
    """The ETag without its quotes."""
    return headers.get("etag", "").strip('"')


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """What an answer that is none of success means."""
    said = {name: _plain(body, name) for name in ("Code", "Message")}
    code = said["Code"] or f"HTTP {status}"
    if status in _BUSY or said["Code"] in _BUSY_CODES:
        return Busy(status, code, said["Message"])
    if 300 <= status < 400:
        return Refused(status, code, f"the gateway sends elsewhere: {headers.get('location', 'it does not say where')}")
    if said["Code"] in _ALTERED_CODES:
        return Altered(f"what arrived is not what was sent ({code})")
    return Refused(status, code, said["Message"])


def page_of(body: bytes) -> Page:
    """One page of ListObjectsV2 with `encoding-type=url`. Raises: Unreachable where its end is lost."""
    root, space = _read(body)
    unquoted = _unquoting(root, space)
    found = [
        Stored(
            unquoted(each.findtext(f"{space}Key") or ""),
            int(each.findtext(f"{space}Size") or 0),
            (each.findtext(f"{space}ETag") or "").strip('"'),
            _time(each.findtext(f"{space}LastModified")),
        )
        for each in root.iter(f"{space}Contents")
    ]
    is_more = root.findtext(f"{space}IsTruncated") == "true"
    token = root.findtext(f"{space}NextContinuationToken") or ""
    if is_more and not token:
        raise Unreachable("the listing is not whole, and does not say how it goes on")
    return Page(found, token if is_more else "")


def parts_of(body: bytes) -> tuple[list[Part], str]:
    """One page of ListParts, and the marker of the next."""
    root, space = _read(body)
    found = [
        Part(
            int(each.findtext(f"{space}PartNumber") or 0),
            int(each.findtext(f"{space}Size") or 0),
            (each.findtext(f"{space}ETag") or "").strip('"'),
        )
        for each in root.iter(f"{space}Part")
    ]
    is_more = root.findtext(f"{space}IsTruncated") == "true"
    return found, (root.findtext(f"{space}NextPartNumberMarker") or "") if is_more else ""


def uploads_of(body: bytes) -> tuple[list[Upload], list[tuple[str, str]]]:
    """One page of ListMultipartUploads with `encoding-type=url`, and what to ask for to get the next."""
    root, space = _read(body)
    unquoted = _unquoting(root, space)
    found = [
        Upload(
            unquoted(each.findtext(f"{space}Key") or ""),
            each.findtext(f"{space}UploadId") or "",
            _time(each.findtext(f"{space}Initiated")),
        )
        for each in root.iter(f"{space}Upload")
    ]
    if root.findtext(f"{space}IsTruncated") != "true":
        return found, []
    key = unquoted(root.findtext(f"{space}NextKeyMarker") or "")
    return found, [("key-marker", key), ("upload-id-marker", root.findtext(f"{space}NextUploadIdMarker") or "")]


def word_of(body: bytes, name: str) -> str:
    """The text of one element. Raises: Unreachable where there is none."""
    root, space = _read(body)
    found = root.findtext(f"{space}{name}")
    if not found:
        raise Unreachable(f"the answer has no {name}")
    return found


def completion(parts: Sequence[tuple[int, str]]) -> bytes:
    """What completes an upload of these parts."""
    said = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{escape(etag)}&quot;</ETag></Part>"
        for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{said}</CompleteMultipartUpload>".encode()


def completed_of(body: bytes) -> str:
    """The ETag of a completed upload. S3 may say 200 and only then that it failed.

    Raises: Busy or Refused.
    """
    root, _ = _read(body)
    if root.tag.endswith("Error"):
        raise problem_of(500 if _plain(body, "Code") in _BUSY_CODES else 400, {}, body)
    return word_of(body, "ETag").strip('"')


def _read(body: bytes) -> tuple[ElementTree.Element, str]:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  expat bounds how far entities expand
    except ElementTree.ParseError:
        raise Unreachable("the answer is not one of S3's: it is no XML") from None
    space = root.tag[: root.tag.index("}") + 1] if root.tag.startswith("{") else ""
    return root, space


def _unquoting(root: ElementTree.Element, space: str) -> Callable[[str], str]:
    # Encoded as in a form: a blank may be `+`, a plus never is.
    return unquote_plus if root.findtext(f"{space}EncodingType") == "url" else str


def _plain(body: bytes, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>".encode(), body)
    return found[1].decode(errors="replace") if found else ""


def _time(said: str | None) -> datetime:
    if not said:
        return datetime.fromtimestamp(0, timezone.utc)
    return datetime.fromisoformat(said[:-1] + "+00:00" if said.endswith("Z") else said)
