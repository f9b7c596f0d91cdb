"""The agent at rest: what it costs the machine that it runs on, and how fast its metadata service answers."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.agent.site import PYTHON, TOKEN, TOKEN_TTL, Server, agent, site

from bench.figures import spread

HEARTBEAT_SECONDS = 15
AT_REST_SECONDS = 60.0
REQUESTS = 200

_ASKING = """
import http.client, json, sys, time
def ask(method, path, **headers):
    began = time.perf_counter()
    line = http.client.HTTPConnection("169.254.169.254", 80)
    line.request(method, path, headers=headers)
    text = line.getresponse().read().decode()
    line.close()
    return text, (time.perf_counter() - began) * 1000
tokens, credentials = [], []
for _ in range(int(sys.argv[1])):
    token, took = ask("PUT", "/latest/api/token", **{sys.argv[2]: "60"})
    tokens.append(took)
    text, took = ask("GET", "/latest/meta-data/iam/security-credentials/strongroom", **{sys.argv[3]: token})
    assert json.loads(text)["Code"] == "Success"
    credentials.append(took)
print(json.dumps([tokens, credentials]))
"""


def measure() -> dict[str, object]:
    """On a machine of its own, beside a whole Strongroom with its usual times."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        Path(folder).chmod(0o755)
        usual = {"heartbeat_seconds": str(HEARTBEAT_SECONDS), "session_seconds": "1800"}
        with site(Path(folder), **usual) as place, agent(place.server()) as server:
            server.join().started()
            server.grant(place.original)
            return {**_at_rest(server), **_asked(server), "program_bytes": place.program.stat().st_size}


def _at_rest(server: Server) -> dict[str, object]:
    time.sleep(2)
    before, began = _cpu_seconds(server.pid()), time.monotonic()
    time.sleep(AT_REST_SECONDS)
    spent, seconds = _cpu_seconds(server.pid()) - before, time.monotonic() - began
    version = subprocess.run([PYTHON, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    return {
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "python": version,
        "seconds": seconds,
        "cpu_ms_a_minute": spent / seconds * 60_000,
        "pss_bytes": _memory_bytes(server.pid(), "Pss"),
        "rss_bytes": _memory_bytes(server.pid(), "Rss"),
    }


def _asked(server: Server) -> dict[str, object]:
    words = (sys.executable, "-c", _ASKING, str(REQUESTS), TOKEN_TTL, TOKEN)
    done = server.site.machine.run(*words, seconds=300)
    assert done.returncode == 0, done.stderr
    tokens, credentials = json.loads(done.stdout)
    return {
        "token": spread(tokens).shown(digits=2),
        "credentials": spread(credentials).shown(digits=2),
        "pss_bytes_after": _memory_bytes(server.pid(), "Pss"),
    }


def _cpu_seconds(pid: int) -> float:
    """Its own, and that of the programs it started and that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _memory_bytes(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) * 1024


if __name__ == "__main__":
    print(json.dumps(measure()))
