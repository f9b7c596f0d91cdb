"""Where the SeaweedFS engine lives and listens, and the names it knows Strongroom by."""

import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.core.errors import Unavailable
from strongroom.core.names import records_repository
from strongroom.core.policy import Dialect
from strongroom.core.sentences import say
from strongroom.core.settings import ENGINE_PORTS, STORAGE_PROCESSES

# The engine names its administrator after the first eight characters of the administrator's access key, and
# every policy names the administrator: these characters may never change.
ADMIN_KEY_PREFIX = "strongrm"
_METRICS_SOCKET = "metrics.sock"
SERVERS = "servers"  # whose sessions the servers are; a name only, there is no such user
DIALECT = Dialect(
    name="seaweedfs",
    control_plane=f"admin-{ADMIN_KEY_PREFIX}",
    account="000000000000",
    vending_user_or_role=SERVERS,
)


@dataclass(frozen=True)
class Ports:
    """The internal ports, among twenty in a row, all on 127.0.0.1."""

    base: int = 9410

    @property
    def master(self) -> int:
        """HTTP of the master, switched off but for its front page; gRPC is the next port."""
        return self.base

    def volume(self, number: int = 1) -> int:
        """HTTP of a storage process, which wants a signed token for every needle; gRPC is the next port."""
        return self.base + 2 if number == 1 else self.base + 11 + 2 * (number - 2)

    @property
    def filer(self) -> int:
        """HTTP of the filer, switched off; gRPC is the next port."""
        return self.base + 4

    @property
    def private(self) -> int:
        """S3 and IAM for the control plane alone; gRPC is the next port."""
        return self.base + 6

    @property
    def all(self) -> range:
        """Every port that the engine may take, for whoever closes them to others."""
        return range(self.base, self.base + ENGINE_PORTS)

    @property
    def gateway_grpc(self) -> int:
        """gRPC of the public gateway."""
        return self.base + 9

    @property
    def gateway_metrics(self) -> int:
        """Counters of the public gateway, among them the requests in flight."""
        return self.base + 10


@dataclass(frozen=True)
class Gateway:
    """A public gateway as this machine reaches it: its URL, and the URL of its page of counters.

    `socket`: where that page is found instead, if there is such a file.
    """

    endpoint: str
    metrics: str
    socket: Path | None = None


@dataclass(frozen=True)
class Storage:
    """A process that holds volumes in a folder of its own; the first is everything else that is inside as well."""

    number: int
    ports: Ports

    @property
    def name(self) -> str:
        """What it is called where processes have names."""
        return f"storage{self._suffix}"

    @property
    def folder(self) -> str:
        """Where its volumes are, in the home."""
        return f"data{self._suffix}"

    @property
    def socket(self) -> str:
        """What its port is in the home."""
        return f"volume{self._suffix}.sock"

    @property
    def port(self) -> int:
        """HTTP; gRPC is the next port."""
        return self.ports.volume(self.number)

    @property
    def _suffix(self) -> str:
        return "" if self.number == 1 else f"-{self.number}"


@dataclass(frozen=True)
class SeaweedSettings:
    """All the engine needs to know. `home` is the engine's own folder, private to the user.

    `public_endpoint` is the URL that people use, `public_host` and `public_port` what the gateway listens on. With
    `tls_certificate` and `tls_key` (PEM files) the gateway speaks only TLS. `weed` None: the locked package's.
    `further_gateways` run elsewhere: nothing counts as proved or drained before they agree. `allowed_origins` are the
    web pages that browsers let speak to the gateway; none by default. `storage_processes`: 0 for as many as the
    limit of open files demands.
    """

    home: Path
    org: str
    public_port: int = 9400
    public_host: str = "127.0.0.1"
    public_endpoint: str = ""
    ports: Ports = field(default_factory=Ports)
    region: str = "us-east-1"
    weed: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    further_gateways: tuple[Gateway, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    storage_processes: int = 0

    @property
    def records(self) -> str:
        """The bucket that is the control plane's alone."""
        return records_repository(self.org)

    @property
    def private_endpoint(self) -> str:
        """The gateway that takes the administrator's key."""
        return f"http://127.0.0.1:{self.ports.private}"

    @property
    def gateway(self) -> str:
        """The public gateway as this machine reaches it."""
        host = "127.0.0.1" if self.public_host in ("0.0.0.0", "") else self.public_host  # noqa: S104 - compared, not bound
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.public_port}"

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        """Every public gateway."""
        metrics = f"http://127.0.0.1:{self.ports.gateway_metrics}/metrics"
        here = Gateway(self.gateway, metrics, self.home / _METRICS_SOCKET)
        return (here, *self.further_gateways)

    @property
    def hidden(self) -> Mapping[int, str]:
        """The ports that are sockets in the home where the kernel can do that: whoever reaches one is told all."""
        volumes = {each.port: each.socket for each in self.storages}
        return {self.ports.master: "master.sock", **volumes, self.ports.gateway_metrics: _METRICS_SOCKET}

    @property
    def storages(self) -> tuple[Storage, ...]:
        """The storage processes, the first one first: one for each folder that was made for one."""
        every = (Storage(number, self.ports) for number in range(1, STORAGE_PROCESSES + 1))
        return tuple(each for each in every if each.number == 1 or (self.home / each.folder).is_dir())

    @property
    def endpoint(self) -> str:
        """The URL that people use, without a slash at the end."""
        return (self.public_endpoint or self.gateway).rstrip("/")

    @property
    def security_file(self) -> Path:
        """Every secret of the engine itself: signing keys and the key that encrypts all data."""
        return self.home / "security.toml"

    @property
    def credentials_file(self) -> Path:
        """The key pair that the control plane uses."""
        return self.home / "credentials.json"

    def weed_program(self) -> Path:
        """The `weed` to run.

        Raises: Unavailable when there is none.
        """
        program = self.weed or Path(sysconfig.get_path("scripts")) / "weed"
        if not program.is_file():
            raise Unavailable(
                say("The storage engine's program is not at {program}.", program=program),
                way_out=say("Run `make up`, which installs it, or name one with STRONGROOM_WEED."),
            )
        return program
