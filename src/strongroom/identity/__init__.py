"""Who people are elsewhere: the Provider protocol, and the identity providers this process uses, if any."""

from collections.abc import Callable, Mapping

from strongroom.core.vocabulary import IdentityKind
from strongroom.identity.protocol import HasMetadata, Leaving, Provider

__all__ = ["HasMetadata", "Leaving", "Provider", "current", "use"]

_factory: Callable[[], Mapping[IdentityKind, Provider]] | None = None
_providers: Mapping[IdentityKind, Provider] | None = None


def use(factory: Callable[[], Mapping[IdentityKind, Provider]]) -> None:
    """Say which providers this process uses; called once by the composition root (and by tests)."""
    global _factory, _providers
    _factory, _providers = factory, None


def current() -> Mapping[IdentityKind, Provider]:
    """The providers of this process, made at the first call; none of them is asked for anything yet."""
    global _providers
    if _providers is None:
        _providers = _factory() if _factory is not None else {}
    return _providers
