"""Servers, and which data sets each was granted. No key of a server is here: only the public half of its own."""

import uuid
from typing import TYPE_CHECKING

from django.db import models

from strongroom.core.actor import Actor
from strongroom.core.vocabulary import GrantEnd, OperatingSystem, Power, ServerKind, ServerState
from strongroom.db.columns import one_of, word
from strongroom.db.models.datasets import Dataset
from strongroom.db.models.people import Person
from strongroom.db.models.spaces import Space

if TYPE_CHECKING:
    from django.db.models import QuerySet


class ServerQuerySet(models.QuerySet["Server"]):
    """Servers as somebody may see them, and as the worker must."""

    def visible_to(self, actor: Actor) -> "QuerySet[Server]":
        """The servers of the spaces the actor may see."""
        seen = self if actor.staff_role else self.filter(space__memberships__person_id=actor.person_id)
        return seen.filter(space_id=actor.space_id) if actor.space_id else seen

    def unsettled(self) -> "QuerySet[Server]":
        """Created servers whose host has not been seen to follow the rows yet."""
        return self.filter(is_settled=False)


class Server(models.Model):
    """A machine of a space. It acts in the engine as the session `names.server_session_name(id)`.

    `public_key` is an `ssh-ed25519` line; `sequence` the last request that it signed, so that none comes twice.
    `power` says what should be of a created server's machine, `observed` what its host last said;
    `revision` and `applied_revision` count as those of a data set do.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="servers")
    kind = word(ServerKind)
    os = word(OperatingSystem)
    state = word(ServerState, default=ServerState.JOINING)
    state_reason = models.TextField(blank=True)
    state_at = models.DateTimeField()

    name = models.CharField(max_length=63)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="servers")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    # Joining and signing
    join_sha256 = models.CharField(max_length=64, blank=True)
    join_expires_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(null=True)
    public_key = models.CharField(max_length=200, blank=True)
    sequence = models.BigIntegerField(default=0)

    # What the agent last said
    last_heartbeat_at = models.DateTimeField(null=True)
    session_at = models.DateTimeField(null=True)  # when it was last given credentials
    session_expires_at = models.DateTimeField(null=True)  # until when those work
    address = models.CharField(max_length=64, blank=True)
    hostname = models.CharField(max_length=255, blank=True)
    os_version = models.CharField(max_length=200, blank=True)
    agent_version = models.CharField(max_length=60, blank=True)
    mounts = models.JSONField(default=list)
    ssh_host_key = models.CharField(max_length=200, blank=True)
    ssh_host = models.CharField(
        max_length=255, blank=True
    )  # where people reach its sshd; empty: not through Strongroom
    ssh_port = models.PositiveIntegerField(null=True, unique=True)  # of a created server, on this host

    # The machine of a created server
    offering = models.CharField(max_length=60, blank=True)
    power = word(Power, default=Power.RUNNING)
    observed = word(Power, default=Power.ABSENT)
    revision = models.PositiveIntegerField(default=1)
    applied_revision = models.PositiveIntegerField(default=0)
    is_settled = models.BooleanField(default=True)
    next_try_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = ServerQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("kind", ServerKind),
            one_of("os", OperatingSystem),
            one_of("state", ServerState),
            one_of("power", Power),
            one_of("observed", Power),
            models.UniqueConstraint(
                fields=["space", "name"],
                condition=~models.Q(state=ServerState.DELETED.value),
                name="server_name_once_per_space",
            ),
        ]
        indexes = [
            models.Index(fields=["space", "name", "id"]),
            models.Index(fields=["name", "id"]),
            models.Index(fields=["next_try_at"], condition=models.Q(is_settled=False), name="server_unsettled"),
            models.Index(
                fields=["last_heartbeat_at"],
                condition=models.Q(state=ServerState.ACTIVE.value),
                name="server_heartbeat",
            ),
            models.Index(fields=["join_sha256"], condition=~models.Q(join_sha256=""), name="server_join"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class Grant(models.Model):
    """That a server may touch a finalized data set; it works while the server is active and the grant has not ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="grants")
    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="grants")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    end = word(GrantEnd, blank=True, default="")
    end_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "server"], condition=models.Q(ended_at=None), name="one_live_grant"
            ),
        ]
        indexes = [
            models.Index(fields=["server", "created_at"]),
            models.Index(fields=["dataset", "created_at"]),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(ended_at=None, expires_at__isnull=False),
                name="grant_expiry",
            ),
        ]
