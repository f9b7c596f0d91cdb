"""What a machine fetches to become a server: the agent, its hash, the scripts that install it, and how to run them.

Refuses to know how the agent is built: the composition root says so.
"""

import hashlib
import shlex
from collections.abc import Callable, Mapping
from enum import StrEnum

from strongroom.actions.configuration import settings
from strongroom.core.vocabulary import OperatingSystem


class Download(StrEnum):
    """What can be fetched."""

    AGENT = "strongroom.pyz"
    AGENT_SHA256 = "strongroom.pyz.sha256"
    INSTALL_LINUX = "install.sh"
    INSTALL_WINDOWS = "install.ps1"


_build: Callable[[], Mapping[Download, bytes]] | None = None
_built: Mapping[Download, bytes] | None = None


def use(build: Callable[[], Mapping[Download, bytes]]) -> None:
    """Say how this process comes by the files, the hash left out; called once by the composition root."""
    global _build, _built
    _build, _built = build, None


def download(what: Download) -> bytes:
    """The content of a file; that of the hash is as `sha256sum` writes it."""
    if what is Download.AGENT_SHA256:
        return f"{agent_sha256()}  {Download.AGENT}\n".encode()
    return _files()[what]


def agent_sha256() -> str:
    """Of the agent, in hex."""
    return hashlib.sha256(_files()[Download.AGENT]).hexdigest()


def join_command(os: OperatingSystem, token: str) -> str:
    """One line for a root's (an administrator's) terminal that makes a machine the server of a one-time token."""
    base = settings().web_url
    folder = f"{base}/api/v1/agent"
    if os is OperatingSystem.WINDOWS:
        script = f"& ([scriptblock]::Create((irm '{folder}/{Download.INSTALL_WINDOWS}')))"
        return f"{script} -Url '{base}' -Token '{token}' -Sha256 '{agent_sha256()}'"
    given = shlex.join(["--url", base, "--sha256", agent_sha256()])
    fetch = f"curl -fsSL {shlex.quote(f'{folder}/{Download.INSTALL_LINUX}')}"
    # The token goes before the script, not beside it: other users of the machine see the words of every program.
    return f"(echo join_token={shlex.quote(token)}; {fetch}) | sudo sh -s -- {given}"


def _files() -> Mapping[Download, bytes]:
    global _built
    if _built is None:
        if _build is None:
            raise RuntimeError("no agent: the composition root must call actions.software.use() first")
        _built = _build()
    return _built
