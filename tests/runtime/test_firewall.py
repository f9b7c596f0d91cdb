"""The rules that `firewall` prints: whom they keep out, whom they let in, and what the command says."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.core.errors import Invalid
from strongroom.runtime.firewall import table


def test_behind_the_rules_a_neighbour_opens_no_inner_port_and_the_engine_works_on() -> None:
    if os.geteuid() != 0:
        pytest.fail("run this as root: only root has networks of its own and can play another user")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.engines.fenced"],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["before"]) == 8
    assert told["after"] == []
    assert told["counted"] >= 8
    assert told["public"]
    assert told["works"]


def test_the_rules_name_the_ports_of_the_settings_and_the_owner_of_the_home(tmp_path: Path) -> None:
    rules = table(tmp_path, 9510)
    assert f"tcp dport 9510-9529 meta skuid != {tmp_path.stat().st_uid} " in rules
    assert "inet strongroom_9510 {" in rules


def test_the_rules_may_be_for_a_user_by_name(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    assert f"skuid != {nobody.pw_uid} " in table(tmp_path, 9410, "nobody")
    with pytest.raises(Invalid, match="no user somebody-else-entirely"):
        table(tmp_path, 9410, "somebody-else-entirely")


def test_the_command_prints_the_rules_and_makes_no_home(tmp_path: Path) -> None:
    environment = {**os.environ, "STRONGROOM_HOME": str(tmp_path / "home"), "STRONGROOM_ENGINE_PORT": "9510"}
    command = [sys.executable, "-m", "strongroom.runtime", "firewall"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "tcp dport 9510-9529" in done.stdout
    assert not (tmp_path / "home").exists()
