"""What Strongroom asks of a host, where servers run; refuses to know why."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from strongroom.core.health import Health
from strongroom.core.vocabulary import OperatingSystem, Power

__all__ = ["Health", "Host", "Joining", "Offering", "Power", "ServerSpec"]


@dataclass(frozen=True, slots=True)
class Offering:
    """A kind of server that a host can make; `name` is what it is asked for by.

    `price_per_month` is what the institution charges, in `currency` (ISO 4217); 0: nothing. `disk` is
    for people.
    """

    name: str
    os: OperatingSystem
    description: str
    cpus: int
    memory_bytes: int
    disk: str
    price_per_month: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Joining:
    """Where and with which one-time token a new server joins."""

    control_plane_url: str
    token: str

    def __repr__(self) -> str:
        return f"Joining({self.control_plane_url}, token=***)"


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """A server to be made. `name` becomes its host name; `ssh_port` is one of the host's `ssh_ports`.

    `joining` None: it has joined before, and its disk remembers.
    """

    id: UUID
    name: str
    offering: str
    ssh_port: int
    joining: Joining | None = None


class Host(Protocol):
    """Where servers run. Every method may be repeated, and raises Unavailable, with the way out, when the host fails.

    What is on a server's disk outlives stopping, starting, a restart of the host, and an update of its system.
    """

    @property
    def ssh_host(self) -> str:
        """Where people reach the sshd of a server of this host, at the server's own port."""

    @property
    def ssh_ports(self) -> range:
        """The ports that servers of this host may have, one each: as many servers can be made."""

    def offerings(self) -> list[Offering]:
        """What can be made here, the smallest first."""

    def check(self) -> None:
        """Return when servers can be made here; raises Unavailable with what the operator has to do."""

    def create(self, spec: ServerSpec) -> None:
        """Have the server there and running; with a `joining`, one that has not joined yet does so with that token."""

    def start(self, server_id: UUID) -> None:
        """Have a server that was created run, its system as new as the host has it. Raises NotFound when absent."""

    def stop(self, server_id: UUID) -> None:
        """Have it stand still; absent is fine."""

    def delete(self, server_id: UUID) -> None:
        """Leave nothing of it: no disk, no socket, no process. Absent is fine."""

    def state(self, server_id: UUID) -> Power:
        """What it is now."""

    def states(self) -> dict[UUID, Power]:
        """What every server of this host is now, in one look; those that are not named are absent."""

    def end_sessions(self, server_id: UUID, account: str) -> None:
        """End everything that runs for this local user, and let nobody in under that name until the agent does again.

        Nothing to do where it does not run.
        """

    def health(self) -> list[Health]:
        """The parts of the host and whether each works; never raises."""
