"""The engine's own command line: what it tells is believed only where it says that it was done."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import eventually, is_alive

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs.shell import has_rule


def test_a_rule_is_there_only_under_exactly_its_own_prefix() -> None:
    told = json.dumps({"version": 1, "locations": [{"locationPrefix": "/buckets/"}, {"locationPrefix": "/buckets/a/"}]})
    assert has_rule(told, "/buckets/a/")
    assert not has_rule(told, "/buckets/ab/")


@pytest.mark.parametrize("told", ["", "connected", "[]", "{}", '{"locations": null}', '{"locations": [1]}'])
def test_silence_is_no_confirmation(told: str) -> None:
    with pytest.raises(Unavailable, match="did not confirm"):
        has_rule(told, "/buckets/a/")


def test_the_shell_ends_with_whoever_started_it(tmp_path: Path) -> None:
    # The real one waits for ever where the engine stopped answering; this one only waits, and says who it is.
    weed, told = tmp_path / "weed", tmp_path / "pid"
    weed.write_text(f"#!/bin/sh\necho $$ > {told}.new && mv {told}.new {told}\nexec sleep 600\n")
    weed.chmod(0o700)
    with socket.create_server(("127.0.0.1", 0)) as engine:
        caller = subprocess.Popen([sys.executable, "-c", _CALL, str(tmp_path), str(engine.getsockname()[1] - 5)])
        assert eventually(told.exists)
        caller.kill()
        caller.wait()
    assert eventually(lambda: not is_alive(int(told.read_text())))


_CALL = """
import sys
from pathlib import Path
from strongroom.engines.seaweedfs import shell
from strongroom.engines.seaweedfs.settings import Ports, SeaweedSettings
home = Path(sys.argv[1])
shell.configure(SeaweedSettings(home, "test", ports=Ports(int(sys.argv[2])), weed=home / "weed"), "/buckets/x/")
"""
