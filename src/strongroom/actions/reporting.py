"""What an agent says about its machine, cut to a size and to characters that may stand in a page."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from strongroom.core.errors import Invalid
from strongroom.core.vocabulary import MountHealth, MountTool

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
    """One heartbeat."""

    os_version: str
    agent_version: str
    hostname: str
    mounts: Sequence[Mount] = ()


def columns(report: Report) -> dict[str, object]:
    """The columns of a server's row. Raises Invalid for more than 200 mounts."""
    if len(report.mounts) > MAX_MOUNTS:
        raise Invalid(
            f"{len(report.mounts)} mounts are more than a server may report.",
            code="too-many-mounts",
            fields={"mounts": f"at most {MAX_MOUNTS}"},
        )
    said = versions(report.hostname, report.os_version, report.agent_version)
    return {**said, "mounts": [_mount(each) for each in report.mounts]}


def versions(hostname: str, os_version: str, agent_version: str) -> dict[str, str]:
    """Those three columns."""
    return {
        "hostname": _plain(hostname, 255),
        "os_version": _plain(os_version, 200),
        "agent_version": _plain(agent_version, 60),
    }


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
