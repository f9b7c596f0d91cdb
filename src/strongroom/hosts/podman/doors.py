"""How the two places that a server may reach are found inside it, under the same URLs as outside."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

# Names are given addresses of their own: two of them may be reached at one port.
_OF_NAMES = ("127.0.77.1", "127.0.77.2")


@dataclass(frozen=True, slots=True)
class Door:
    """One place. Inside, `listen` leads to the socket called `socket`; outside, that leads to `target` (`host:port`).

    Inside, `name` (if any) stands for the address of `listen`; `address` (if any) must be added to `lo` first.
    """

    socket: str
    listen: str
    target: str
    name: str = ""
    address: str = ""


def doors(gateway_url: str, control_plane_url: str) -> list[Door]:
    """The doors of a server; one where both places are one host and port (a proxy in front of both)."""
    found: dict[str, Door] = {}
    names: dict[str, str] = {}
    for socket, url in (("gateway.sock", gateway_url), ("control-plane.sock", control_plane_url)):
        door = _door(socket, url, names)
        found.setdefault(door.listen, door)
    return list(found.values())


def _door(socket: str, url: str, names: dict[str, str]) -> Door:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    target = _at(host, port)
    if host == "localhost":
        return Door(socket, _at("127.0.0.1", port), target)
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        address = names.setdefault(host, _OF_NAMES[len(names) % len(_OF_NAMES)])
        return Door(socket, _at(address, port), target, name=host)
    if number.is_loopback:
        return Door(socket, target, target)
    return Door(socket, target, target, address=f"{number}/{number.max_prefixlen}")


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
