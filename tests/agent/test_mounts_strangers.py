"""What any local user may mount or run, and what of it reaches the agent: nothing that keeps it from its work."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from strongroom.agent import heartbeat, mounts_kernel

SOURCE = Path(__file__).parent.parent.parent / "src"


def test_a_mount_point_that_is_no_text_is_told_all_the_same(tmp_path: Path) -> None:
    script = (
        'point=$1/$(printf \'\\377\\013x\'); mkdir "$point"; mount -t tmpfs dataset-uni-1 "$point"; shift; exec "$@"'
    )
    apart = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apart += ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh", str(tmp_path)]
    look = "from strongroom.agent import mounts_kernel as k; print(ascii([e.path for e in k.entries()][-1]))"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([*apart, sys.executable, "-c", look], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii(f"{tmp_path}/\udcff\x0bx")


def test_a_program_that_calls_itself_like_a_tool_and_says_nonsense_breaks_nothing() -> None:
    wait = "import sys; print(flush=True); sys.stdin.read()"
    words = ["s3fs", "-c", wait, "dataset-uni-1", "~no-such-user/x", "/proc/self/\udcff", "."]
    with subprocess.Popen(
        words, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout is not None and stranger.stdout.readline() == "\n"
        mounts_kernel.mounted()
        stranger.communicate("")


def test_a_heartbeat_carries_what_it_may_and_first_what_is_to_be_kept() -> None:
    def mount(number: int, **more: Any) -> dict[str, Any]:
        return {"path": f"/{number}", "is_persistent": False, "detail": "", **more}

    kept = mount(900, is_persistent=True)
    told = heartbeat.fitting([*(mount(number) for number in range(300)), kept])
    assert len(told) == 200 and told[0] == kept
    told = heartbeat.fitting([mount(number, path="/" + "ü" * 4000) for number in range(300)])
    assert 0 < len(json.dumps(told)) < 200_000
