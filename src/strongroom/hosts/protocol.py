"""What Strongroom asks of a host, where servers run; refuses to know why."""

from dataclasses import dataclass
from typing import Protocol

from strongroom.core.vocabulary import OperatingSystem


@dataclass(frozen=True, slots=True)
class Offering:
    """A kind of server that a host can make; `name` is what it is asked for by."""

    name: str
    os: OperatingSystem


class Host(Protocol):
    """Where servers run."""

    def offerings(self) -> list[Offering]:
        """What can be made here."""
