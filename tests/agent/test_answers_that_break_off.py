"""A long answer of the control plane that ends too early is noticed, also where it ends as if that were all."""

import base64
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.agent import signing
from strongroom.agent.control import Control
from strongroom.agent.problems import Trouble

WHOLE = b'{"key": "a"}\n{"key": "b"}\n'


class _Handler(http.server.BaseHTTPRequestHandler):
    """`/whole` and `/short` say in their head what all of it sums up to; `/untold` does not."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if not self.path.endswith("/untold"):
            summed = base64.b64encode(hashlib.sha256(WHOLE).digest()).decode()
            self.send_header("Repr-Digest", f"sha-256=:{summed}:")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        body = WHOLE if self.path.endswith("/whole") else WHOLE[:13]
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """Speaks to such a control plane."""
    signing.make_key(tmp_path / "key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Control(f"http://127.0.0.1:{server.server_port}", "server", signing.Signer(tmp_path / "key"))
        server.shutdown()


def test_an_answer_that_ends_too_early_is_no_answer(control: Control) -> None:
    assert b"".join(control.stream("/whole", {})) == WHOLE
    assert b"".join(control.stream("/untold", {})) == WHOLE[:13]
    with pytest.raises(Trouble, match="broke off"):
        list(control.stream("/short", {}))
