"""How a part of the whole is: one line of the state that an operator looks at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """The name of the part, whether it works, and a word for people."""

    part: str
    is_healthy: bool
    detail: str
