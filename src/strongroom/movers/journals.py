"""Where on this machine the journals of movers lie, and which is whose."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from strongroom.movers.journal import Journal

FOLDER = "transfers"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where they are kept: `$XDG_STATE_HOME/strongroom`, else `~/.local/state`, on Windows `%LOCALAPPDATA%`."""
    if sys.platform == "win32" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"]) / "strongroom"
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "strongroom"


def opened(state: Path, *, folder: str, prefix: str, place: str, dataset_id: str) -> Journal:
    """That of one folder and one data set; `place` tells one Strongroom from another. Raises: InUse, Unwritable."""
    which = "\0".join((place, dataset_id, str(Path(folder).resolve()), prefix))
    name = f"{dataset_id[:8]}-{hashlib.sha256(os.fsencode(which)).hexdigest()[:16]}.journal"
    return Journal(state / FOLDER / name)
