"""Somebody at their own computer, who works by the command line: signs in, proves who they are, logs in to servers."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from strongroom.core import totp
from tests.journeys.api import Api
from tests.journeys.system import System


@dataclass
class Desk:
    """Somebody's own computer: the command line, signed in, and the app with their second factor."""

    system: System
    api: Api
    name: str
    server: str = "genomics-1"
    person_id: str = ""
    secret: str = ""

    def __post_init__(self) -> None:
        self.home.mkdir()
        self.ok("login", self.system.door.url, "--with-token", stdin=self.api.token)

    @property
    def home(self) -> Path:
        return self.system.door.home.with_suffix(f".{self.name}")

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")}

    def enrol(self) -> None:
        """Learn the secret of a second factor, and confirm it with a first code."""
        self.secret = self.api.post("/mfa/enrol")["secret"]
        code = totp.code_at(self.secret, totp.step_of(datetime.now(UTC)))
        self.api.post("/mfa/confirm", code=code)

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """One `strongroom …` command."""
        return subprocess.run(
            [sys.executable, "-m", "strongroom.cli", *words],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=200,
        )

    def ok(self, *words: str, stdin: str = "") -> str:
        """What a command prints that must succeed."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}\n{self.system.logs()}"
        return done.stdout

    def shell(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Log in and run lines."""
        return self.run("ssh", self.server, "--", script)

    def there(self, script: str) -> str:
        """What lines print on the server that must succeed."""
        done = self.shell(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout
