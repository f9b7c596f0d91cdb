"""A person's machine with the S3 clients people have, set up with what `dataset connect` prints, as printed."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from strongroom.core.connect import SECRET_PLACEHOLDER
from tests.journeys.api import Study

REFUSED = re.compile(r"AccessDenied|InvalidAccessKeyId|Access Denied|\b403\b")
PROGRAMS = Path(sys.executable).parent


@dataclass
class Machine:
    """A home folder with the clients' settings, and folders to work in."""

    folder: Path
    study: Study

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.printed: dict[str, str] = {}
        for each in self.study.api.get(f"{self.study.path}/connect")["snippets"]:
            text = each["text"].replace(SECRET_PLACEHOLDER, self.study.secret)
            if each["filename"] and each["filename"].startswith("~/"):
                self._write(each["filename"][2:], text)
            else:
                self.printed[each["title"]] = text

    @property
    def environ(self) -> dict[str, str]:
        """Nothing of this machine's own settings, and the locked programs first."""
        return {"HOME": str(self.folder), "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "LANG": "C.UTF-8"}

    def place(self, name: str, **files: bytes) -> Path:
        """A folder to work in, with a folder `folder` of such files."""
        inner = self.folder / name / "folder"
        inner.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (inner / file).write_bytes(content)
        return inner.parent

    def run(self, command: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
        """What a shell does with such lines, stopping at the first that fails."""
        return subprocess.run(
            ["sh", "-ec", command], cwd=cwd or self.folder, env=self.environ, capture_output=True, timeout=200
        )

    def ok(self, command: str, cwd: Path | None = None) -> bytes:
        """What lines print that must succeed."""
        done = self.run(command, cwd)
        assert done.returncode == 0, f"{command}\n{_said(done)}"
        return done.stdout

    def refused(self, command: str, cwd: Path | None = None) -> None:
        """Run lines that the store must refuse."""
        done = self.run(command, cwd)
        assert done.returncode != 0, f"succeeded: {command}\n{_said(done)}"
        assert REFUSED.search(_said(done)), f"{command}\n{_said(done)}"

    def rclone_commands(self) -> list[str]:
        """Its two commands: copy, check."""
        return self.printed["rclone: upload"].splitlines()

    def curl(self, key: str, *options: str) -> str:
        """A curl command with SigV4; it fails on a refusal and prints the body."""
        study = self.study
        signed = f"--aws-sigv4 aws:amz:{study.region}:s3 --user '{study.access_key_id}:{study.secret}'"
        return f"curl -sS --fail-with-body {signed} {' '.join(options)} '{study.endpoint}/{study.repository}/{key}'"

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as writing:
            writing.write(text)
        file.chmod(0o600)


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    return (done.stdout[-3000:] + done.stderr[-3000:]).decode(errors="replace")
