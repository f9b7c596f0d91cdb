"""Where the command line remembers servers and tokens: one JSON file, private to the user.

`$XDG_CONFIG_HOME/strongroom/profiles.json` (else `~/.config`, on Windows `%APPDATA%`), mode 0600, replaced as a whole.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from strongroom.cli import files
from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem

DEFAULT = "default"


@dataclass(frozen=True)
class Profile:
    """A server, and the token that opens it. `expires_at` is ISO 8601."""

    url: str
    token: str
    email: str = ""
    expires_at: str = ""

    def __repr__(self) -> str:
        return f"Profile({self.url!r}, token=***, email={self.email!r})"


def path(environ: Mapping[str, str]) -> Path:
    """The file that holds the profiles."""
    if sys.platform == "win32" and environ.get("APPDATA"):
        folder = Path(environ["APPDATA"])
    else:
        folder = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "strongroom" / "profiles.json"


def load(environ: Mapping[str, str]) -> dict[str, Profile]:
    """All profiles by name; {} where there is no file yet. Raises Problem for a file that is not one of ours."""
    file = path(environ)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {name: Profile(**values) for name, values in found["profiles"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(
            f"{file} cannot be understood ({error}).",
            Exit.UNEXPECTED,
            "Move it away and sign in again: it only holds addresses and tokens.",
            code="profiles",
        ) from error


def save(environ: Mapping[str, str], name: str, profile: Profile) -> Path:
    """Add or replace one profile; the others stay. Gives the file."""
    return _write(environ, {**load(environ), name: profile})


def forget(environ: Mapping[str, str], name: str) -> None:
    """Remove one profile; not there is fine."""
    kept = {known: profile for known, profile in load(environ).items() if known != name}
    _write(environ, kept)


def _write(environ: Mapping[str, str], profiles: Mapping[str, Profile]) -> Path:
    file = path(environ)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = {"profiles": {name: asdict(profile) for name, profile in sorted(profiles.items())}}
    files.write_private(file, json.dumps(document, indent=2) + "\n")
    return file


def own_environ() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
