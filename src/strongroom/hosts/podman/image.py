"""The system of created servers: how its image is built, and whether it is there. Its tag is the hash of its recipe."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from strongroom.core.errors import Conflict, Unavailable
from strongroom.core.sentences import say
from strongroom.hosts.podman.command import Podman, limits

FILES = Path(__file__).parent.parent / "image"
REPOSITORY = "localhost/strongroom-server"
DEBIAN = "localhost/strongroom-debian:bookworm"
SUITE = "bookworm"
_BUILD_SECONDS = 1800.0
COMMAND = "python -m strongroom.runtime server-image"


class Building(Unavailable):
    """The image is on its way."""

    code = "image-building"


def tag() -> str:
    """The name of the image that this version of Strongroom makes servers from."""
    parts = [f"{path.name}\0".encode() + path.read_bytes() for path in sorted(FILES.iterdir())]
    rclone = _rclone()
    parts.append(str(rclone.stat().st_size if rclone else "").encode())
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    return f"{REPOSITORY}:{digest[:12]}"


def built(podman: Podman) -> str:
    """The id of the image; empty where it has not been built. Raises: Unavailable."""
    done = podman.tried("image", "inspect", "--format", "{{.Id}}", tag())
    return done.stdout.strip() if done.returncode == 0 else ""


def build(podman: Podman, base: str, *, debootstrap: bool, tell: Callable[[str], None], again: bool = False) -> None:
    """Build it where it is not there, or `again` with the newest packages.

    The base is pulled; with `debootstrap`, or where it cannot be pulled and that is possible, it is made from Debian's
    mirror. Raises: Building when another process is at it; Unavailable.
    """
    with _alone():
        if built(podman) and not again:
            return
        chosen = _debian(podman, tell, again=again) if debootstrap else _pulled(podman, base, tell)
        tell("installing packages")
        with tempfile.TemporaryDirectory(prefix="strongroom-image-") as folder:
            packages = _context(Path(folder))
            podman.run(
                *("build", "--quiet", "--network=host", *limits(), *(["--no-cache"] if again else [])),
                *("--build-arg", f"BASE={chosen}", "--build-arg", f"PACKAGES={packages}"),
                *("--tag", tag(), "--file", f"{folder}/Containerfile", folder),
                seconds=_BUILD_SECONDS,
            )


def _context(folder: Path) -> str:
    """The recipe and what it copies; the packages that stand in for what is not copied."""
    for path in FILES.iterdir():
        shutil.copy(path, folder)
    programs = folder / "programs"
    programs.mkdir()
    if rclone := _rclone():
        shutil.copy(rclone, programs / "rclone")
        (programs / "rclone").chmod(0o755)
        return ""
    (programs / ".keep").touch()
    return "rclone"


def _rclone() -> Path | None:
    """The locked package's: newer than Debian's, and the one that mounts were measured with."""
    path = Path(sysconfig.get_path("scripts")) / "rclone"
    return path if path.is_file() else None


def _pulled(podman: Podman, base: str, tell: Callable[[str], None]) -> str:
    if podman.tried("image", "exists", base).returncode == 0:
        return base
    tell(f"fetching {base}")
    done = podman.tried("pull", "--quiet", base, seconds=_BUILD_SECONDS)
    if done.returncode == 0:
        return base
    if _can_debootstrap():
        return _debian(podman, tell, again=False)
    said = done.stderr.strip().splitlines() or ["no reason given"]
    raise Unavailable(
        say("The image {base}, from which servers are made, cannot be fetched: {said}", base=base, said=said[-1]),
        way_out=say(
            "Name another with STRONGROOM_SERVER_BASE_IMAGE, or make one, as root: {command} --debootstrap",
            command=COMMAND,
        ),
    )


def _can_debootstrap() -> bool:
    return os.geteuid() == 0 and shutil.which("debootstrap") is not None


def _debian(podman: Podman, tell: Callable[[str], None], *, again: bool) -> str:
    """A small Debian made from its mirror. Needs root: its files have many owners."""
    if not _can_debootstrap():
        raise Conflict(
            say("Making the base of servers from Debian's mirror needs root, and the program debootstrap."),
            code="debootstrap",
            way_out=say("As root: apt-get install debootstrap; then try again as root."),
        )
    if not again and podman.tried("image", "exists", DEBIAN).returncode == 0:
        return DEBIAN
    tell("making a small Debian from its mirror")
    with tempfile.TemporaryDirectory(prefix="strongroom-debian-") as folder:
        root = Path(folder) / "root"
        fast = ["eatmydata"] if shutil.which("eatmydata") else []
        command = [*fast, "debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(root)]
        _ran(command)
        sources = root / "etc/apt/sources.list"
        sources.write_text(with_security(sources.read_text()))
        archive = Path(folder) / "root.tar"
        _ran(["tar", "--numeric-owner", "-C", str(root), "-cf", str(archive), "."])
        podman.run("import", "--quiet", str(archive), DEBIAN, seconds=_BUILD_SECONDS)
    return DEBIAN


def with_security(sources: str) -> str:
    """The list that debootstrap wrote, and Debian's security updates, which every mirror keeps beside it."""
    mirror = next(line.split()[1] for line in sources.splitlines() if line.startswith("deb "))
    return f"{sources.rstrip()}\ndeb {mirror.rstrip('/')}-security {SUITE}-security main\n"


def _ran(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, umask=0o022)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["no reason given"]
        raise Unavailable(
            say("{command} failed: {said}", command=command[0], said=said[-1]),
            way_out=say("See that Debian's mirror can be reached."),
        )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One build at a time for each user of the machine. Raises: Building."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strongroom"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (cache / "server-image.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Building(_WORDS, way_out=say("It takes a few minutes, once.")) from None
        yield


_WORDS = say("The image that servers are made from is being built.")
