"""The computer where somebody's files are: a fresh home folder, and a shell that does what a page prints."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from strongroom.core.connect import SECRET_PLACEHOLDER
from tests.journeys.browser.person import Person

# What rclone makes of a refusal to look at the folder that it is to copy into is the last.
REFUSED = re.compile(r"AccessDenied|InvalidAccessKeyId|Access Denied|\b403\b|is a file not a directory")
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Printed:
    """One text that a page gives to copy: commands, or what belongs into a file of the home folder."""

    title: str
    filename: str
    text: str


def printed_for(person: Person, client: str) -> list[Printed]:
    """What the page "How to connect" that is open says below the tab of this client."""
    person.click(client, within=".ds-clients")
    return [
        Printed(
            each.get_by_role("heading").inner_text(),
            (each.locator("p.quiet code").all_inner_texts() or [""])[0],
            each.locator("[data-copy]").get_attribute("data-copy") or "",
        )
        for each in person.page.locator(".ds-snippets article").all()
    ]


@dataclass
class Workstation:
    """`home` must not exist. Nothing of this machine's own settings is there."""

    home: Path

    def __post_init__(self) -> None:
        (self.home / "folder").mkdir(parents=True)

    def file(self, name: str, content: str) -> str:
        """A file to send; its name."""
        (self.home / name).write_text(content)
        return name

    def follow(self, printed: list[Printed], secret: str) -> str:
        """Write each file as the page says, with the secret where it says so, and run the commands; what they say."""
        said = ""
        for each in printed:
            text = each.text.replace(SECRET_PLACEHOLDER, secret)
            said += self._write(each.filename, text) if each.filename else self.ok(text)
        return said

    def ok(self, command: str) -> str:
        """What lines print that must succeed."""
        done = self._run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def refused(self, printed: list[Printed]) -> None:
        """Run the same commands once more, now that the store must refuse them."""
        for each in printed:
            if not each.filename:
                done = self._run(each.text)
                assert done.returncode != 0, f"succeeded: {each.text}\n{done.stdout}"
                assert REFUSED.search(done.stdout + done.stderr), done.stdout + done.stderr

    def _run(self, command: str) -> "subprocess.CompletedProcess[str]":
        environ = {"HOME": str(self.home), "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        return subprocess.run(
            ["bash", "-ec", command], cwd=self.home, env=environ, capture_output=True, text=True, timeout=120
        )

    def _write(self, name: str, text: str) -> str:
        file = self.home / name.removeprefix("~/")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as writing:
            writing.write(text)
        file.chmod(0o600)
        return ""
