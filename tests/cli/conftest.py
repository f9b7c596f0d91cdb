"""Runs the command line in this process, in a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli import live
from tests.cli.live import Run, Terminal
from tests.world import World

from strongroom.actions import people
from strongroom.cli.main import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with nothing of the real one in the environment."""
    for name in ("STRONGROOM_URL", "STRONGROOM_TOKEN", "STRONGROOM_PROFILE", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    """`run("dataset", "list")` is `strongroom dataset list`."""

    def running(*argv: str, stdin: str = "", **environ: str) -> Result:
        return CliRunner().invoke(main, list(argv), input=stdin, env=environ or None, prog_name="strongroom")

    return running


@pytest.fixture
def terminal(lasting_world: World, run: Run) -> Iterator[Terminal]:
    """The administrator, signed in."""
    invitation = people.invite(lasting_world.administrator, lasting_world.administrator.person_id)
    with live.web() as url, live.worker():
        terminal = Terminal(run, lasting_world, url, lasting_world.administrator.email)
        terminal.ok("login", url, "--code", invitation.code)
        yield terminal
