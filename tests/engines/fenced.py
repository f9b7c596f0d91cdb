"""An engine on a machine with the firewall, and a neighbour who tries its ports. Runs alone, in a network of its own.

Prints JSON: `before` and `after` the rules, each the number of ports that answered the neighbour; `engine`: whether the
control plane could still do its work; `counted`: how many packets the rules refused.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.engine_fixture import Running
from tests.engines.test_contract import document, put

from strongroom.engines.seaweedfs.settings import Ports, SeaweedSettings
from strongroom.runtime.firewall import table

NEIGHBOUR = 65534
FIRST = 9410
_ASK = """
import json, socket, sys
def opens(port):
    with socket.socket() as door:
        door.settimeout(2)
        return door.connect_ex(("127.0.0.1", port)) == 0
print(json.dumps([port for port in json.load(sys.stdin) if opens(port)]))
"""


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        home, ports = Path(folder) / "engine", Ports(FIRST)
        running = Running(SeaweedSettings(home, org="test", public_port=9400, ports=ports, storage_processes=2))
        try:
            running.start()
            print(json.dumps(_tried(running)))
        finally:
            running.stop()


def _tried(running: Running) -> dict[str, object]:
    ports = running.settings.ports
    rules = table(running.settings.home, ports.base)
    before = _opened(ports.all)
    for _ in range(2):  # to load it again does no harm
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    after = _opened(ports.all)
    listed = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    return {
        "before": before,
        "after": after,
        "public": _opened([running.settings.public_port]) == [running.settings.public_port],
        "works": _works(running),
        "counted": int(listed.partition("packets ")[2].split()[0]),
    }


def _opened(ports: "range | list[int]") -> list[int]:
    """Which of them a neighbour could connect to."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    done = subprocess.run(
        [python, "-I", "-c", _ASK],
        input=json.dumps(list(ports)),
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        user=NEIGHBOUR,
        group=NEIGHBOUR,
        extra_groups=[],
    )
    found: list[int] = json.loads(done.stdout)
    return found


def _works(running: Running) -> bool:
    """What a control plane does, with a restart of everything."""
    engine, name = running.engine, "dataset-test-fenced"
    running.cut()
    running.restart()
    engine.create_repository(name, tags={})
    key = engine.create_access_key("up-fenced")
    engine.apply_policy(name, document(engine, name, 1, "up-fenced"))
    engine.prove_access_key(key, name)
    engine.create_session("srv-1", lifetime=timedelta(minutes=1))
    put(engine, name, "key")
    engine.freeze(name)
    is_drained = engine.is_drained(engine.mark_writes())
    engine.delete_principal("up-fenced")
    return is_drained and all(part.is_healthy for part in engine.health())


if __name__ == "__main__":
    assert os.geteuid() == 0
    main()
