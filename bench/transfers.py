"""Moving the same files by `strongroom upload` and `download` and by what people use instead, in turn, in one run."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.runtime.front_door import FrontDoor, front_door

from bench.figures import spread, timed
from bench.movers import OURS, Mover, Target, movers
from bench.outside import Person
from strongroom.core import manifest

ROUNDS = int(os.environ.get("BENCH_TRANSFER_ROUNDS", "3"))
BLOCK = 1 << 20
MANY = 1000  # files


@dataclass(frozen=True)
class Load:
    """So many files of one size; `unit` is what its speed is told in."""

    name: str
    files: int
    file_bytes: int
    unit: str

    @property
    def amount(self) -> float:
        """In the unit."""
        return self.files if self.unit == "files/s" else self.files * self.file_bytes / 1e6


LOADS = (
    Load("1 x 2 GB", 1, 2_000_000_000, "MB/s"),
    Load("20 x 100 MB", 20, 100_000_000, "MB/s"),
    Load("20,000 x 16 KB", 20_000, 16_384, "files/s"),
)


@dataclass
class Here:
    """A running installation, its administrator, and a folder for everything."""

    door: FrontDoor
    token: str
    space_id: str
    endpoint: str
    folder: Path
    number: int = 0

    def person(self) -> Person:
        """The administrator, over a connection of their own: one that is kept is closed while a mover runs."""
        return Person(self.door.first_port, self.token)

    @contextmanager
    def target(self) -> Iterator[Target]:
        """A data set of its own with a key, gone afterwards."""
        self.number += 1
        values = {"space_id": self.space_id, "kind": "original", "name": f"Load {self.number}"}
        made = self.person().ask("POST", "/datasets", values)
        issued = self.person().ask("POST", f"/datasets/{made['id']}/keys", {})
        environ = {
            "AWS_ACCESS_KEY_ID": issued["key"]["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": issued["secret"],
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "STRONGROOM_URL": self.door.url,
            "STRONGROOM_TOKEN": self.token,
        }
        yield Target(made["id"], made["repository"], self.endpoint, environ)
        self.person().ask("DELETE", f"/datasets/{made['id']}", confirm_name=values["name"])


def measure() -> dict[str, object]:
    """Seconds of every mover up and down for every load, and what disk, loopback and hashing alone would allow."""
    with _running() as here:
        tools = movers(is_on_port_80=here.endpoint == "http://127.0.0.1")
        return {"rounds": ROUNDS, "loads": [_load(here, tools, load) for load in LOADS]}


def _load(here: Here, tools: list[Mover], load: Load) -> dict[str, Any]:
    source = _made(here.folder / "source", load)
    seconds: dict[str, dict[str, list[float]]] = {tool.name: {"up": [], "down": []} for tool in tools}
    backs = Path(tempfile.mkdtemp(dir=here.folder))
    for number in range(ROUNDS):
        for tool in tools[number % len(tools) :] + tools[: number % len(tools)]:
            back = Path(tempfile.mkdtemp(dir=backs))
            up, down = _one(here, tool, source, load, back)
            if load.files < MANY:
                shutil.rmtree(back)
            seconds[tool.name]["up"].append(up)
            seconds[tool.name]["down"].append(down)
            print(f"{load.name}, {tool.name}: {up:.1f} s up, {down:.1f} s down", file=sys.stderr, flush=True)
    limits = {"disk": _disk(here, source), "loopback": _loopback(load), **_verify(here, source)}
    # Not before: for minutes ext4 passes over the inodes of removed files one by one, and whoever makes new ones then
    # pays for it.
    shutil.rmtree(backs)
    shutil.rmtree(source)
    found = {
        name: {way: _speeds(load, each) for way, each in ways.items()} | {"is_ours": name == OURS}
        for name, ways in seconds.items()
    }
    return {"name": load.name, "unit": load.unit, "movers": found} | {
        "limits": {name: load.amount / value for name, value in limits.items()}
    }


def _speeds(load: Load, seconds: list[float]) -> dict[str, Any]:
    speeds = spread([load.amount / each for each in seconds])
    return {"median": speeds.median, "shown": speeds.shown(1, 0)}


def _one(here: Here, tool: Mover, source: Path, load: Load, back: Path) -> tuple[float, float]:
    """Up into an empty data set and down into an empty folder, each with what was written before on the disk."""
    home = Path(tempfile.mkdtemp(dir=here.folder))
    with here.target() as target:
        os.sync()
        up, _ = timed(lambda: tool.run(tool.up(source, target), target, home))
        os.sync()
        down, _ = timed(lambda: tool.run(tool.down(back, target), target, home))
    came = [path.stat().st_size for path in back.rglob("*.bin")]
    assert (len(came), sum(came)) == (load.files, load.files * load.file_bytes), f"{tool.name} lost something"
    shutil.rmtree(home)
    return up, down


def _verify(here: Here, source: Path) -> dict[str, float]:
    """`strongroom verify` of a folder beside `sha256sum -c` of the same list, the files in memory for both."""
    paths = sorted((path for path in source.rglob("*.bin")), key=lambda path: path.as_posix().encode())
    sums, lines = here.folder / "sums", here.folder / "digests.jsonl"
    with sums.open("w") as listed, lines.open("wb") as manifest_lines:
        for path in paths:
            name = path.relative_to(source).as_posix()
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            listed.write(f"{digest}  {name}\n")
            entry = manifest.Entry(name, path.stat().st_size, "", datetime.now(UTC), f"sha256:{digest}")
            manifest_lines.write(manifest.encode(entry))
    ours = [str(Path(sys.executable).with_name("strongroom")), "verify", str(source), "--manifest", str(lines)]
    mine = [timed(lambda: _quiet(ours, here.folder))[0] for _ in range(ROUNDS)]
    theirs = [timed(lambda: _quiet(["sha256sum", "-c", str(sums)], source))[0] for _ in range(ROUNDS)]
    return {"verify": spread(mine).median, "sha256sum": spread(theirs).median}


def _quiet(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _made(folder: Path, load: Load) -> Path:
    """Files that nothing can compress, a thousand in a folder."""
    for number in range(load.files):
        path = folder / f"{number // 1000:03}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            left = load.file_bytes
            while left:
                left -= out.write(os.urandom(min(left, BLOCK)))
    return folder


def _disk(here: Here, source: Path) -> float:
    """Copying the files, each on the disk before the next is begun, as the store does."""
    copy = here.folder / "copy"

    def write() -> None:
        for path in source.rglob("*.bin"):
            target = copy / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as content, target.open("wb") as out:
                shutil.copyfileobj(content, out, BLOCK)
                out.flush()
                os.fdatasync(out.fileno())

    seconds, _ = timed(write)
    shutil.rmtree(copy)
    return seconds


def _loopback(load: Load) -> float:
    """The same bytes over a TCP connection of this machine, answered once a file."""
    listener = socket.create_server(("127.0.0.1", 0))

    def receive() -> None:
        taken, _ = listener.accept()
        buffer = bytearray(BLOCK)
        for _ in range(load.files):
            left = load.file_bytes
            while left:
                left -= taken.recv_into(buffer, min(left, BLOCK))
            taken.sendall(b".")

    receiver = threading.Thread(target=receive)
    receiver.start()
    block = os.urandom(BLOCK)

    def send() -> None:
        with socket.create_connection(listener.getsockname()) as connection:
            for _ in range(load.files):
                left = load.file_bytes
                while left:
                    left -= connection.send(memoryview(block)[: min(left, BLOCK)])
                connection.recv(1)

    seconds, _ = timed(send)
    receiver.join()
    listener.close()
    return seconds


@contextmanager
def _running() -> Iterator[Here]:
    """On free ports, but the gateway on port 80 where that may be had: the CRT of the AWS CLI knows no other."""
    more = {"STRONGROOM_GATEWAY_PORT": "80"} if _is_free(80) else {}
    with (
        tempfile.TemporaryDirectory(prefix="strongroom-bench-") as name,
        front_door(Path(name) / "home", engine="seaweedfs", more=more) as door,  # type: ignore[arg-type]
    ):
        door.start()
        token = Person(door.first_port).ask("POST", "/sign-in", {"code": door.code()})["token"]
        person = Person(door.first_port, token)
        space = person.ask("POST", "/spaces", {"name": "Bench", "risk_level": "high"})
        endpoint = "http://127.0.0.1" if more else f"http://127.0.0.1:{door.first_port + 1}"
        yield Here(door, token, space["id"], endpoint, Path(name))
        door.end()


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    print(json.dumps(measure()))
