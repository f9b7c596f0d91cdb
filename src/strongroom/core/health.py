"""How a part of the whole is: one line of the state that an operator looks at."""

from dataclasses import dataclass

from strongroom.core.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Health:
    """The name of the part, whether it works, and a word for people."""

    part: Sentence
    is_healthy: bool
    detail: Sentence
