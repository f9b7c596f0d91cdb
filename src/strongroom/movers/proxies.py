"""The way to an endpoint: straight, or through the proxy that the environment (or the system) names.

Source: RFC 9110, section 9.3.6 (CONNECT).
"""

from __future__ import annotations

import base64
import socket
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_LARGEST_ANSWER = 16 * 1024


@dataclass(frozen=True)
class Route:
    """`tunnel` is `host:port` of the endpoint where a proxy must open a tunnel to it; `header` is one for the proxy."""

    host: str
    port: int
    is_proxy: bool = False
    tunnel: str = ""
    header: str = ""

    def connect(self, seconds: float) -> socket.socket:
        """A connection that leads to the endpoint. Raises: OSError."""
        sock = socket.create_connection((self.host, self.port), seconds)
        if self.tunnel:
            try:
                _open_tunnel(sock, self.tunnel, self.header)
            except BaseException:
                sock.close()
                raise
        return sock

    def target(self, endpoint: str, target: str) -> str:
        """What stands in the first line of a request: a proxy without a tunnel needs the whole address."""
        return endpoint + target if self.is_proxy and not self.tunnel else target


def route_to(scheme: str, host: str, port: int | None) -> Route:
    """Where to connect for `scheme://host:port`."""
    port = port or (443 if scheme == "https" else 80)
    told = urllib.request.getproxies().get(scheme, "")
    if not told or urllib.request.proxy_bypass(f"{host}:{port}") or urllib.request.proxy_bypass(host):
        return Route(host, port)
    proxy = urlsplit(told if "://" in told else f"http://{told}")
    if not proxy.hostname:
        return Route(host, port)
    header = ""
    if proxy.username:
        who = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        header = "Proxy-Authorization: Basic " + base64.b64encode(who.encode()).decode()
    if scheme == "https":
        return Route(proxy.hostname, proxy.port or 3128, True, f"{host}:{port}", header)
    return Route(proxy.hostname, proxy.port or 3128, True, "", header)


def _open_tunnel(sock: socket.socket, to: str, header: str) -> None:
    lines = [f"CONNECT {to} HTTP/1.1", f"Host: {to}", *([header] if header else []), "", ""]
    sock.sendall("\r\n".join(lines).encode("latin-1"))
    said = b""
    while b"\r\n\r\n" not in said:
        more = sock.recv(1)  # not one byte too many: what follows belongs to the tunnel
        if not more or len(said) > _LARGEST_ANSWER:
            raise OSError("the proxy gives no answer")
        said += more
    first = said.split(b"\r\n")[0].decode("latin-1")
    if first.split(" ")[1:2] != ["200"]:
        raise OSError(f"the proxy refuses: {first}")
