"""What the agent of a server asks, over HTTP, and what a machine needs to become one. No person is signed in here."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router
from pydantic import Field, StrictBool

from strongroom.actions import agents, server_manifests, software
from strongroom.actions.software import Download
from strongroom.api.records import JSON_LINES, json_lines
from strongroom.api.shapes import Moment, Shown, Written
from strongroom.api.signed_by_machine import (
    JoiningRequest,
    MachineRequest,
    MachineSignature,
    MachineSignatureToJoin,
)
from strongroom.core.vocabulary import Kind, MountHealth, MountTool, OperatingSystem, Permission, ServerState

router = Router()


class Joining(Written):
    """The one-time token, the public half of the key that this is signed with, and what the machine is."""

    token: str = Field(max_length=100)
    public_key: str = Field(max_length=1000, examples=["ssh-ed25519 AAAAC3Nza… strongroom-agent"])
    hostname: str = Field(max_length=255)
    os: OperatingSystem
    os_version: str = Field("", max_length=200)
    agent_version: str = Field("", max_length=60)
    ssh_host_key: str = Field("", max_length=1000)
    ssh_host: str = Field("", max_length=255)


class Joined(Shown):
    """What the machine is now. `ssh_ca`: the key that signs people's keys; `host_certificate`: of `ssh_host_key`."""

    server_id: UUID
    name: str
    space: str
    control_plane_url: str
    session_name: str
    heartbeat_seconds: int
    ssh_ca: str = ""
    host_certificate: str | None = None


class MountReport(Written):
    """One mount as the agent last found it."""

    repository: str
    path: str
    tool: MountTool
    is_read_only: StrictBool
    is_persistent: StrictBool
    health: MountHealth
    detail: str = ""
    checked_at: Moment


class Heartbeat(Written):
    """How the machine is."""

    hostname: str
    os_version: str
    agent_version: str
    mounts: list[MountReport] = Field([])
    ssh_host_key: str = Field("", max_length=1000)
    ssh_host: str = Field("", max_length=255)


class Identity(Shown):
    """The server that was heard."""

    id: UUID
    name: str
    state: ServerState


class GrantedDataset(Shown):
    """A data set that the server may touch now."""

    id: UUID
    name: str
    repository: str
    kind: Kind
    access: Permission
    granted_until: datetime | None


class Account(Shown):
    """A local user, and the name of the person it is for."""

    account: str
    name: str


class Standing(Shown):
    """What the server may do now, and when it is to be heard again. `time` is the control plane's."""

    server: Identity
    datasets: list[GrantedDataset]
    accounts: list[Account]
    endpoint: str
    region: str
    heartbeat_seconds: int
    time: datetime
    ssh_ca: str
    host_certificate: str


class Credentials(Shown):
    """A session of the storage engine under the server's one name; they are not stored."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime
    session_name: str


class WantedManifest(Written):
    """Of which data set."""

    dataset_id: UUID


_GRANTED = ("name", "repository", "kind", "access", "granted_until")
_TYPES = {
    Download.AGENT: "application/octet-stream",
    Download.AGENT_SHA256: "text/plain; charset=utf-8",
    Download.INSTALL_LINUX: "text/plain; charset=utf-8",
    Download.INSTALL_WINDOWS: "text/plain; charset=utf-8",
}
_REPR_DIGEST = {"schema": {"type": "string"}, "description": "sha-256 of the whole answer (RFC 9530)"}
_PROVED_LINES: dict[str, Any] = {
    "responses": {200: {**JSON_LINES["responses"][200], "headers": {"Repr-Digest": _REPR_DIGEST}}}
}
_FILES: dict[str, Any] = {
    "responses": {
        200: {
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                "text/plain": {"schema": {"type": "string"}},
            }
        }
    }
}


def _named(word: str, summary: str) -> dict[str, Any]:
    return {"operation_id": f"agent.{word}", "tags": ["agent"], "summary": summary}


@router.post(
    "/agent/join", response=Joined, auth=MachineSignatureToJoin(), **_named("join", "Become the server of a token")
)
def join(request: JoiningRequest, body: Joining) -> Joined:
    """Signed with the key in the body. The token works once. After ten refusals from one address the answer is 429."""
    joined = agents.join(request.auth, agents.Joining(**body.model_dump()))
    told = {name: getattr(joined, name) for name in Joined.model_fields if hasattr(joined, name)}
    row = joined.server
    return Joined.model_validate({**told, "server_id": row.id, "name": row.name, "space": row.space.name})


@router.post(
    "/agent/heartbeat", response=Standing, auth=MachineSignature(), **_named("heartbeat", "Say how the server is")
)
def heartbeat(request: MachineRequest, body: Heartbeat) -> Standing:
    """The answer says what the server may do now."""
    mounts = [agents.Mount(**each.model_dump()) for each in body.mounts]
    report = agents.Report(**{**body.model_dump(), "mounts": mounts})
    found = agents.heartbeat(request.auth, report)
    datasets = [
        GrantedDataset.model_validate({**{name: getattr(each, name) for name in _GRANTED}, "id": each.dataset_id})
        for each in found.datasets
    ]
    told = {name: getattr(found, name) for name in Standing.model_fields}
    return Standing.model_validate({**told, "datasets": datasets})


@router.post(
    "/agent/credentials",
    response=Credentials,
    auth=MachineSignature(),
    **_named("credentials", "Get a session of the storage engine"),
)
def credentials(request: MachineRequest) -> Credentials:
    """Good for the address that this is asked from, unless set otherwise. The body is empty, or `{}`."""
    session = agents.credentials(request.auth)
    return Credentials(
        access_key_id=session.access_key_id,
        secret_access_key=session.secret,
        session_token=session.token,
        expires_at=session.expires_at,
        session_name=session.name,
    )


@router.post(
    "/agent/manifest",
    response={200: None},
    auth=MachineSignature(),
    openapi_extra=_PROVED_LINES,
    **_named("manifest", "Read the manifest of a granted data set"),
)
def manifest(request: MachineRequest, body: WantedManifest) -> StreamingHttpResponse:
    """The newest one, one object a line; whole if `Repr-Digest` fits. What the server may not touch is not found."""
    sha256, size_bytes, lines = server_manifests.download(request.auth, body.dataset_id)
    answer = json_lines(lines, f"manifest-{body.dataset_id}.jsonl")
    answer.headers["Content-Length"] = str(size_bytes)
    answer.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"  # RFC 9530
    return answer


@router.get(
    "/agent/{filename}",
    response={200: None},
    auth=None,
    openapi_extra=_FILES,
    **_named("download", "Fetch the agent, its hash, or a script that installs it"),
)
def download(request: HttpRequest, filename: Download) -> HttpResponse:
    """For everybody: there is nothing secret in it."""
    return HttpResponse(software.download(filename), content_type=_TYPES[filename])
