"""A store of the tests that speaks as much S3 as a mover needs, counts every byte, and can be told to misbehave."""

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import responses
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

Refuse = Callable[[str, str, dict[str, str]], "tuple[int, str] | None"]


@dataclass
class Sink:
    """What is there. `keeps`: contents are kept, else only their hashes. `refuse` is asked before each request."""

    keeps: bool = True
    objects: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)  # size, ETag, content
    uploads: dict[str, tuple[str, dict[int, tuple[int, str, bytes]]]] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)  # bytes of whole bodies by key
    puts: Counter[str] = field(default_factory=Counter)
    refuse: Refuse = lambda method, key, query: None
    metadata: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    number: int = 0
    requests: int = 0

    def content(self) -> dict[str, bytes]:
        """Of every object."""
        return {key: content for key, (_, _, content) in self.objects.items()}


@contextmanager
def sink(*, keeps: bool = True) -> Iterator[Sink]:
    """One that listens, over HTTP in threads of this process."""
    made = Sink(keeps)
    handler = type("Handler", (_Handler,), {"sink": made})
    server = _Server(("127.0.0.1", 0), handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed break off: that is what the tests do."""


class _Handler(StreamRequestHandler):
    """As little HTTP as movers need: the standard library's server would be most of what 100,000 requests cost."""

    disable_nagle_algorithm = True
    sink: Sink

    def handle(self) -> None:
        """Requests until the client leaves."""
        while first := self.rfile.readline():
            self.command, self.path, _ = first.decode("latin-1").split()
            self.headers: dict[str, str] = {}
            while line := self.rfile.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                self.headers[name.lower()] = value.strip()
            getattr(self, f"do_{self.command.lower()}")()

    def _begin(self) -> tuple[str, dict[str, str], bytes] | None:
        """Key, query and body; None where it was refused."""
        path, _, asked = self.path.partition("?")
        query = {name: values[0] for name, values in parse_qs(asked, keep_blank_values=True).items()} if asked else {}
        key = unquote(path).lstrip("/").partition("/")[2]
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        if len(body) < size:  # whoever sent it is gone
            return None
        self.sink.requests += 1
        refused = self.sink.refuse(self.command, key, query)
        if refused:
            self._answer(refused[0], f"<Error><Code>{refused[1]}</Code><Message>Told to</Message></Error>")
            return None
        return key, query, body

    def _answer(self, status: int, body: str = "", *, etag: str = "", size: int | None = None) -> None:
        content = body.encode()
        head = f"HTTP/1.1 {status} {responses[status]}\r\nContent-Length: {len(content) if size is None else size}\r\n"
        head += f'ETag: "{etag}"\r\n' if etag else ""
        self.wfile.write(head.encode() + b"\r\n" + (b"" if self.command == "HEAD" else content))

    def do_put(self) -> None:
        begun = self._begin()
        if begun is None:
            return
        key, query, body = begun
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        kept = (len(body), md5, body if self.sink.keeps else b"")
        with self.sink.lock:
            self.sink.received[key] += len(body)
            self.sink.puts[key] += 1
            if "uploadId" in query:
                if query["uploadId"] not in self.sink.uploads:
                    self._answer(404, "<Error><Code>NoSuchUpload</Code></Error>")
                    return
                self.sink.uploads[query["uploadId"]][1][int(query["partNumber"])] = kept
            else:
                self.sink.objects[key] = kept
                self.sink.metadata[key] = self.headers.get("x-amz-meta-sha256") or ""
        self._answer(200, etag=md5)

    def do_post(self) -> None:
        begun = self._begin()
        if begun is None:
            return
        key, query, body = begun
        with self.sink.lock:
            if "uploads" in query:
                self.sink.number += 1
                upload_id = f"u{self.sink.number}"
                self.sink.uploads[upload_id] = (key, {})
                self._answer(
                    200,
                    f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>",
                )
                return
            found = self.sink.uploads.pop(query["uploadId"], None)
            if found is None:
                self._answer(404, "<Error><Code>NoSuchUpload</Code></Error>")
                return
            parts = [found[1][int(number)] for number in re.findall(r"<PartNumber>(\d+)<", body.decode())]
            md5 = hashlib.md5(b"".join(bytes.fromhex(etag) for _, etag, _ in parts), usedforsecurity=False).hexdigest()
            etag = f"{md5}-{len(parts)}"
            self.sink.objects[key] = (
                sum(size for size, _, _ in parts),
                etag,
                b"".join(content for _, _, content in parts),
            )
        self._answer(
            200, f"<CompleteMultipartUploadResult><ETag>&quot;{etag}&quot;</ETag></CompleteMultipartUploadResult>"
        )

    def do_delete(self) -> None:
        begun = self._begin()
        if begun is None:
            return
        key, query, _ = begun
        with self.sink.lock:
            if "uploadId" in query:
                self.sink.uploads.pop(query["uploadId"], None)
            else:
                self.sink.objects.pop(key, None)
        self._answer(204)

    def do_head(self) -> None:
        begun = self._begin()
        if begun is None:
            return
        found = self.sink.objects.get(begun[0])
        if found is None:
            self._answer(404)
        else:
            self._answer(200, etag=found[1], size=found[0])

    def do_get(self) -> None:
        begun = self._begin()
        if begun is None:
            return
        with self.sink.lock:
            found = self._listing(begun[1])
        self._answer(*found)

    def _listing(self, query: dict[str, str]) -> tuple[int, str]:
        if "uploads" in query:
            found = "".join(
                f"<Upload><Key>{escape(at)}</Key><UploadId>{each}</UploadId></Upload>"
                for each, (at, _) in self.sink.uploads.items()
            )
            return 200, f"<ListMultipartUploadsResult>{found}</ListMultipartUploadsResult>"
        if "uploadId" in query:
            if query["uploadId"] not in self.sink.uploads:
                return 404, "<Error><Code>NoSuchUpload</Code></Error>"
            parts = self.sink.uploads[query["uploadId"]][1]
            found = "".join(
                f"<Part><PartNumber>{number}</PartNumber><Size>{size}</Size><ETag>{etag}</ETag></Part>"
                for number, (size, etag, _) in sorted(parts.items())
            )
            return 200, f"<ListPartsResult>{found}</ListPartsResult>"
        after = query.get("continuation-token", query.get("start-after", ""))
        prefix = query.get("prefix", "")
        keys = sorted(each for each in self.sink.objects if each > after and each.startswith(prefix))
        page, more = keys[:1000], len(keys) > 1000
        found = "".join(
            f"<Contents><Key>{escape(each)}</Key><Size>{self.sink.objects[each][0]}</Size>"
            f"<ETag>{self.sink.objects[each][1]}</ETag></Contents>"
            for each in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return 200, f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{found}</ListBucketResult>"
