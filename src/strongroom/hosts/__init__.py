"""Where servers run: the Host protocol and the host this process uses, if any."""

from collections.abc import Callable

from strongroom.hosts.protocol import Host, Joining, Offering, ServerSpec

__all__ = ["Host", "Joining", "Offering", "ServerSpec", "current", "use"]

_factory: Callable[[], Host | None] | None = None
_host: Host | None = None


def use(factory: Callable[[], Host | None]) -> None:
    """Say which host this process uses; called once by the composition root (and by tests)."""
    global _factory, _host
    _factory, _host = factory, None


def current() -> Host | None:
    """The host of this process; None where none is set up."""
    global _host
    if _host is None and _factory is not None:
        _host = _factory()
    return _host
