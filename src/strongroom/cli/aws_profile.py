"""Writes one profile into the AWS CLI's two files and leaves every other line of them as it is.

Source: AWS CLI user guide, "Configuration and credential file settings" (file places, `[profile NAME]` in config
and `[NAME]` in credentials, `endpoint_url`, `s3 addressing_style`).
"""

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.cli import files
from strongroom.cli.problems import usage

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Target:
    """A profile that may be written, in two files."""

    name: str
    credentials: Path
    config: Path

    def write(self, access_key_id: str, secret: str, *, endpoint: str, region: str) -> None:
        """Write both files, mode 0600. Raises OSError."""
        settings = f"region = {region}\nendpoint_url = {endpoint}\ns3 =\n    addressing_style = path\n"
        keys = f"aws_access_key_id = {access_key_id}\naws_secret_access_key = {secret}\n"
        _put(self.credentials, self.name, keys)
        _put(self.config, _in_config(self.name), settings)


def holding(access_key_id: str, environ: Mapping[str, str]) -> str | None:
    """The profile in which this access key is kept; None where it is in none, or where the file cannot be read."""
    reader = configparser.RawConfigParser(strict=False)
    try:
        reader.read(_credentials(environ), encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
    kept = (name for name in reader.sections() if reader.get(name, "aws_access_key_id", fallback="") == access_key_id)
    return next((name for name in kept if _NAME.fullmatch(name)), None)


def prepare(name: str, environ: Mapping[str, str], *, overwrite: bool) -> Target:
    """Find out, before a secret is asked for, whether it can be kept. Raises Problem for a name in use or unfit."""
    if not _NAME.fullmatch(name):
        raise usage(f"{name!r} cannot be the name of a profile.", "Use letters, digits, dots, dashes; at most 64.")
    credentials = _credentials(environ)
    config = Path(environ.get("AWS_CONFIG_FILE") or _folder() / "config").expanduser()
    for file, section in ((credentials, name), (config, _in_config(name))):
        if not overwrite and _section(_read(file), section):
            raise usage(f"{file} has a profile {name} already.", "Choose another name, or say --overwrite.")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Target(name, credentials, config)


def _folder() -> Path:
    return Path.home() / ".aws"


def _credentials(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or _folder() / "credentials").expanduser()


def _in_config(name: str) -> str:
    return name if name == "default" else f"profile {name}"


def _put(file: Path, section: str, body: str) -> None:
    before = _read(file)
    block = f"[{section}]\n{body}"
    there = _section(before, section)
    if there:
        after = before[: there.start()] + block + before[there.end() :]
    else:
        after = (
            before
            + ("" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n")
            + block
        )
    files.write_private(file, after)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _section(text: str, name: str) -> re.Match[str] | None:
    """A section: its heading, and all lines up to the next heading."""
    return re.search(rf"^\[\s*{re.escape(name)}\s*\][^\n]*\n?(?:(?!\[)[^\n]*\n?)*?(?=^\[|\Z)", text, re.MULTILINE)
