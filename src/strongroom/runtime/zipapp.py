"""Builds the agent of servers: one file that any Python from 3.9 on runs, the same bytes from the same source.

Only the agent, the bytes that it signs, what moves data and the module for drives of Windows go in: nothing of the
control plane is on a server.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import strongroom
from strongroom.actions.software import Download

_SOURCE = Path(strongroom.__file__).parent
_AGENT = _SOURCE / "agent"
_MOVERS = _SOURCE / "movers"
# Beside the source in a checkout; where it is missing, a Windows machine still joins, and gets no module for drives.
_WINDOWS_MODULE = _SOURCE.parents[1] / "clients" / "powershell" / "Strongroom"
_CARRIED = ("__init__.py", "core/__init__.py", "core/machine.py", "core/sigv4.py")
_MAIN = '"""The `strongroom` of a server."""\n\nfrom strongroom.agent.main import main\n\nraise SystemExit(main())\n'
_OLDEST_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16


def build() -> bytes:
    """The agent, ready to be run. Nothing in it depends on when, where or by whom it was built."""
    content = io.BytesIO()
    content.write(b"#!/usr/bin/env python3\n")
    # Stored, not deflated: what deflate writes depends on the zlib of the machine that builds it.
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, text in sorted(_members()):
            entry = zipfile.ZipInfo(name, _OLDEST_TIME)
            entry.external_attr = _READABLE
            entry.create_system = 3  # Unix, wherever it was built
            archive.writestr(entry, text)
    return content.getvalue()


def files() -> Mapping[Download, bytes]:
    """What a machine can fetch to become a server."""
    return {
        Download.AGENT: build(),
        Download.INSTALL_LINUX: (_AGENT / "install.sh").read_bytes(),
        Download.INSTALL_WINDOWS: (_AGENT / "install.ps1").read_bytes(),
    }


def _members() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    for path in (*(_SOURCE / each for each in _CARRIED), *_AGENT.glob("*.py"), *_MOVERS.glob("*.py")):
        yield f"strongroom/{path.relative_to(_SOURCE).as_posix()}", path.read_bytes()
    for path in _WINDOWS_MODULE.rglob("*.*"):
        yield f"powershell/Strongroom/{path.relative_to(_WINDOWS_MODULE).as_posix()}", path.read_bytes()
