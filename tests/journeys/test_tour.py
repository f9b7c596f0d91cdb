"""A newcomer takes the tour on a whole running Strongroom, with the real clients."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.journeys.system import System


def _strongroom(home: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("STRONGROOM_", "AWS_"))}
    environ |= {"XDG_CONFIG_HOME": str(home), "TMPDIR": str(home)}
    command = [sys.executable, "-m", "strongroom.cli", *argv]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=500, stdin=subprocess.DEVNULL)


def _tour(system: System, home: Path, client: str) -> str:
    """What the tour of somebody new tells; it must end well."""
    made = system.administrator.post("/people", email=f"newcomer-{client}@example.org", name="Newcomer")
    signed_in = _strongroom(home, "login", system.door.url, "--code", made["sign_in_code"])
    assert signed_in.returncode == 0, signed_in.stderr
    told = _strongroom(home, "tour", "--yes", "--keep", "--client", client)
    assert told.returncode == 0, told.stdout + told.stderr + system.logs()
    assert "all of them as told" in told.stdout
    secret = re.search(r"aws_secret_access_key = (\S+)", (_folder(home) / "aws-credentials").read_text())
    assert secret and secret[1] not in told.stdout + told.stderr
    return told.stdout


def _folder(home: Path) -> Path:
    return next(home.glob("strongroom-tour-*"))


def _refusals(told: str) -> list[str]:
    return [line for line in told.splitlines() if "✗ refused by the store" in line]


def _by_hand(told: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """What may be run twice, exactly as printed, by a shell: settings, the check without Strongroom, a late write."""
    printed = re.findall(r"^  \$ ((?:.*\\\n)*.*)", told, re.MULTILINE)
    script = [line for line in printed if line.startswith(("cd ", "export ", "ssh-keygen "))]
    late = next(line for line in printed if line.startswith("aws s3 cp") and "/late.csv" in line)
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
    command = ["sh", "-ec", "\n".join([*script, f"if {late}; then exit 7; fi"])]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)


def test_a_newcomer_sees_every_refusal_and_the_proof_and_can_repeat_them(strongroom: System, tmp_path: Path) -> None:
    told = _tour(strongroom, tmp_path, "aws")
    assert len(_refusals(told)) == 7
    assert ["AccessDenied" in line for line in _refusals(told)[:2]] == [True, True]
    for proof in (
        "refused by Strongroom (exit code 6)",
        "found out (exit code 9)",
        'Good "strongroom-receipt" signature',
    ):
        assert proof in told
    assert (_folder(tmp_path) / "aws-credentials").stat().st_mode & 0o077 == 0
    again = _by_hand(told, tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Good" in again.stdout and "InvalidAccessKeyId" in again.stderr


def test_without_the_aws_cli_rclone_tells_the_same_story(strongroom: System, tmp_path: Path) -> None:
    told = _tour(strongroom, tmp_path, "rclone")
    assert len(_refusals(told)) == 6  # it has no command that changes a policy
    assert "AccessDenied" in _refusals(told)[0]
