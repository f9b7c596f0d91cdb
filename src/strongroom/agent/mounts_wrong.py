"""What can be wrong with a mount: each with an exit code of its own, one line, and the way out."""

from __future__ import annotations

from strongroom.agent.problems import Trouble

EXITS = {
    "server-standing": 10,
    "no-such-dataset": 11,
    "ambiguous": 12,
    "not-granted": 13,
    "revoked": 14,
    "no-credentials": 15,
    "gateway": 16,
    "clock": 17,
    "no-fuse": 18,
    "no-tool": 19,
    "no-mount-point": 20,
    "not-a-folder": 21,
    "busy": 22,
    "not-empty": 23,
    "already-mounted": 24,
    "allow-other": 25,
    "no-right": 26,
    "not-proved": 27,
    "not-mounted": 28,
    "in-use": 29,
    "cannot-persist": 30,
}
"""Exit codes of `mount` and `umount`; besides them 2 (wrong options), 3 (not joined), 4 (the agent does not run)."""


def wrong(code: str, detail: str, way_out: str = "") -> Trouble:
    """The refusal of that name."""
    return Trouble(detail, way_out, code, EXITS[code])
