"""An engine that is watched: every call of a method is heard, and may be made to fail."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from strongroom.engines.protocol import Engine


class Counting:
    """Passes everything on to an engine. `on_call` is told the name of each method before it acts; it may raise.

    `calls` counts the methods. How many requests they take is the engine's to tell (`SeaweedEngine.on_request`).
    """

    def __init__(self, engine: Engine, *, on_call: Callable[[str], None] = lambda _: None) -> None:
        self.engine = engine
        self.on_call = on_call
        self.calls: Counter[str] = Counter()
        self._failing: dict[str, Exception] = {}

    def fail_next(self, method: str, error: Exception) -> None:
        """Raise this at the next call of the method, instead of acting."""
        self._failing[method] = error

    def as_engine(self) -> Engine:
        """Itself, as what it stands for."""
        return cast(Engine, self)

    def __getattr__(self, name: str) -> Any:  # whatever the engine has
        found = getattr(self.engine, name)
        if not callable(found):
            return found

        def watched(*args: Any, **kwargs: Any) -> Any:  # as the method takes them
            self.calls[name] += 1
            self.on_call(name)
            if error := self._failing.pop(name, None):
                raise error
            return found(*args, **kwargs)

        return watched
