"""What an agent says about its machine, cut to a size and to characters that may stand in a page."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from strongroom.core import sshsig
from strongroom.core.errors import Invalid
from strongroom.core.names import ssh_place
from strongroom.core.sentences import say
from strongroom.core.vocabulary import MountHealth, MountTool, ServerKind

MAX_MOUNTS = 200
_SHAPELESS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Mount:
    """A data set as a folder on the server; `detail` says what is wrong in a sentence."""

    repository: str
    path: str
    tool: MountTool
    is_read_only: bool
    is_persistent: bool
    health: MountHealth
    detail: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """One heartbeat. `ssh_host_key` is a line, empty where people do not log in; `ssh_host` a name or `name:port`."""

    os_version: str
    agent_version: str
    hostname: str
    mounts: Sequence[Mount] = ()
    ssh_host_key: str = ""
    ssh_host: str = ""


def columns(report: Report, kind: ServerKind) -> dict[str, object]:
    """The columns of a server's row. Raises Invalid for more than 200 mounts."""
    if len(report.mounts) > MAX_MOUNTS:
        raise Invalid(
            say("{count} mounts are more than a server may report.", count=len(report.mounts)),
            code="too-many-mounts",
            fields={"mounts": say("at most {most}", most=MAX_MOUNTS)},
        )
    said = versions(report.hostname, report.os_version, report.agent_version)
    mounts = [_mount(each) for each in report.mounts]
    return {**said, "mounts": mounts, **ssh(report.ssh_host_key, report.ssh_host, kind)}


def versions(hostname: str, os_version: str, agent_version: str) -> dict[str, str]:
    """Those three columns."""
    return {
        "hostname": _plain(hostname, 255),
        "os_version": _plain(os_version, 200),
        "agent_version": _plain(agent_version, 60),
    }


def ssh(host_key: str, host: str, kind: ServerKind) -> dict[str, str]:
    """Where people log in, and to what; of a created server the host alone decides where."""
    said = {"ssh_host_key": _key(host_key)}
    return said if kind is ServerKind.CREATED else {**said, "ssh_host": _place(host)}


def _key(line: str) -> str:
    """The key alone, without its comment; empty for what is no Ed25519 key."""
    try:
        return sshsig.public_key_line(sshsig.parse_public_key_line(line), "")
    except Invalid:
        return ""


def _place(text: str) -> str:
    try:
        ssh_place(text)
    except ValueError:
        return ""
    return text


def _mount(mount: Mount) -> dict[str, object]:
    return {
        "repository": _plain(mount.repository, 63),
        "path": _plain(mount.path, 1000),
        "tool": mount.tool.value,
        "is_read_only": mount.is_read_only,
        "is_persistent": mount.is_persistent,
        "health": mount.health.value,
        "detail": _plain(mount.detail, 500),
        "checked_at": mount.checked_at.isoformat(),
    }


def _plain(text: str, limit: int) -> str:
    """A machine says it, people read it: what has no shape is shown as such, and what is too long is cut."""
    shown = (
        character if unicodedata.category(character) not in _SHAPELESS else "\N{REPLACEMENT CHARACTER}"
        for character in text[:limit]
    )
    return "".join(shown)
