"""What the PowerShell module would write for one drive, filled in from its own template, and run by the real rclone."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULE = Path(__file__).parents[2] / "clients" / "powershell" / "Strongroom"
RCLONE = Path(sys.executable).parent / "rclone"
MISSING = re.compile(r"\{(\w+)\}")


def template() -> dict[str, list[str]]:
    """The one place that says what rclone is given."""
    read: dict[str, list[str]] = json.loads((MODULE / "drive.json").read_text())
    return {name: lines for name, lines in read.items() if name != "about"}


def filled(lines: list[str], **words: str) -> list[str]:
    """As `Expand-DriveTemplate` does. Raises: KeyError for a word nobody gave."""
    return [MISSING.sub(lambda found: words[found[1]], line) for line in lines]


@dataclass
class Drive:
    """One bucket as one drive, in a folder of its own."""

    folder: Path
    bucket: str
    endpoint: str
    region: str
    credentials_url: str
    token_file: Path
    is_read_only: bool = True

    def __post_init__(self) -> None:
        self.mount_point = self.folder / "mounted"
        self.mount_point.mkdir(parents=True)
        self.log = self.folder / "rclone.log"
        self._words = {
            "bucket": self.bucket,
            "endpoint": self.endpoint,
            "region": self.region,
            "credentials_url": self.credentials_url,
            "token_file": str(self.token_file),
            "config": str(self.folder / "rclone.conf"),
            "log": str(self.log),
            "drive": str(self.mount_point),
        }
        (self.folder / "rclone.conf").write_text("\n".join(self._filled("remote")) + "\n")

    def _filled(self, part: str) -> list[str]:
        return filled(template()[part], **self._words)

    @property
    def environ(self) -> dict[str, str]:
        """What the template gives, and nothing of this machine's own settings."""
        given = dict(each.split("=", 1) for each in self._filled("environment"))
        return {"HOME": str(self.folder), "PATH": os.environ["PATH"], **given}

    def rclone(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Any other command with the same remote."""
        argv = [str(RCLONE), *arguments, "--config", self._words["config"], "--retries", "1"]
        return subprocess.run(argv, env=self.environ, capture_output=True, text=True, timeout=250)

    def prove(self) -> "subprocess.CompletedProcess[str]":
        """What is run before a drive is made."""
        argv = [str(RCLONE), *self._filled("prove")]
        return subprocess.run(argv, env=self.environ, capture_output=True, text=True, timeout=250)

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """The drive, with everything but what only Windows knows. It goes as a service that is stopped goes."""
        how = self._filled("mount_read_only") if self.is_read_only else []
        process = subprocess.Popen([str(RCLONE), *self._filled("mount"), *how], env=self.environ)
        try:
            while not os.path.ismount(self.mount_point):
                assert process.poll() is None, self.log.read_text()
                time.sleep(0.05)
            yield self.mount_point
        finally:
            process.terminate()
            process.wait(60)
            if os.path.ismount(self.mount_point):
                subprocess.run(["fusermount3", "-uz", str(self.mount_point)], check=True)
