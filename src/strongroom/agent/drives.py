"""The drives of a Windows server, as `New-S3RcloneDrive` wrote them down, and whether each can be listed now."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from strongroom.agent.log import log
from strongroom.agent.renewal import instant


def report(folder: Path) -> list[dict[str, Any]]:
    """As `mounts.report`, for each record in the folder. The heartbeat does not wait for a drive that hangs."""
    return [told for path in sorted(folder.glob("*.json")) if (told := _told(path)) is not None]


def _told(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        root, repository = f"{record['drive_letter']}:\\", record["bucket"]
        is_read_only = bool(record["is_read_only"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        log("drive not understood", file=path, why=repr(problem))
        return None
    health, detail = _health(root)
    return {
        "repository": repository,
        "path": root,
        "tool": "rclone",
        "is_read_only": is_read_only,
        "is_persistent": True,
        "health": health,
        "detail": detail,
        "checked_at": instant(time.time()),
    }


def _health(root: str) -> tuple[str, str]:
    try:
        with os.scandir(root) as entries:
            next(entries, None)
    except FileNotFoundError:
        return "missing", "the drive is not there: its service does not run"
    except OSError as problem:
        return "failing", f"it cannot be listed: {problem.strerror}"
    return "ok", ""
