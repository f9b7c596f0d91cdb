"""One repository (a bucket) on an S3 gateway: what a mover asks of it, each call safe to repeat.

Credentials come from a callable, which is asked before every request and once more when S3 does not take them: whoever
renews them does so there.

Source: Amazon S3 API Reference.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from strongroom.core.sigv4 import EMPTY_SHA256, UNSIGNED, Key, path_of, query_of, signed
from strongroom.movers import answers
from strongroom.movers.answers import Part, Stored, Upload
from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.retrying import Patience
from strongroom.movers.wire import Answer, Body, Pace, Wire

Parts = list[Part]
Uploads = list[Upload]
Pairs = Sequence[tuple[str, str]]
_MOST_TOLD = 2  # a request: what is new at hand may be refused as well


@dataclass(frozen=True)
class Credentials:
    """What signs. `expires_at` is aware UTC, None for a key that is not of a session."""

    access_key_id: str
    secret: str
    token: str = ""
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id!r}, secret=***)"


@dataclass(frozen=True)
class _Request:
    method: str
    key: str = ""
    query: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    payload_sha256: str = ""


class Repository:
    """A bucket. Every method may be called from any number of threads.

    Raises, from every method: Refused when S3 says no, Unreachable when it could not be asked until patience ended.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        repository: str,
        credentials: Callable[[], Credentials],
        *,
        denied: Callable[[Refused], object] | None = None,
        patience: Patience | None = None,
        ca_file: str = "",
    ) -> None:
        """`denied` hears that S3 does not take the credentials: it raises what ends the mover, or returns when another
        try makes sense.
        """
        self.name = repository
        self.patience = patience or Patience()
        self._region = region
        self._credentials = credentials
        self._denied = denied
        self._wire = Wire(endpoint, ca_file=ca_file)
        self.offset_seconds = 0.0

    def pace(self, pace: Pace) -> None:
        """Ask this before so many bytes of a body go: it may wait, and count."""
        self._wire.pace = pace

    # Objects
    def put(
        self,
        key: str,
        body: Body,
        *,
        metadata: Mapping[str, str] | None = None,
        sha256: str = "",
        md5: bytes = b"",
    ) -> str:
        """Write an object in one piece; its ETag.

        The engine takes it only if it arrives with the SHA-256 (hex) and MD5 given; with neither, with the MD5 that is
        computed here. Raises: Altered where it does not.
        """
        return self._put(_Request("PUT", key, headers=_meta(metadata), body=body, payload_sha256=sha256), md5)

    def head(self, key: str) -> Stored | None:
        """What is there under a key; None where nothing is."""
        try:
            headers, _ = self._done(_Request("HEAD", key))
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise
        return answers.stored_of(key, headers)

    def get(self, key: str, *, start: int = 0, end: int | None = None, etag: str = "") -> Answer:
        """Read an object, or its bytes from `start` up to `end` (exclusive). The caller reads or closes the answer.

        `etag`: refuse (412, `PreconditionFailed`) where the object is another one by now. What breaks off while the
        body is read is `Unreachable` from there: go on from where it broke.
        """
        request = _Request("GET", key, headers=_ranged(start, end, etag))
        return self.patience.of(lambda left: self._once(request, left))

    def fill(self, key: str, target: memoryview, *, start: int = 0, etag: str = "") -> int:
        """Read bytes of an object, from `start`, until `target` is full or the object ends; how many.

        What breaks off is gone on with. Raises: Refused also where the object is not the one of this ETag.
        """
        done = 0

        def take(answer: Answer) -> None:
            nonlocal done
            while done < target.nbytes:
                count = answer.readinto(target[done:])
                if not count:
                    return
                done += count

        self._through(key, start, start + target.nbytes, etag, take, lambda: start + done)
        return done

    def blocks(
        self,
        key: str,
        room: memoryview,
        take: Callable[[memoryview], object],
        *,
        start: int = 0,
        end: int,
        etag: str = "",
    ) -> None:
        """Read bytes of an object into `room`, again and again; `take` is given each filling. As `fill` otherwise."""
        at = start

        def take_all(answer: Answer) -> None:
            nonlocal at
            while at < end:
                count = answer.fill(room)
                if not count:
                    return
                take(room[:count])
                at += count

        self._through(key, start, end, etag, take_all, lambda: at)

    def _through(
        self, key: str, start: int, end: int, etag: str, take: Callable[[Answer], None], at: Callable[[], int]
    ) -> None:
        """Ask from where we are, until the end is reached or nothing more comes."""

        def ask(left: float | None) -> None:
            began = at()
            headers = _ranged(began, end, etag) if began else {}
            try:
                with self._once(_Request("GET", key, headers=headers), left) as answer:
                    if began and answer.status != 206:
                        raise Unreachable("the gateway sends another range than was asked for")
                    if etag and answers.etag_of(answer.headers) != etag:
                        raise Refused(412, "PreconditionFailed", "it is another object by now")
                    take(answer)
            except Unreachable:
                if at() == began:
                    raise

        while at() < end:
            before = at()
            self.patience.of(ask)
            if at() == before:
                return

    def delete(self, key: str) -> None:
        """Remove an object; gone already is fine."""
        self._done(_Request("DELETE", key))

    # Uploads in parts
    def create_upload(self, key: str, metadata: Mapping[str, str] | None = None) -> str:
        """Begin an upload in parts; its id."""
        _, body = self._done(_Request("POST", key, [("uploads", "")], _meta(metadata)))
        return answers.word_of(body, "UploadId")

    def put_part(self, key: str, upload_id: str, number: int, body: Body, *, sha256: str = "", md5: bytes = b"") -> str:
        """Write part `number` (from 1); its ETag. Checked as in `put`."""
        query = [("partNumber", str(number)), ("uploadId", upload_id)]
        return self._put(_Request("PUT", key, query, body=body, payload_sha256=sha256), md5)

    def list_parts(self, key: str, upload_id: str) -> Parts:
        """The parts that are there, by number. SeaweedFS tells a part that was sent twice twice."""
        found: Parts = []
        marker = ""
        while True:
            query = [("uploadId", upload_id), *([("part-number-marker", marker)] if marker else [])]
            parts, marker = answers.parts_of(self._done(_Request("GET", key, query))[1])
            found += parts
            if not marker:
                return found

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> str:
        """Make the object of its parts; its ETag. Asked again after an answer that was lost, it finds what is done."""
        request = _Request("POST", key, [("uploadId", upload_id)], body=answers.completion(parts))

        def ask(left: float | None) -> str:
            with self._once(request, left) as answer:
                return answers.completed_of(answer.read())

        try:
            return self.patience.of(ask)
        except Refused as refusal:
            stored = self.head(key) if refusal.code == "NoSuchUpload" else None
            if stored and stored.etag == etag_of_parts([etag for _, etag in parts]):
                return stored.etag
            raise

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Give an upload up, with its parts; gone already is fine."""
        try:
            self._done(_Request("DELETE", key, [("uploadId", upload_id)]))
        except Refused as refusal:
            if refusal.code != "NoSuchUpload":
                raise

    def list_uploads(self) -> Uploads:
        """The uploads that were begun and not completed."""
        found: Uploads = []
        markers: list[tuple[str, str]] = []
        while True:
            query = [("uploads", ""), ("encoding-type", "url"), *markers]
            uploads, markers = answers.uploads_of(self._done(_Request("GET", query=query))[1])
            found += uploads
            if not markers:
                return found

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Objects in ascending order of their key's bytes, read in pages of 1,000; `after` is exclusive."""
        token = ""
        while True:
            query = [("list-type", "2"), ("encoding-type", "url"), ("max-keys", "1000")]
            query += [("prefix", prefix)] if prefix else []
            query += [("continuation-token", token)] if token else [("start-after", after)] if after else []
            page = answers.page_of(self._done(_Request("GET", query=query))[1])
            yield from page.found
            if not page.next:
                return
            token = page.next

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._wire.forget()

    # How it is asked
    def _put(self, request: _Request, md5: bytes) -> str:
        headers, payload = dict(request.headers), request.payload_sha256
        if payload:
            # SeaweedFS compares this one; the hash of the payload that is signed, it does not (seen with 4.48).
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(payload)).decode()
        else:
            md5 = md5 or hashlib.md5(request.body, usedforsecurity=False).digest()
        if md5:
            headers["content-md5"] = base64.b64encode(md5).decode()
        found, _ = self._done(replace(request, headers=headers, payload_sha256=payload or UNSIGNED))
        return answers.etag_of(found)

    def _done(self, request: _Request) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of an answer of success."""

        def ask(left: float | None) -> tuple[Mapping[str, str], bytes]:
            with self._once(request, left) as answer:
                return answer.headers, answer.read()

        return self.patience.of(ask)

    def _once(self, request: _Request, silence_seconds: float | None) -> Answer:
        credentials, told = self._credentials(), 0
        while True:
            answer = self._sent(request, credentials, silence_seconds)
            if answer.status < 300:
                return answer
            with answer:
                problem = answers.problem_of(answer.status, answer.headers, answer.read())
            if isinstance(problem, Unreachable):
                problem.moved_at = answer.moved_at
            if not (isinstance(problem, Refused) and problem.is_access):
                raise problem
            if problem.code == "RequestTimeTooSkewed" and self._learn(answer):
                continue
            renewed = self._credentials()
            if renewed == credentials:
                if self._denied is None or told == _MOST_TOLD:
                    raise problem
                told += 1
                self._denied(problem)
                renewed = self._credentials()
            credentials = renewed

    def _sent(self, request: _Request, credentials: Credentials, silence_seconds: float | None) -> Answer:
        path = path_of(self.name, request.key) if request.key else path_of(self.name)
        query = query_of(request.query) if request.query else ""
        headers = signed(
            Key(credentials.access_key_id, credentials.secret, credentials.token),
            request.method,
            path,
            query,
            {"host": self._wire.host, **request.headers},
            payload_sha256=request.payload_sha256 or (UNSIGNED if request.body else EMPTY_SHA256),
            at=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + self.offset_seconds)),
            region=self._region,
        )
        target = f"{path}?{query}" if query else path
        return self._wire.ask(request.method, target, headers, request.body, silence_seconds)

    def _learn(self, answer: Answer) -> bool:
        """Take the gateway's time, for this machine's clock is wrong; False when that is no news."""
        try:
            said = email.utils.parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
        except (TypeError, ValueError):
            return False
        offset = said - time.time()
        is_news = abs(offset - self.offset_seconds) > 60
        self.offset_seconds = offset
        return is_news


def etag_of_parts(etags: Sequence[str]) -> str:
    """The ETag of an object that was made of parts with these ETags."""
    joined = hashlib.md5(b"".join(bytes.fromhex(each) for each in etags), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(etags)}"


def _meta(metadata: Mapping[str, str] | None) -> dict[str, str]:
    return {f"x-amz-meta-{name.lower()}": value for name, value in (metadata or {}).items()}


def _ranged(start: int, end: int | None, etag: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    if start or end is not None:
        headers["range"] = f"bytes={start}-{'' if end is None else end - 1}"
    if etag:
        headers["if-match"] = f'"{etag}"'
    return headers
