"""A host that only remembers, for tests and trials: its servers have no machine, and nobody can log in to them."""

from dataclasses import dataclass, field
from uuid import UUID

from strongroom.core.errors import NotFound, Unavailable
from strongroom.core.health import Health
from strongroom.core.sentences import NOTHING, Sentence, say
from strongroom.core.vocabulary import Power
from strongroom.hosts import offerings
from strongroom.hosts.protocol import Offering, ServerSpec


@dataclass
class MemoryHost:
    """`failing` makes every method refuse; `specs` is how each server was created last, `ended` whose sessions were."""

    ssh_host: str = "127.0.0.1"
    ssh_ports: range = range(9500, 9600)
    failing: Sentence = NOTHING
    specs: dict[UUID, ServerSpec] = field(default_factory=dict)
    ended: list[tuple[UUID, str]] = field(default_factory=list)
    _states: dict[UUID, Power] = field(default_factory=dict)

    def offerings(self) -> list[Offering]:
        """Those that Strongroom comes with."""
        return offerings.read()

    def check(self) -> None:
        """Fine unless it is failing."""
        if self.failing:
            raise Unavailable(self.failing)

    def create(self, spec: ServerSpec) -> None:
        """Remember that it runs."""
        self.check()
        if spec.offering not in {each.name for each in self.offerings()}:
            raise NotFound(say("There is no offering “{offering}”.", offering=spec.offering))
        self.specs[spec.id] = spec
        self._states[spec.id] = Power.RUNNING

    def start(self, server_id: UUID) -> None:
        """Remember that it runs."""
        self.check()
        if server_id not in self._states:
            raise NotFound(say("There is no server {server_id} on this host.", server_id=server_id))
        self._states[server_id] = Power.RUNNING

    def stop(self, server_id: UUID) -> None:
        """Remember that it does not run."""
        self.check()
        if server_id in self._states:
            self._states[server_id] = Power.STOPPED

    def delete(self, server_id: UUID) -> None:
        """Forget it."""
        self.check()
        self._states.pop(server_id, None)
        self.specs.pop(server_id, None)

    def state(self, server_id: UUID) -> Power:
        """What was remembered."""
        self.check()
        return self._states.get(server_id, Power.ABSENT)

    def states(self) -> dict[UUID, Power]:
        """All that is remembered."""
        self.check()
        return dict(self._states)

    def end_sessions(self, server_id: UUID, account: str) -> None:
        """Note that it was asked."""
        self.check()
        if self._states.get(server_id) is Power.RUNNING:
            self.ended.append((server_id, account))

    def health(self) -> list[Health]:
        """One line."""
        return [Health(say("host"), not self.failing, self.failing or say("in memory, for tests"))]
