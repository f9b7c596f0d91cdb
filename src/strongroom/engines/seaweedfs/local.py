"""Pages of the engine on a socket in its home; the path of it may be longer than an address of a socket can be."""

import http.client
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say


def get(path: Path, url: str, *, timeout_seconds: int = 5) -> bytes | None:
    """The page of this URL from who listens on the socket; None where nobody made one.

    Raises: Unavailable when nobody answers there any more, or with anything but the page.
    """
    connection = _Connection(path, timeout_seconds)
    try:
        connection.request("GET", urlsplit(url).path)
        answer = connection.getresponse()
        content = answer.read()
    except FileNotFoundError:
        return None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(
            say("The storage engine does not answer at {path}: {error}.", path=path, error=error),
            way_out=say("See whether it runs (`strongroom system status`); Strongroom goes on by itself when it does."),
        ) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise Unavailable(
            say("The storage engine's counters at {path} answer {status}.", path=path, status=answer.status)
        )
    return content


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_seconds: int) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)
