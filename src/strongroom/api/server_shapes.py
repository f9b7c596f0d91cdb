"""How servers, what they are granted and what they mounted are written and shown."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from strongroom.actions import grants
from strongroom.actions.servers import ServerView, is_online
from strongroom.api.dataset_shapes import Blocked
from strongroom.api.shapes import Listing, Moment, Shown, Written, unsent
from strongroom.core.vocabulary import (
    GrantEnd,
    Kind,
    MountHealth,
    MountTool,
    OperatingSystem,
    Permission,
    Power,
    Role,
    ServerKind,
    ServerState,
    Verb,
)


class NewServer(Written):
    """A machine to be made. `owner_id` answers for it; whoever asks, if left out."""

    name: str = Field(examples=["genomics-1"])
    offering: str = Field(examples=["linux-small"])
    description: str = ""
    owner_id: UUID | None = None


class NewEnrolment(Written):
    """A machine that is there, and is to join the space."""

    name: str = Field(examples=["genomics-1"])
    os: OperatingSystem = OperatingSystem.LINUX
    description: str = ""
    owner_id: UUID | None = None


class ServerChanges(Written):
    """What is to be different."""

    name: str = unsent()
    description: str = unsent()
    owner_id: UUID = unsent()


class NewGrant(Written):
    """Which server, why, and until when; without an end if left out."""

    server_id: UUID
    reason: str = Field("", examples=["Second analysis of the cohort"])
    expires_at: Moment | None = Field(None, examples=["2036-12-31T00:00:00Z"])


class GrantChanges(Written):
    """When it is to end by itself; null: never."""

    expires_at: Moment | None


class Mount(Shown):
    """A data set as a folder on the server, as its agent last found it. `detail` says what is wrong."""

    repository: str
    path: str
    tool: MountTool
    is_read_only: bool
    is_persistent: bool
    health: MountHealth
    detail: str
    checked_at: datetime


class Grant(Shown):
    """That a server may touch a data set. It works while the server is active and `ended_at` is null."""

    id: UUID
    dataset_id: UUID
    dataset_name: str
    dataset_kind: Kind
    repository: str
    server_id: UUID
    server_name: str
    server_state: ServerState
    access: Permission
    reason: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    end: GrantEnd | None
    end_reason: str


class GrantList(Listing[Grant]):
    """A page of them."""


class Server(Shown):
    """A machine of a space, as in a list. `is_online`: its agent was heard a moment ago.

    `power` is what should be of a created server's machine, `observed` what its host last said.
    """

    id: UUID
    space_id: UUID
    space_name: str
    name: str
    description: str
    kind: ServerKind
    os: OperatingSystem
    state: ServerState
    state_reason: str
    state_at: datetime
    is_online: bool
    owner: str
    created_at: datetime
    created_by: str
    joined_at: datetime | None
    join_expires_at: datetime | None
    last_heartbeat_at: datetime | None
    session_expires_at: datetime | None
    address: str
    hostname: str
    os_version: str
    agent_version: str
    ssh_host: str
    ssh_port: int | None
    offering: str
    power: Power | None
    observed: Power | None
    is_settled: bool
    last_error: str
    mounts: list[Mount]


class ServerList(Listing[Server]):
    """A page of them."""


class ServerInFull(Server):
    """A server with everything about it, and what one may do with it next. `public_key` is the one it signs with."""

    public_key: str
    owner_id: UUID
    grants: list[Grant]
    role: Role | None
    may: list[Verb]
    blocked: list[Blocked]


def in_list(row: Any) -> Server:  # a row, whose class the edges do not know
    """A row of a list."""
    plain = {name: getattr(row, name) for name in Server.model_fields if hasattr(row, name)}
    is_ours = row.kind == ServerKind.CREATED
    told = {"power": row.power if is_ours else None, "observed": row.observed if is_ours else None}
    people = {"owner": row.owner.email, "created_by": row.created_by.email}
    return Server.model_validate({**plain, **told, **people, "space_name": row.space.name, "is_online": is_online(row)})


def in_full(view: ServerView) -> ServerInFull:
    """Everything a page about one server shows."""
    row = view.server
    return ServerInFull(
        **in_list(row).model_dump(),
        public_key=row.public_key,
        owner_id=row.owner_id,
        grants=[grant(each) for each in view.grants],
        role=view.role,
        may=view.may,
        blocked=[Blocked.model_validate(each) for each in view.blocked],
    )


def grant(row: Any) -> Grant:  # a row, whose class the edges do not know
    """A grant with the names of what it binds."""
    plain = {name: getattr(row, name) for name in Grant.model_fields if hasattr(row, name)}
    return Grant.model_validate(
        {
            **plain,
            "dataset_name": row.dataset.name,
            "dataset_kind": row.dataset.kind,
            "repository": row.dataset.repository,
            "server_name": row.server.name,
            "server_state": row.server.state,
            "access": grants.permission(row.dataset),
            "created_by": row.created_by.email,
            "ended_by": row.ended_by.email if row.ended_by else None,
            "end": row.end or None,
        }
    )
