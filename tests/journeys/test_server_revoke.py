"""What eight readers still get when a server's access is revoked: nothing after the answer."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journeys.api import Study
from tests.journeys.enrolled import Enrolled, enrolled

READER = Path(__file__).with_name("reader.py")
OBJECTS = 3000
SIZE_BYTES = 20_000


class Reader:
    """A program on the machine that reads all the time."""

    def __init__(self, machine: Enrolled, words: str) -> None:
        self._said = machine.folder / f"reader-{secrets.token_hex(4)}"
        with self._said.open("w") as output:
            self._process = subprocess.Popen(
                machine.argv(sys.executable, str(READER), *words.split()),
                env=machine.environ,
                stdin=subprocess.PIPE,
                stdout=output,
            )

    @property
    def has_listed(self) -> bool:
        """Whether it waits for `go`."""
        return bool(self._lines())

    def go(self) -> None:
        """Let it read."""
        assert self._process.stdin
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()

    def lines(self) -> list[str]:
        """A whole line for each read so far."""
        return self._lines()[1:]

    def has_tried_since(self, moment: float) -> bool:
        """Whether a read that began then has ended."""
        return bool(json.loads(self.lines()[-1])["began"] > moment)

    def end(self) -> list[dict[str, float]]:
        """Every read that it tried."""
        self._process.communicate(b"\n", timeout=60)
        return [json.loads(line) for line in self.lines()]

    def _lines(self) -> list[str]:
        return self._said.read_text().split("\n")[:-1]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolled]:
    """One of its own: what waits for whom must not depend on other tests."""
    with enrolled(tmp_path_factory.mktemp("revoked")) as made:
        made.join(made.system.owner, made.system.space_id)
        yield made


def _filled(machine: Enrolled) -> Study:
    study = machine.system.study()
    s3 = machine.system.s3(study)

    def put(number: int) -> None:
        s3.put_object(
            Bucket=study.repository, Key=f"many/{number}.bin", Body=number.to_bytes(4, "big") * (SIZE_BYTES // 4)
        )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(OBJECTS)))
    machine.system.finalized(study)
    return study


def test_not_one_read_succeeds_after_the_revoke_has_answered(
    machine: Enrolled, record_property: Callable[[str, object], None]
) -> None:
    study = _filled(machine)
    study.api.post(f"{study.path}/grants", server_id=machine.server_id)
    machine.knows(study)
    mounts = []
    for tool in ("rclone", "s3fs"):
        machine.ok(f"mkdir -p /srv/{tool} && strongroom mount {study.repository} /srv/{tool} --tool {tool}")
        mounts.append(f"folder /srv/{tool}")
    words = [*mounts, *[f"s3 {study.endpoint} {study.repository}"] * 6]
    readers = [Reader(machine, each) for each in words]
    # Together: none may have read all of its files while another one begins.
    machine.system.until(lambda: all(each.has_listed for each in readers), "the readers to list")
    for each in readers:
        each.go()
    machine.system.until(lambda: all(len(each.lines()) > 20 for each in readers), "the readers to read")
    asked = time.monotonic()
    study.api.delete(f"{study.path}/grants/{machine.server_id}")
    answered = time.monotonic()
    machine.system.until(lambda: all(each.has_tried_since(answered) for each in readers), "tries after the answer")
    time.sleep(1)
    reads = [each.end() for each in readers]
    record_property("measured", f"the revoke answered after {1000 * (answered - asked):.0f} ms")
    for each in reads:
        assert any(read["size"] == SIZE_BYTES for read in each if read["ended"] < asked), "it never read"
        late = [read for read in each if read["began"] > answered]
        assert late, "it did not try after the answer"
        assert not [read for read in late if read["size"]], late
    last = max(read["ended"] for each in reads for read in each if read["size"])
    record_property("measured", f"the last read that succeeded ended {1000 * (last - asked):.0f} ms after the call")
