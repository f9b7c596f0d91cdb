"""Builders: people, spaces, data sets and servers, made through the same actions that people use."""

import time
from itertools import count
from typing import Any
from uuid import UUID

from django.utils import timezone

from strongroom.actions import converge, datasets, grants, keys, leases, members, people, servers, spaces
from strongroom.actions.views import DatasetView
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Kind, OperatingSystem, RiskLevel, Role, StaffRole, State
from strongroom.db.models import Dataset, Person, Server, Space
from strongroom.engines import AccessKey
from strongroom.engines.memory import MemoryEngine
from tests.machines import Machine


class World:
    """One platform with an administrator; names are told apart by a number."""

    def __init__(self, engine: MemoryEngine, email: str = "root@example.org") -> None:
        self.engine = engine
        self._numbers = count(1)
        first = people.first_administrator(email, "Root")
        self.administrator = actor_of(first.person if first else Person.objects.get(email=email))

    def person(self, name: str = "person", *, staff_role: StaffRole | None = None) -> Actor:
        """Somebody who belongs to no space yet."""
        email = f"{name}{next(self._numbers)}@example.org"
        return actor_of(people.create(self.administrator, email=email, name=name, staff_role=staff_role).person)

    def space(self, owner: Actor | None = None, *, risk_level: RiskLevel = RiskLevel.HIGH, name: str = "") -> Space:
        """A space of somebody new, or of `owner`."""
        called = name or f"Space {next(self._numbers)}"
        return spaces.create(owner or self.person("owner"), name=called, risk_level=risk_level).space

    def owner(self, space: Space) -> Actor:
        """Who made the space."""
        return actor_of(space.created_by)

    def member(self, space: Space, role: Role) -> Actor:
        """Somebody new with this role in the space."""
        actor = self.person(role.value)
        members.add(self.owner(space), space.id, email=actor.email, role=role)
        return actor

    def dataset(self, space: Space | None = None, *, by: Actor | None = None, **fields: Any) -> Dataset:
        """A pending data set with a bucket; an original unless told otherwise."""
        space = space or self.space()
        if fields.get("kind") is Kind.DERIVATIVE and not fields.get("source_ids"):
            fields.setdefault("external_source", "A register of another university")
        values = {"kind": Kind.ORIGINAL, "name": f"Data set {next(self._numbers)}", **fields}
        return datasets.create(by or self.owner(space), space_id=space.id, **values).dataset

    def key(self, dataset: Dataset) -> AccessKey:
        """A fresh upload key of the data set, with its secret."""
        issued = keys.issue(actor_of(dataset.created_by), dataset.id)
        return AccessKey(issued.key.principal, issued.key.access_key_id, issued.secret)

    def uploaded(self, dataset: Dataset, **files: bytes) -> AccessKey:
        """A key of the data set, after these files (default: one) were uploaded with it."""
        key = self.key(dataset)
        for name, content in (files or {"first.csv": b"a,b\n1,2\n"}).items():
            assert self.engine.put_as(key, dataset.repository, name, content)
        return key

    def finalized(self, dataset: Dataset | None = None, **options: Any) -> Dataset:
        """A data set that was uploaded to, finalized, and settled."""
        dataset = dataset or self.dataset()
        if not dataset.keys.exists():
            self.uploaded(dataset)
        datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name, **options)
        return self.settled(dataset)

    def settled(self, dataset: Dataset) -> Dataset:
        """The data set after the worker has done everything that is left; fails when it cannot."""
        tries, deadline = 0, time.monotonic() + 60
        while tries < 20:
            row = Dataset.objects.select_related("created_by", "space").get(id=dataset.id)
            if row.is_settled:
                return row
            if leases.is_free(row, timezone.now()) or time.monotonic() > deadline:
                tries += 1
            else:  # another thread is at it, which counts as no try
                time.sleep(0.02)
            converge.settle(row.id)
        raise AssertionError(f"{row} does not settle: {row.state} {row.step} {row.last_error}")

    def server(self, space: Space, *, by: Actor | None = None, name: str = "") -> Server:
        """An enrolled server that has not joined yet; of the space's owner, or of `by`."""
        called = name or f"server-{next(self._numbers)}"
        return servers.enrol(by or self.owner(space), space.id, name=called, os=OperatingSystem.LINUX).server

    def machine(self, space: Space, *, by: Actor | None = None, address: str = "192.0.2.50") -> Machine:
        """An enrolled server that has joined."""
        called = f"server-{next(self._numbers)}"
        joinable = servers.enrol(by or self.owner(space), space.id, name=called, os=OperatingSystem.LINUX)
        machine = Machine(address)
        machine.join(joinable.token)
        return machine

    def granted(self, dataset: Dataset, **options: Any) -> Machine:
        """A server with a live grant of the data set."""
        machine = self.machine(dataset.space)
        grants.create(self.owner(dataset.space), dataset.id, machine.row.id, **options)
        return machine

    def view(self, actor: Actor, dataset_id: UUID) -> DatasetView:
        """The data set as somebody sees it."""
        return datasets.show(actor, dataset_id)

    def state(self, dataset: Dataset) -> State:
        """The state in the rows now."""
        return State(Dataset.objects.values_list("state", flat=True).get(id=dataset.id))


def actor_of(person: Person) -> Actor:
    """Somebody signed in with everything they may do."""
    role = StaffRole(person.staff_role) if person.staff_role else None
    return Actor(person.id, person.email, role, address="192.0.2.7", request_id="test")
