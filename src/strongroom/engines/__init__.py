"""Where the bytes live: the Engine protocol and the engine this process uses."""

from collections.abc import Callable

from strongroom.engines.protocol import AccessKey, Engine, StoredObject, Uploaded

__all__ = ["AccessKey", "Engine", "StoredObject", "Uploaded", "current", "use"]

_factory: Callable[[], Engine] | None = None
_engine: Engine | None = None


def use(factory: Callable[[], Engine]) -> None:
    """Say how this process reaches its engine; called once by the composition root (and by tests)."""
    global _factory, _engine
    _factory, _engine = factory, None


def current() -> Engine:
    """The engine of this process, made at the first call."""
    global _engine
    if _engine is None:
        if _factory is None:
            raise RuntimeError("no engine configured: the composition root must call engines.use() first")
        _engine = _factory()
    return _engine
