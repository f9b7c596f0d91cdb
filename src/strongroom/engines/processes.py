"""What a process of an engine is, for whoever starts it; refuses to know how it is started.

The supervisor starts the specs of a list in order: the next one only after `is_ready` said yes and `on_ready`
returned. Processes run with umask 077.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessSpec:
    """One long-running process.

    `env` is the whole environment, not an addition. `is_ready` must not raise. `on_ready` runs each time the
    process has become ready, restarts included, and is idempotent; `Unavailable` from it stops everything
    with its message.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    is_ready: Callable[[], bool]
    on_ready: Callable[[], None] | None = None
    ready_seconds: float = 120
    stop_seconds: float = 20
