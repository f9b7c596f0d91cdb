"""A Host that makes servers with podman, on the machine that Strongroom runs on."""

import hashlib
import json
import os
import stat
import threading
import time
from pathlib import Path
from uuid import UUID

from strongroom.core.errors import NotFound, Unavailable
from strongroom.core.health import Health
from strongroom.core.sentences import quoted, say
from strongroom.core.vocabulary import Power
from strongroom.hosts import offerings
from strongroom.hosts.podman import containers, folders, image
from strongroom.hosts.podman.command import Podman
from strongroom.hosts.podman.doors import doors
from strongroom.hosts.podman.folders import Made, ServerFolder
from strongroom.hosts.podman.image import Building
from strongroom.hosts.podman.settings import PodmanSettings
from strongroom.hosts.protocol import Offering, ServerSpec

_TRIES, _TRY_AGAIN_SECONDS = 60, 0.3
_FUSE = Path("/dev/fuse")
_RUNNING = ("running", "stopping", "paused")


class PodmanHost:
    """Every server is a container, three volumes, and a folder. Any number of processes may use the same host."""

    def __init__(self, settings: PodmanSettings) -> None:
        self.settings = settings
        self.podman = Podman(settings.podman)
        self._doors = doors(settings.gateway_url, settings.control_plane_url)
        # Others on this machine may use the same podman.
        self._label = hashlib.sha256(str(settings.home).encode()).hexdigest()[:16]
        self._builder: threading.Thread | None = None
        self._build_failed: Unavailable | None = None

    @property
    def ssh_host(self) -> str:
        """As the setting says."""
        return self.settings.ssh_host

    @property
    def ssh_ports(self) -> range:
        """As the setting says."""
        return self.settings.ssh_ports

    def offerings(self) -> list[Offering]:
        """Those of the catalogue that this machine can hold."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        cpus = os.cpu_count() or 1
        table = offerings.read(self.settings.offerings)
        return [each for each in table if each.cpus <= cpus and each.memory_bytes <= memory]

    def check(self) -> None:
        """Podman answers, and a server could mount."""
        rootless = self.podman.is_rootless
        try:
            mode = _FUSE.stat().st_mode
        except OSError:
            mode = 0
        if not stat.S_ISCHR(mode) or mode & 0o006 != 0o006:
            raise Unavailable(
                say("A server could not mount anything: {fuse} may not be used by others.", fuse=_FUSE)
                if mode
                else say("A server could not mount anything: {fuse} is missing.", fuse=_FUSE),
                way_out=say("As root: chmod 666 /dev/fuse, as udev does on most machines.")
                if mode
                else say("As root: modprobe fuse."),
            )
        if rootless and not os.environ.get("XDG_RUNTIME_DIR"):
            raise Unavailable(
                say("Podman without root needs XDG_RUNTIME_DIR, the folder of a session that stays."),
                way_out=say("As root: loginctl enable-linger USER; then start Strongroom in a session of that user."),
            )

    def create(self, spec: ServerSpec) -> None:
        """Have the container run; one that stood still is made anew where its image or its size is another."""
        self.check()
        folder = folders.of(self.settings.home, spec.id)
        offering = self._offering(spec.offering)
        with folders.choosing(self.settings.home):
            before = folder.read()
            owner = before.owner if before else self._owner()
            made = Made(str(spec.id), spec.name, offering.name, spec.ssh_port, owner)
            folder.make(made)
        if spec.joining is not None:
            folder.hand_joining(spec.joining, made.owner)
        self._run(made)

    def start(self, server_id: UUID) -> None:
        """As `create`, with what is remembered of it."""
        made = folders.of(self.settings.home, server_id).read()
        if made is None:
            raise NotFound(say("There is no server {server_id} on this host.", server_id=server_id))
        self.check()
        self._run(made)

    def stop(self, server_id: UUID) -> None:
        """Let it end by itself for a while."""
        words = ("stop", "--ignore", f"--time={containers.STOP_SECONDS}", containers.name_of(server_id))
        self.podman.run(*words)

    def delete(self, server_id: UUID) -> None:
        """Container, volumes, folder; the relay closes its port when the folder is gone."""
        self._remove_container(server_id)
        if volumes := self._volumes(server_id):
            self.podman.run("volume", "rm", "--force", *volumes)
        folders.of(self.settings.home, server_id).remove()

    def state(self, server_id: UUID) -> Power:
        """Of the container."""
        return self.states().get(server_id, Power.ABSENT)

    def states(self) -> dict[UUID, Power]:
        """Of every container with our label."""
        words = ("ps", "--all", "--filter", f"label=strongroom.home={self._label}", "--format", "json")
        found = {}
        for each in json.loads(self.podman.run(*words)):
            server_id = UUID(each["Names"][0].removeprefix("strongroom-"))
            found[server_id] = Power.RUNNING if each["State"] in _RUNNING else Power.STOPPED
        return found

    def end_sessions(self, server_id: UUID, account: str) -> None:
        """The agent inside knows how."""
        if self.state(server_id) is Power.RUNNING:
            self.podman.run("exec", containers.name_of(server_id), "strongroom", "end-sessions", account)

    def health(self) -> list[Health]:
        """Podman, and whether the image is there."""
        try:
            self.check()
            has_image = bool(image.built(self.podman))
        except Unavailable as refusal:
            return [Health(say("host"), False, refusal.in_full)]
        who = say("without root") if self.podman.is_rootless else say("as root")
        tag = quoted(image.tag()) if has_image else say("is built when the first server is made")
        version = self.podman.about["version"]["Version"]
        return [
            Health(say("host"), True, say("podman {version}, {who}", version=version, who=who)),
            Health(say("server image"), True, tag),
        ]

    def _run(self, made: Made) -> None:
        state, version = self._look(made.id)
        image_id = self._image(is_needed=not state)
        folder = self._handed(made)
        offering = self._offering(made.offering)
        wanted = containers.version_of(made, offering, image_id, self._doors) if image_id else version
        if state in _RUNNING:
            return  # whoever works there is not thrown out for a newer system
        if state and version != wanted:
            self._remove_container(UUID(made.id))
            state = ""
        if state:
            self.podman.run("start", containers.name_of(made.id))
            return
        words = containers.run_words(
            self.podman, folder, made, offering, version=wanted, doors=self._doors, label=self._label
        )
        self.podman.run(*words, *self.settings.options, image_id)

    def _handed(self, made: Made) -> ServerFolder:
        """The folder, with everything in it that a server is handed besides its token."""
        folder = folders.of(self.settings.home, UUID(made.id))
        folder.make(made)
        folder.hand_routes(self._doors, made.owner)
        folder.hand("strongroom.pyz", self.settings.agent(), made.owner)
        if self.settings.authorities is not None:
            folder.hand("ca.pem", self.settings.authorities.read_bytes(), made.owner)
        else:
            folder.withdraw("ca.pem")
        return folder

    def _look(self, server_id: str) -> tuple[str, str]:
        """State and version of a container; both empty where there is none."""
        form = '{{.State.Status}} {{index .Config.Labels "strongroom.version"}}'
        done = self.podman.tried("container", "inspect", "--format", form, containers.name_of(server_id))
        if done.returncode:
            return "", ""
        state, _, version = done.stdout.strip().partition(" ")
        return state, version

    def _remove_container(self, server_id: UUID) -> None:
        words = ("rm", "--force", "--ignore", f"--time={containers.STOP_SECONDS}", containers.name_of(server_id))
        # A container that is being made in this moment still has a look at the mounts of all others.
        for _ in range(_TRIES):
            if "resource busy" not in (done := self.podman.tried(*words)).stderr:
                break
            time.sleep(_TRY_AGAIN_SECONDS)
        if done.returncode:
            self.podman.run(*words)

    def _volumes(self, server_id: UUID) -> list[str]:
        """Those of its volumes that are there."""
        wanted = containers.volumes_of(server_id).values()
        return [each for each in wanted if self.podman.tried("volume", "exists", each).returncode == 0]

    def _offering(self, name: str) -> Offering:
        for each in self.offerings():
            if each.name == name:
                return each
        raise NotFound(
            say("This host has no offering “{name}”.", name=name),
            way_out=say("Choose one of `strongroom server offerings`, or add it."),
        )

    def _owner(self) -> int | None:
        return None if self.podman.is_rootless else folders.free_owner(self.settings.home)

    def _image(self, *, is_needed: bool) -> str:
        """The image's id. A missing one is built beside; if it is needed, that raises Building, or why it failed."""
        if found := image.built(self.podman):
            return found
        if self._builder is None or not self._builder.is_alive():
            failed, self._build_failed = self._build_failed, None
            self._builder = threading.Thread(target=self._build, daemon=True)
            self._builder.start()
            if failed is not None and is_needed:
                raise failed
        if not is_needed:
            return ""
        raise Building(
            say("The image that servers are made from is being built, for the first time."),
            way_out=say("It takes a few minutes. To do it ahead, and see how: {command}", command=image.COMMAND),
        )

    def _build(self) -> None:
        try:
            image.build(self.podman, self.settings.base_image, debootstrap=False, tell=lambda _: None)
        except Building:
            pass  # another process is at it
        except Unavailable as refusal:
            self._build_failed = refusal
